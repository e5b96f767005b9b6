/** What the bridge says in plain HTTP where it speaks HTTPS: challenges of a public authority, its own authority for phones, and the way on. */
import { X509Certificate } from 'node:crypto'
import type { RequestListener, ServerResponse } from 'node:http'
import { languageOf, type Language } from 'transom-core/language'
import { installPage, profileOf } from './install-page.ts'

export interface PlainDoorOptions {
  /** Where the bridge is in truth. */
  readonly publicUrl: string
  /** What the operator has set; without it each reader's own. */
  readonly language?: Language | undefined
  /** Answers to HTTP-01 (RFC 8555 section 8.3), by token. */
  readonly challenges: ReadonlyMap<string, string>
  /** The bridge has a certificate. */
  readonly isReady: () => boolean
  /** The bridge's own authority, PEM; undefined where a public one has signed. */
  readonly authority?: () => Promise<string | undefined>
}

/** By this `transom doctor` knows the bridge. */
export const noSuchChallenge = 'This bridge has no such challenge.\n'

const challengePath = /^\/\.well-known\/acme-challenge\/([\w-]{1,256})$/

const notReady =
  'The bridge has no certificate yet: its log and "transom doctor" say why.\n' +
  'Die Bridge hat noch kein Zertifikat: ihr Protokoll und "transom doctor" sagen, warum.\n'

/** Nothing here comes from anywhere else, and nothing runs. */
const headers = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** Answers requests; never throws. Whatever holds a password or a token is not accepted here, and not led on. */
export function createPlainDoor(options: PlainDoorOptions): RequestListener {
  const { publicUrl, challenges, isReady, authority } = options
  return (request, response) => {
    const { method = '', url = '/' } = request
    request.resume()
    // Whoever sent a body sent it in the clear: a client must notice.
    if (method !== 'GET' && method !== 'HEAD') return text(response, 403, `This is ${publicUrl}, by https alone.\n`)
    const path = url.split('?', 1)[0] ?? ''
    const token = challengePath.exec(path)?.[1]
    if (token !== undefined) {
      const answer = challenges.get(token)
      return answer === undefined ? text(response, 404, noSuchChallenge) : text(response, 200, answer)
    }
    const onward = () =>
      isReady()
        ? void response.writeHead(307, { ...headers, location: `${publicUrl}${url.startsWith('/') ? url : '/'}` }).end()
        : text(response, 503, notReady)
    if (authority === undefined) return onward()
    const answer = async () => {
      const pem = await authority()
      if (pem === undefined) return onward()
      const certificate = new X509Certificate(pem)
      switch (path) {
        case '/':
          return send(response, 200, 'text/html; charset=utf-8', installPage(publicUrl, certificate, languageFor()))
        case '/transom.crt':
          return send(response, 200, 'application/x-x509-ca-cert', certificate.raw, attachment('transom.crt'))
        case '/transom.pem':
          return send(response, 200, 'application/x-pem-file', pem, attachment('transom.pem'))
        case '/transom.mobileconfig':
          return send(response, 200, 'application/x-apple-aspen-config', profileOf(certificate))
        default:
          return onward()
      }
    }
    const languageFor = (): Language => options.language ?? preferred(request.headers['accept-language'])
    answer().catch(() => text(response, 500, 'The authority cannot be read.\n'))
  }
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer, more = {}): void {
  response.writeHead(status, { ...headers, 'content-type': type, ...more }).end(body)
}

const text = (response: ServerResponse, status: number, body: string): void =>
  send(response, status, 'text/plain; charset=utf-8', body)

const attachment = (name: string) => ({ 'content-disposition': `attachment; filename="${name}"` })

/** The first of the reader's languages that we speak (RFC 9110 section 12.5.4, without weights: browsers sort them). */
function preferred(field: string | undefined): Language {
  const known = field?.split(',').map((range) => languageOf(range.split(';')[0]))
  return known?.find((one) => one !== undefined) ?? 'en'
}
