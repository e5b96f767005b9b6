/** What the descriptions of routes are made of: a route in a few words, as an operation of OpenAPI. */
import * as z from 'zod'
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject, ZodOpenApiResponsesObject } from 'zod-openapi'
import { refused } from '../wire/api.ts'

/** Who may ask; `document.ts` says how each proves it. */
export type Door =
  | 'page'
  | 'account'
  | 'assistant'
  | 'cameraKey'
  | 'cameraSignature'
  | 'metricsKey'
  | 'operatorKey'
  | 'streamToken'
  | 'forwarderSignature'
  | 'amazonSignature'

export interface Route {
  /** Unique; names the function in generated clients. */
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly deprecated?: true
  /** Any of these opens it; none: everybody may ask. */
  readonly doors: readonly Door[]
  readonly path?: z.ZodObject
  readonly query?: z.ZodObject
  readonly header?: z.ZodObject
  /** A JSON body, or one of another media type. */
  readonly body?: z.ZodType | Content
  /** It may be left out. */
  readonly hasOptionalBody?: true
  readonly answer: Answer
  /** Statuses of refusals that say something of this request; any other refusal has the same body. */
  readonly refusals?: readonly Status[]
  /** The body of refusals, where it is not the API's own. */
  readonly refused?: z.ZodType | Content
  /** The body of 401, where it is another one again. */
  readonly unauthorized?: z.ZodType
}

/** Media type to schema. */
export type Content = Readonly<Record<string, z.ZodType>>
/** A status with its body: JSON, or of another media type; without any, an empty one. */
export interface Answer {
  readonly status: 200 | 201 | 202 | 204 | 303
  readonly body?: z.ZodType | Content
  readonly description?: string
}

const words = {
  200: 'Done.',
  201: 'Made.',
  202: 'Accepted.',
  204: 'Done; there is no body.',
  303: 'Another address to go to.',
  400: 'The request is malformed.',
  401: 'The token or the key is missing, wrong, expired, or not one that opens this.',
  403: 'The token may look, but not do this.',
  404: 'There is no such thing, or not for whoever asks.',
  409: 'The request conflicts with how things are now.',
  413: 'The body is too large.',
  429: 'Too many requests: see Retry-After.',
  501: 'Not where this bridge runs.',
  502: 'The camera or its signaling gave nothing that can be used.',
  503: 'The camera is offline, or the store cannot be used: see Retry-After.',
  504: 'The camera did not answer in time.',
} as const
type Status = keyof typeof words

/** The path items of one part of the API: `GET /path` to route. */
export function pathsOf(tag: string, routes: Readonly<Record<string, Route>>): ZodOpenApiPathsObject {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {}
  for (const [name, route] of Object.entries(routes)) {
    const [method = '', path = ''] = name.split(' ')
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(tag, route) }
  }
  return paths
}

function operationOf(tag: string, route: Route): ZodOpenApiOperationObject {
  const { operationId, summary, description, deprecated, doors, path, query, header, body, hasOptionalBody } = route
  return {
    tags: [tag],
    operationId,
    summary,
    ...(description !== undefined && { description }),
    ...(deprecated && { deprecated }),
    security: doors.map((door) => ({ [door]: door === 'page' || door === 'account' ? ['camera'] : [] })),
    ...((path ?? query ?? header) && {
      requestParams: { ...(path && { path }), ...(query && { query }), ...(header && { header }) },
    }),
    ...(body && { requestBody: { required: hasOptionalBody !== true, content: contentOf(body) } }),
    responses: responsesOf(route),
  }
}

function responsesOf(route: Route): ZodOpenApiResponsesObject {
  const { answer, refusals = [], unauthorized } = route
  const content = contentOf(route.refused ?? refused)
  return {
    [`${answer.status}`]: {
      description: answer.description ?? words[answer.status],
      ...(answer.body && { content: contentOf(answer.body) }),
    },
    ...Object.fromEntries(refusals.map((status) => [`${status}`, { description: words[status], content }])),
    ...(unauthorized && { 401: { description: words[401], content: contentOf(unauthorized) } }),
    default: { description: 'Any other refusal.', content },
  }
}

function contentOf(body: z.ZodType | Content): Record<string, { readonly schema: z.ZodType }> {
  if (body instanceof z.ZodType) return { 'application/json': { schema: body } }
  return Object.fromEntries(Object.entries(body).map(([type, schema]) => [type, { schema }]))
}

/** Bytes, a picture or a file. */
export const binary = z.string().meta({ format: 'binary' })
/** JSON of another specification. */
export const foreign = (description: string) => z.looseObject({}).describe(description)

export const byId = z.object({ id: z.string() })
