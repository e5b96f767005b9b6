/** Google's fulfillment door: SYNC, QUERY, EXECUTE and DISCONNECT, one well-formed reply to whatever comes. */
import * as z from 'zod'
import { within } from 'transom-core/deadline'
import { BridgeError, toBridgeError } from 'transom-core/errors'
import type { AccountId, Authorize } from 'transom-core/ports'
import {
  googleIntent,
  googleRequest,
  type DisconnectReply,
  type ExecuteReply,
  type FailureReply,
  type QueryReply,
  type SyncReply,
} from 'transom-core/wire/google'
import { fulfillmentStatus, googleErrorCode, logFailure } from './errors.ts'
import { bearerToken, type HttpHeaders } from '../http.ts'
import { createIntents, type IntentDeps } from './intents.ts'
import { faultsOf } from 'transom-core/wire/faults'

export interface FulfillmentDeps extends IntentDeps {
  /** Lets in tokens of Google's clients alone. */
  readonly authorize: Authorize
  /** Milliseconds from request to reply, whatever happens; default 2000, Google's quality bar for cameras. */
  readonly budgetMs?: number
}

/** One request: the JSON body, parsed, and the header fields. Never throws; `body` is the JSON to send. */
export type Fulfillment = (body: unknown, headers: HttpHeaders) => Promise<{ status: number; body: unknown }>

/** As much of a request as its reply needs, even if the rest is broken. */
const envelope = z
  .object({
    requestId: z.string().catch(''),
    inputs: z.tuple([z.object({ intent: z.string() })], z.unknown()).catch([{ intent: '' }]),
  })
  .catch({ requestId: '', inputs: [{ intent: '' }] })

export function createFulfillment(deps: FulfillmentDeps): Fulfillment {
  const { clock, log, budgetMs = 2000 } = deps
  const carryOut = createIntents(deps)

  return async (body, headers) => {
    const receivedAt = clock()
    const { requestId, inputs } = envelope.parse(body)
    const { intent } = inputs[0]
    let accountId: AccountId | undefined
    const line = () => ({ requestId: requestId.slice(0, 64), intent: intent.slice(0, 64), ms: clock() - receivedAt })

    async function answer(): Promise<object> {
      const token = bearerToken(headers)
      if (token === undefined) throw new BridgeError('unauthorized', 'no bearer token')
      accountId = (await deps.authorize(token)).accountId
      if (intent !== '' && !googleIntent.safeParse(intent).success) {
        log('warn', 'google.unknown-intent', line())
        return failure(requestId, intent, 'notSupported')
      }
      const request = googleRequest.safeParse(body)
      if (!request.success) throw new BridgeError('invalid_request', faultsOf(request.error).slice(0, 500))
      // A quarter of the budget is left for what comes after the ICE servers, if they come at all.
      return carryOut({ request: request.data, accountId, token, iceBy: receivedAt + budgetMs * 0.75 })
    }

    try {
      const onLate = (thrown: unknown) => logFailure(log, 'google.late-failure', toBridgeError(thrown), line())
      const reply = await within(receivedAt + budgetMs - clock(), answer, onLate)
      log('info', 'google.fulfillment', line())
      return { status: 200, body: reply }
    } catch (thrown) {
      const error = toBridgeError(thrown)
      logFailure(log, 'google.fulfillment', error, line())
      return {
        status: fulfillmentStatus(error.code, intent),
        body: failure(requestId, intent, googleErrorCode[error.code], accountId),
      }
    }
  }
}

/** The reply that says, to the schema of each intent, that the whole request failed. */
function failure(requestId: string, intent: string, errorCode: string, accountId?: AccountId): object {
  switch (intent) {
    case 'action.devices.SYNC':
      // The schema demands the two lists even here; whose they would be is not known before the token is.
      return { requestId, payload: { agentUserId: accountId ?? '', devices: [], errorCode } } satisfies SyncReply
    case 'action.devices.QUERY':
      return { requestId, payload: { devices: {}, errorCode } } satisfies QueryReply
    case 'action.devices.EXECUTE':
      return { requestId, payload: { commands: [], errorCode } } satisfies ExecuteReply
    case 'action.devices.DISCONNECT':
      return {} satisfies DisconnectReply
    default:
      return { requestId, payload: { errorCode } } satisfies FailureReply
  }
}
