/** The REST door: a signed POST in, one JSON answer out, for the control plane and for the channels' HTTPS endpoint. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, Log } from '../ports.ts'
import { isAllowed, type Credential } from './credentials.ts'
import type { Operation } from './operations.ts'
import { errorReply, sendReply } from './reply.ts'
import { causeOf, ServiceError, toServiceError } from './service-error.ts'
import { verifySigV4 } from './sigv4.ts'

export interface RestDeps {
  readonly operations: Readonly<Record<string, Operation>>
  readonly find: (accessKeyId: string) => Promise<Credential | undefined>
  readonly clock: Clock
  readonly log: Log
}

/** Bytes of a request's body; the largest that the API knows is a create with 50 tags, about 20 kB. */
const maxBody = 64 * 1_024
/** In the log, where a status stands: nobody was left to answer. No HTTP status, but a customary number for this. */
const hungUp = 499

/** The listener for requests: answers each, or lets go of it when the caller hangs up. Never throws. */
export function createRestDoor({ operations, find, clock, log }: RestDeps) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const requestId = randomUUID()
    const startedAt = clock()
    const gone = new AbortController()
    response.once('close', () => gone.abort())

    // What the log line will say, as far as the request gets.
    const seen: { action?: string; channelName?: string; accessKeyId?: string } = {}
    const answer = async (): Promise<object> => {
      const body = await readBody(request)
      const { method = '', url = '', headersDistinct: headers } = request
      const { accessKeyId, scope } = await verifySigV4({ method, target: url, headers, body }, find, startedAt)
      seen.accessKeyId = accessKeyId
      const path = url.split('?', 1)[0] ?? ''
      const operation = Object.hasOwn(operations, path) ? operations[path] : undefined
      if (!operation || method !== 'POST') {
        throw new ServiceError('UnknownOperationException', `There is no operation ${method} ${path.slice(0, 128)}.`)
      }
      seen.action = operation.action
      const call = operation.read(parseJson(body))
      if (call.channelName !== undefined) seen.channelName = call.channelName
      if (!isAllowed(scope, operation.action, call.channelName)) {
        throw new ServiceError(
          path.startsWith('/v1/') ? 'NotAuthorizedException' : 'AccessDeniedException',
          `This key is not authorized to perform kinesisvideo:${operation.action} on this resource.`,
        )
      }
      return call.run(gone.signal)
    }

    const note = (status: number, error?: ServiceError) => {
      const level = status >= 500 ? 'error' : 'info'
      const failure = error && { error: error.type, reason: error.message, ...causeOf(error) }
      log(level, 'signaling-request', { requestId, ...seen, status, ms: clock() - startedAt, ...failure })
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
        log('error', 'signaling-request', { requestId, ...seen, cause: error })
        response.destroy()
      })
  }
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
