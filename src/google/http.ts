/** The little of HTTP that both doors share, on plain objects, so that Express and Lambda can call them alike. */

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
