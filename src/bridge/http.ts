/** The little of HTTP that every door shares: header fields, the bearer token, and the body as text or JSON. */
import express, { type Request, type RequestHandler, type Response } from 'express'

/** Header fields as Node or API Gateway give them; names in any case. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** The value of a header field that may stand once; `undefined` if it is missing or repeated. */
export function header(headers: HttpHeaders, name: string): string | undefined {
  const values = Object.entries(headers)
    .filter(([key]) => key.toLowerCase() === name)
    .flatMap(([, value]) => value ?? [])
  return values.length === 1 ? values[0] : undefined
}

/** The token of `Authorization: Bearer …` (RFC 6750 section 2.1); `undefined` if there is none, or it is no token at all. */
export function bearerToken(headers: HttpHeaders): string | undefined {
  return /^bearer +([\w.~+/-]{1,4096}=*) *$/i.exec(header(headers, 'authorization') ?? '')?.[1]
}

/** Reads any body as text, whatever it says it is: some players post JSON without saying so. `limit` in bytes. */
export function readText(limit: number): RequestHandler {
  return express.text({ limit, type: () => true })
}

/**
 * The same for a door that refuses in its own words a body that cannot be read: without CORS headers, say, no player would
 * see why. One that is too large arrives as a text over the limit, any other as an empty one.
 */
export function readTextUpTo(limit: number): RequestHandler {
  const read = readText(limit)
  return (request, response, next) =>
    read(request, response, (error?: unknown) => {
      const isTooLarge = error instanceof Error && 'type' in error && error.type === 'entity.too.large'
      if (error !== undefined) request.body = isTooLarge ? ' '.repeat(limit + 1) : ''
      next()
    })
}

/** What `readText` has read; '' when there was no body. */
export function textOf(request: Request): string {
  return typeof request.body === 'string' ? request.body : ''
}

/** A signal that is aborted when the connection of a response is gone; at once where it went before anybody listened. */
export function goneOf(response: Response): AbortSignal {
  const gone = new AbortController()
  if (response.destroyed) gone.abort()
  else response.once('close', () => gone.abort())
  return gone.signal
}

/** `undefined` for what is no JSON. The parser's own words are not passed on: they quote what they read. */
export function parseJson(text: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof text === 'string' ? text : Buffer.from(text).toString('utf8'))
  } catch {
    return undefined
  }
}
