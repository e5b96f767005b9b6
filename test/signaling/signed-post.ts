/** A signed call with any path and body, and what came back. */
import { once } from 'node:events'
import { request as httpsRequest } from 'node:https'
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import { region, type Running } from './running-service.ts'

export interface Answered {
  readonly status: number
  readonly type: string | undefined
  readonly answer: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** The headers of a call that was signed at `at`. */
export async function sign(running: Running, path: string, body: string, at = Date.now()) {
  const url = new URL(running.service.endpoint)
  const signer = new SignatureV4({ service: 'kinesisvideo', region, credentials: running.key, sha256: Sha256 })
  const { headers } = await signer.sign(
    { method: 'POST', protocol: 'https:', hostname: url.hostname, path, headers: { host: url.host }, body },
    { signingDate: new Date(at) },
  )
  return headers
}

export async function send(
  running: Running,
  path: string,
  body: string | Buffer,
  headers: Record<string, string>,
  method = 'POST',
): Promise<Answered> {
  const origin = running.service.endpoint
  const request = httpsRequest(`${origin}${path}`, { method, headers, ca: running.ca, agent: false })
  request.on('error', () => {})
  request.end(body)
  const [response] = await once(request, 'response', { signal: AbortSignal.timeout(60_000) })
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString('utf8')
  return {
    status: response.statusCode,
    type: response.headers['x-amzn-errortype'],
    headers: response.headers,
    answer: text === '' ? {} : JSON.parse(text),
  }
}

export async function post(running: Running, path: string, body: string): Promise<Answered> {
  return send(running, path, body, await sign(running, path, body))
}
