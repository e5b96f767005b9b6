/** The REST door: a signed POST in, one JSON answer out, for the control plane and for the channels' HTTPS endpoint. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, Log } from 'transom-core/ports'
import { isAllowed, type Credential } from './credentials.ts'
import type { Identify } from './identify.ts'
import type { SignalingLimits } from './limits.ts'
import type { Operation } from './operation.ts'
import type { Rates } from './rates.ts'
import { errorReply, sendReply } from './reply.ts'
import { causeOf, ServiceError, toServiceError } from './service-error.ts'

export interface RestDeps {
  readonly operations: Readonly<Record<string, Operation>>
  readonly identify: Identify
  readonly rates: Rates
  readonly limits: SignalingLimits
  readonly clock: Clock
  readonly log: Log
}

/** Bytes of a request's body; the largest that the API knows is a create with 50 tags, about 20 kB. */
const maxBody = 64 * 1_024
/** In the log, where a status stands: nobody was left to answer. No HTTP status, but a customary number for this. */
const hungUp = 499

/** The listener for requests: answers each, or lets go of it when the caller hangs up. Never throws. */
export function createRestDoor({ operations, identify, rates, limits, clock, log }: RestDeps) {
  // The key's own first: what one key asks too often costs the others nothing.
  const takeTurn = (action: string, channelName: string | undefined, { accessKeyId, scope }: Credential) => {
    if (channelName !== undefined) rates.take(`${action} ${channelName} ${accessKeyId}`, limits.rates.channelCall)
    const isRead = /^(Describe|Get|Send)/.test(action)
    const account = scope.kind === 'application' ? accessKeyId : 'devices'
    const rate = isRead ? limits.rates.accountRead : limits.rates.accountWrite
    rates.take(`account ${isRead ? action : 'write'} ${account}`, rate)
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    if (allowBrowser(request, response)) return
    const requestId = randomUUID()
    const startedAt = clock()
    const gone = new AbortController()
    response.once('close', () => gone.abort())

    // What the log line will say, as far as the request gets.
    const seen: { action?: string; channelName?: string; accessKeyId?: string } = {}
    const answer = async (): Promise<object> => {
      const body = await readBody(request)
      const { method = '', url = '' } = request
      const caller = await identify(request, body)
      seen.accessKeyId = caller.accessKeyId
      const path = url.split('?', 1)[0] ?? ''
      const operation = Object.hasOwn(operations, path) ? operations[path] : undefined
      if (!operation || method !== 'POST') {
        throw new ServiceError('UnknownOperationException', `There is no operation ${method} ${path.slice(0, 128)}.`)
      }
      seen.action = operation.action
      const call = operation.read(parseJson(body))
      if (call.channelName !== undefined) seen.channelName = call.channelName
      if (!isAllowed(caller.scope, operation.action, call.channelName)) {
        throw new ServiceError(
          path.startsWith('/v1/') ? 'NotAuthorizedException' : 'AccessDeniedException',
          `This key is not authorized to perform kinesisvideo:${operation.action} on this resource.`,
        )
      }
      takeTurn(operation.action, call.channelName, caller)
      return call.run({ host: request.headers.host ?? '', scope: caller.scope, signal: gone.signal })
    }

    const note = (status: number, error?: ServiceError) => {
      const level = status >= 500 ? 'error' : 'info'
      const failure = error && { code: error.type, error: error.message, ...causeOf(error) }
      log(level, 'signaling.request', { requestId, ...seen, status, ms: clock() - startedAt, ...failure })
    }
    answer()
      .then(
        (body) => ({ requestId, status: 200, body, at: clock(), error: undefined }),
        (thrown: unknown) => {
          const error = toServiceError(thrown)
          return { ...errorReply(error, requestId, clock()), error }
        },
      )
      .then(({ error, ...reply }) => {
        if (gone.signal.aborted) return note(hungUp)
        sendReply(response, reply)
        note(reply.status, error)
      })
      .catch((error: unknown) => {
        log('error', 'signaling.request', { requestId, ...seen, error })
        response.destroy()
      })
  }
}

/**
 * Lets pages of any origin use the API: what opens it is a signature, which no browser adds by itself. True when the request
 * was the browser's own question whether it may (the Fetch standard's preflight), and is answered.
 */
function allowBrowser({ method, headers }: IncomingMessage, response: ServerResponse): boolean {
  if (headers.origin === undefined) return false
  response.setHeader('Access-Control-Allow-Origin', '*')
  response.setHeader('Access-Control-Expose-Headers', 'x-amzn-RequestId, x-amzn-errortype, Date')
  if (method !== 'OPTIONS') return false
  const wanted = headers['access-control-request-headers']
  response.writeHead(204, {
    'Access-Control-Allow-Methods': 'POST',
    // A wildcard would not cover Authorization.
    ...(wanted !== undefined && { 'Access-Control-Allow-Headers': wanted }),
    // A page from elsewhere may ask a service on the private network, if the browser wants that said.
    ...(headers['access-control-request-private-network'] && { 'Access-Control-Allow-Private-Network': 'true' }),
    'Access-Control-Max-Age': '7200',
    Vary: 'Access-Control-Request-Headers',
  })
  response.end()
  return true
}

/** The time that a body may take is the server's `requestTimeout`. */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  // `iterator` and not the stream itself: leaving the loop must not destroy the socket that the refusal goes out on.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBody) {
      throw new ServiceError('RequestEntityTooLargeException', `The body is larger than ${maxBody} bytes.`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return {}
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw new ServiceError('SerializationException', 'The body is not JSON.', { cause: error })
  }
}
