/** Holds real answers to the OpenAPI document: every test that asks the bridge over HTTP may pass its answers through here. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { openApiDocument } from '../../src/core/openapi/document.ts'

export interface Answer {
  readonly method: string
  /** With or without a query. */
  readonly path: string
  readonly status: number
  readonly headers: Headers
  /** JSON as it was parsed; undefined where there was no body. */
  readonly body: unknown
}

const document = openApiDocument()
const paths = Object.entries(document.paths ?? {})
  .map(([template, item]) => ({ template, item, pattern: patternOf(template) }))
  // `/a/b` goes before `/a/{id}`.
  .toSorted((one, other) => one.template.split('{').length - other.template.split('{').length)

const ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false })
formats.default(ajv)
ajv.addSchema(closed(document), 'bridge')

/** Throws unless the document has this answer, field by field. What the document has not at all must be a 404 or a preflight. */
export function conform({ method, path, status, headers, body }: Answer): void {
  // The API for people and clients has two places.
  const pathname = path.replace(/\?.*/, '').replace(/^\/oauth(?=\/admin\/)/, '/operator')
  const found = paths.find(({ pattern }) => pattern.test(pathname))
  const verb = method.toLowerCase()
  if (found === undefined || !(verb in found.item)) {
    if (status === 404 || method === 'OPTIONS') return
    throw new Error(`the document has no ${method} ${pathname}, which answers ${status}`)
  }
  const pointer = ['paths', found.template, verb, 'responses']
  const responses: object = Object.entries(found.item).find(([key]) => key === verb)?.[1].responses ?? {}
  const isKnown = String(status) in responses
  if (!isKnown && status < 400) throw new Error(`the document has no ${status} for ${method} ${found.template}`)
  const response = [...pointer, isKnown ? String(status) : 'default']
  // A browser follows, and reads nothing.
  if (status === 303) return
  if (status === 204) {
    if (body !== undefined) throw new Error(`${method} ${pathname} answers 204 with a body`)
    return
  }
  const type = headers.get('content-type')?.replace(/;.*/, '') ?? 'no media type'
  errorsOf([...response, 'content', type, 'schema'], body, `${method} ${pathname} answers ${status}`)
}

/** The same for an answer as it comes, which it returns. */
export async function conforming(method: string, response: Response): Promise<Response> {
  const { status, headers, url } = response
  const text = await response.clone().text()
  const isJson = headers.get('content-type')?.startsWith('application/json') === true
  conform({ method, path: new URL(url).pathname, status, headers, body: isJson ? JSON.parse(text) : text || undefined })
  return response
}

/** The same for an event of the stream. */
export function conformEvent(event: { readonly event: string; readonly data: unknown }): void {
  errorsOf(['components', 'schemas', 'StreamEvent'], event, `the event ${event.event}`)
}

function errorsOf(pointer: readonly string[], value: unknown, what: string): void {
  const place = pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')
  const validate = ajv.getSchema(`bridge#/${place}`)
  if (validate === undefined) throw new Error(`${what}: the document has nothing at ${pointer.join(' ')}`)
  if (validate(value) === true) return
  throw new Error(`${what}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`)
}

function patternOf(template: string): RegExp {
  const parts = template.split(/\{\w+\}/).map((part) => part.replaceAll('.', '\\.'))
  return new RegExp(`^${parts.join('[^/]+')}$`)
}

/** Clients must ignore unknown fields, so the document allows them; here each would be one that the document forgot. */
function closed(value: unknown): object {
  const close = (one: unknown): unknown => {
    if (typeof one !== 'object' || one === null) return one
    if (Array.isArray(one)) return one.map(close)
    const entries = Object.entries(one).map(([key, inner]) => [key, close(inner)] as const)
    const isOpen = 'type' in one && one.type === 'object' && 'properties' in one && !('additionalProperties' in one)
    return Object.fromEntries(isOpen ? [...entries, ['additionalProperties', false]] : entries)
  }
  return close(value) as object
}
