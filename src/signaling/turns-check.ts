/** Looks once whether `turns:` servers show a certificate that displays can trust, because a display would not say. */
import { connect, rootCertificates } from 'node:tls'
import type { Log } from 'transom-core/ports'

const answerMs = 5_000
const defaultPort = 5_349

/**
 * Connects to each `turns:` URL (RFC 7065) as a display would, and logs a warning for a certificate that no public authority
 * has signed, or that is for another name. A server that cannot be reached is no news here. Never rejects.
 */
export async function checkTurnsCertificates(urls: readonly string[], log: Log, signal: AbortSignal): Promise<void> {
  await Promise.all(urls.map((url) => checkOne(url, log, signal)))
}

async function checkOne(url: string, log: Log, signal: AbortSignal): Promise<void> {
  const [, bracketed, plain, port] = /^turns:(?:\[([^\]]+)\]|([^:?]+))(?::(\d+))?(?:\?|$)/.exec(url) ?? []
  const host = bracketed ?? plain
  if (host === undefined || url.endsWith('transport=udp')) return
  const code = await certificateError(host, Number(port ?? defaultPort), signal)
  if (code === undefined) return
  log('warn', 'signaling.turns-certificate-not-trusted', {
    url,
    code,
    remedy: 'displays trust public authorities only: give the TURN server a certificate of one, for this name',
  })
}

/** Node's code of what is wrong with the certificate; undefined when nothing is, or when there is no certificate. */
function certificateError(host: string, port: number, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    // The public authorities alone: displays know nothing of the ones that this process trusts (NODE_EXTRA_CA_CERTS).
    const ca = [...rootCertificates]
    const socket = connect({ host, port, ca, servername: /^[\d.]+$|:/.test(host) ? '' : host })
    const end = (code?: string) => {
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      resolve(code)
    }
    const onAbort = () => end()
    signal.addEventListener('abort', onAbort, { once: true })
    socket.setTimeout(answerMs, () => end())
    socket.once('secureConnect', () => end())
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const { code = '' } = error
      end(/CERT|_SIGNED|ISSUER|UNABLE_TO_VERIFY|ALTNAME/.test(code) ? code : undefined)
    })
    if (signal.aborted) end()
  })
}
