/** The page that plays a stream of Google's, of another origin than the bridge: what its browser asks and demands. */

import type { z } from 'zod'
import { CallError } from './causes.ts'
import type { accessStream } from './google-messages.ts'
import { type Reply, send } from './http.ts'

/** The page that plays the stream is served from here. */
export const PLAYER_ORIGIN = 'https://www.gstatic.com'

/** What a Cast receiver fetches first; a page of another origin, it needs leave to read it. */
export async function watchManifest(
  { cameraStreamAccessUrl: url, cameraStreamProtocol: protocol }: z.infer<typeof accessStream>,
  signal: AbortSignal,
): Promise<void> {
  const { status, headers, body } = await send(url, { headers: { origin: PLAYER_ORIGIN } }, signal)
  if (status !== 200) throw new CallError('no_video', `the ${protocol} address has HTTP status ${status}`)
  if (!['*', PLAYER_ORIGIN].includes(headers.get('access-control-allow-origin') ?? ''))
    throw new CallError('cors_refused', `the ${protocol} address does not allow pages of other origins`)
  const isManifest = protocol === 'hls' ? body.startsWith('#EXTM3U') : protocol !== 'dash' || body.includes('<MPD')
  if (!isManifest) throw new CallError('no_video', `what the ${protocol} address has is no manifest`)
}

/** The browser's question before the player's first POST. */
export async function preflight(url: string, signal: AbortSignal): Promise<void> {
  const headers = {
    origin: PLAYER_ORIGIN,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  }
  const reply = await send(url, { method: 'OPTIONS', headers }, signal)
  if (reply.status !== 200 && reply.status !== 204)
    throw new CallError('cors_refused', `the preflight has HTTP status ${reply.status}`)
  checkCors(reply, 'the preflight')
  const list = (name: string): string[] => (reply.headers.get(name) ?? '').toLowerCase().split(/\s*,\s*/)
  if (!list('access-control-allow-methods').includes('post'))
    throw new CallError('cors_refused', 'the preflight does not allow POST')
  // `*` does not cover a credentialed request, nor Authorization in any.
  const missing = ['authorization', 'content-type'].filter(
    (name) => !list('access-control-allow-headers').includes(name),
  )
  if (missing.length > 0) throw new CallError('cors_refused', `the preflight does not allow ${missing.join(' and ')}`)
}

/** A reply that the page may not read is worth nothing to it. Throws `cors_refused`. */
export function checkCors(reply: Reply, what: string): void {
  const origin = reply.headers.get('access-control-allow-origin')
  if (origin !== PLAYER_ORIGIN)
    throw new CallError('cors_refused', `${what} allows the origin ${origin ?? 'nobody'}, not ${PLAYER_ORIGIN}`)
  if (reply.headers.get('access-control-allow-credentials') !== 'true') {
    throw new CallError('cors_refused', `${what} does not allow credentials`)
  }
}
