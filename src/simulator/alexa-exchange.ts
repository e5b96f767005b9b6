/** One directive of Amazon's cloud and the bridge's reply to it, checked. */

import { randomBytes, randomUUID } from 'node:crypto'
import type * as z from 'zod'
import { anyEvent, errorPayload, eventSchema } from './alexa-messages.ts'
import type { AssistantOptions } from './assistant.ts'
import { CallError, type CauseCode } from './causes.ts'
import { sendDirective } from './directive.ts'
import { jsonOf, mustFit } from './http.ts'

export interface Exchange<P extends z.ZodType> {
  readonly directive: readonly [namespace: string, name: string]
  readonly reply: readonly [namespace: string, name: string]
  readonly payload: object
  readonly replyPayload: P
  readonly endpointId?: string
  /** The name of the failure when the reply is not as it must be. */
  readonly code: CauseCode
}

/** How a directive says for whom it is: by the user's token. */
export const scopeOf = ({ accessToken }: AssistantOptions) => ({ type: 'BearerToken', token: accessToken })

/** Sends a directive and returns its reply. Throws `refused` for an ErrorResponse, `code` for a reply that is not as it must be. */
export async function exchange<P extends z.ZodType>(options: AssistantOptions, work: Exchange<P>, signal: AbortSignal) {
  const { accessToken, ...door } = options
  const scope = scopeOf(options)
  const [, name] = work.directive
  const correlationToken = work.endpointId === undefined ? undefined : randomBytes(120).toString('base64')
  const what = `the reply to ${name}`
  const reply = await sendDirective(door, directiveOf(work, correlationToken, scope), signal)
  if (reply.status !== 200) throw new CallError(work.code, `${what} has HTTP status ${reply.status}`)
  const message = jsonOf(reply, work.code, what)
  const endpoint =
    work.endpointId === undefined ? {} : { endpoint: { endpointId: work.endpointId, token: accessToken } }
  const { header } = mustFit(anyEvent, message, work.code, what).event
  if (header.name === 'ErrorResponse') {
    const error = eventSchema(
      { namespace: 'Alexa', name: 'ErrorResponse', correlationToken, ...endpoint },
      errorPayload,
    )
    const { payload } = mustFit(error, message, 'reply_invalid', `the error reply to ${name}`).event
    throw new CallError('refused', `${name} was answered ${payload.type}: ${payload.message}`)
  }
  const [replyNamespace, replyName] = work.reply
  const expected = { namespace: replyNamespace, name: replyName, correlationToken, ...endpoint }
  return mustFit(eventSchema(expected, work.replyPayload), message, work.code, what)
}

function directiveOf(
  work: Exchange<z.ZodType>,
  correlationToken: string | undefined,
  scope: ReturnType<typeof scopeOf>,
): object {
  const [namespace, name] = work.directive
  return {
    header: {
      namespace,
      name,
      messageId: randomUUID(),
      payloadVersion: '3',
      ...(correlationToken === undefined ? {} : { correlationToken }),
    },
    ...(work.endpointId === undefined ? {} : { endpoint: { scope, endpointId: work.endpointId, cookie: {} } }),
    payload: work.payload,
  }
}
