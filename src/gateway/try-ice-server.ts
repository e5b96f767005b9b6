/** Tries a STUN or TURN server as a camera of the gateway does, and reports what it gave. */
import { RTCPeerConnection } from 'werift'
import type { IceServer } from 'transom-core/ports'

/** What came of one server: the candidate that it gave, or why it gave none. */
export interface IceServerTrial {
  /** `stun:stun.example:3478`; holds no password. */
  readonly url: string
  /** `203.0.113.7:50123`, the address by which others reach this machine, or the relay. */
  readonly address?: string
  readonly error?: string
}

/**
 * Gathers candidates with this one URL (RFC 8445 section 5.1.1.2): a binding for STUN, an allocation for TURN, which the
 * credentials must allow. Never rejects; aborting the signal ends it.
 */
export async function tryIceServer(
  { urls, username, credential }: IceServer,
  signal: AbortSignal,
): Promise<IceServerTrial> {
  const [url = ''] = urls
  const peer = new RTCPeerConnection({
    bundlePolicy: 'max-bundle',
    // Seconds, as the cameras of the gateway wait.
    iceStunGatherTimeout: 2,
    iceTurnConnectTimeout: 2,
    iceServers: [
      { urls: url, ...(username !== undefined && { username }), ...(credential !== undefined && { credential }) },
    ],
  })
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const onAbort = () => resolve('it did not reply')
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    peer.addTransceiver('video', { direction: 'sendrecv' })
    let address: string | undefined
    for (const { connection } of peer.iceTransports) {
      connection.onIceCandidate.subscribe(({ type, host, port }) => {
        if (type === 'srflx' || type === 'relay') address = `${host}:${port}`
      })
      connection.onIceServer.subscribe(({ error }) => resolve(error?.message))
    }
    await peer.setLocalDescription(await peer.createOffer())
    // A server whose URL is not used at all reports nothing.
    const error = signal.aborted ? 'it did not reply' : await promise
    return { url, ...(address !== undefined && { address }), ...(error !== undefined && { error }) }
  } catch (error) {
    return { url, error: error instanceof Error ? error.message : String(error) }
  } finally {
    signal.removeEventListener('abort', onAbort)
    await peer.close()
  }
}
