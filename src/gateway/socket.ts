/** A connection to a camera: within the networks that are allowed, and by TLS only to the certificate that is trusted. */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { SourceFault } from 'transom-core/errors'
import { SourceError } from './media.ts'
import { reachOf } from './reach.ts'
import type { Trust } from './trust.ts'

const connectMs = 5_000

/** Where a camera listens. */
export interface CameraPlace {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  /** Safe to show. */
  readonly label: string
}

/** Connects, within 5 s or until the signal aborts; a certificate is checked before anything is sent. Throws `SourceError`. */
export async function openSocket(place: CameraPlace, trust: Trust, signal?: AbortSignal): Promise<Socket> {
  const { host, port, isTls, label } = place
  signal?.throwIfAborted()
  const reach = reachOf(host, label, trust)
  const tls = isTls ? openTls(reach, port) : undefined
  const socket = tls ?? connectTcp({ ...reach, port })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onAbort = () => reject(signal?.reason as Error)
  const timer = setTimeout(() => reject(new SourceError('source_unreachable', `${label} does not answer`)), connectMs)
  const onError = (error: Error) => reject(socketError(error, place))
  socket.once(isTls ? 'secureConnect' : 'connect', resolve)
  socket.on('error', onError)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    await promise
    // Before the first request, and so before the password.
    if (tls) checkCertificate(tls, place, trust)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    // An error between two listeners would end the process: after a failure the socket keeps this one.
    if (!socket.destroyed) setImmediate(() => socket.off('error', onError))
  }
}

/** No authority signs the certificates of cameras: `checkCertificate` compares them with the one seen first. */
const openTls = (reach: ReturnType<typeof reachOf>, port: number): TLSSocket =>
  connectTls({ ...reach, port, rejectUnauthorized: false, ...(isIP(reach.host) === 0 && { servername: reach.host }) })

function checkCertificate(socket: TLSSocket, { host, port, label }: CameraPlace, trust: Trust): void {
  const certificate = socket.getPeerX509Certificate()
  if (!certificate || !trust.admits(`${host.toLowerCase()}:${port}`, certificate.fingerprint256))
    throw new SourceError('source_certificate', `${label} shows another certificate than at first`)
}

const faults: Readonly<Record<string, readonly [SourceFault, string]>> = {
  ECONNREFUSED: ['source_refused', 'refuses the connection'],
  ECONNRESET: ['source_refused', 'resets the connection'],
  ENOTFOUND: ['source_unknown_host', 'is not a known host'],
  EAI_AGAIN: ['source_unknown_host', 'cannot be looked up now'],
}

/** What broke the connection, as the camera's owner is told it. */
export function socketError(
  error: Error & { readonly code?: unknown },
  { label }: Pick<CameraPlace, 'label'>,
): SourceError {
  if (error instanceof SourceError) return error
  const code = typeof error.code === 'string' ? error.code : ''
  const [fault, words] =
    faults[code] ?? (['source_unreachable', `cannot be reached (${code || 'TLS failed'})`] as const)
  return new SourceError(fault, `${label} ${words}`)
}
