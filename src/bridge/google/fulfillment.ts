/** Google's fulfillment door: SYNC, QUERY, EXECUTE and DISCONNECT, one well-formed reply to whatever comes. */
import type { SmartHomeV1SyncResponse } from 'actions-on-google'
// Not the package's own entry: that loads Dialogflow, the Actions SDK and an old auth library, which no smart home needs.
import { smarthome } from 'actions-on-google/dist/service/smarthome/smarthome.js'
import * as z from 'zod'
import type { Broker } from '../broker/broker.ts'
import { within } from 'transom-core/deadline'
import { BridgeError, toBridgeError } from 'transom-core/errors'
import type { AccountId, Authorize } from 'transom-core/ports'
import {
  googleIntent,
  googleRequest,
  type DisconnectReply,
  type ExecuteReply,
  type FailureReply,
  type GoogleRequest,
  type QueryReply,
  type SyncReply,
} from 'transom-core/wire/google'
import type { Afterwards } from './afterwards.ts'
import { createExecute, type CameraStreamDeps } from './camera-stream.ts'
import { describeDevice, deviceState, isOutdated, unknownDevice, type DevicePromises } from './devices.ts'
import { fulfillmentStatus, googleErrorCode, logFailure } from './errors.ts'
import { bearerToken, type HttpHeaders } from '../http.ts'
import type { GoogleLinks } from './links.ts'
import type { GoogleReports, StatesOf } from './reports.ts'
import { createStreamTokens } from './stream-token.ts'
import { faultsOf } from 'transom-core/wire/faults'

export interface FulfillmentDeps extends CameraStreamDeps, DevicePromises {
  /** Lets in tokens of Google's clients alone. */
  readonly authorize: Authorize
  readonly broker: Pick<Broker, 'warm' | 'iceServers' | 'isOnline' | 'absence' | 'refused' | 'endAll'>
  readonly links: GoogleLinks
  readonly statesOf: StatesOf
  /** For what Google should hear afterwards; absent without Home Graph. */
  readonly reports?: Pick<GoogleReports, 'statesChanged' | 'camerasChanged'> | undefined
  readonly afterwards: Afterwards
  /** Ends the link that this access token belongs to. True if the account has another one with Google: a household's. */
  readonly unlink: (accountId: AccountId, token: string) => Promise<boolean>
  /** Milliseconds from request to reply, whatever happens; default 2000, Google's quality bar for cameras. */
  readonly budgetMs?: number
}

/** One request: the JSON body, parsed, and the header fields. Never throws; `body` is the JSON to send. */
export type Fulfillment = (body: unknown, headers: HttpHeaders) => Promise<{ status: number; body: unknown }>

const askAgainMs = 10 * 60_000

/** As much of a request as its reply needs, even if the rest is broken. */
const envelope = z
  .object({
    requestId: z.string().catch(''),
    inputs: z.tuple([z.object({ intent: z.string() })], z.unknown()).catch([{ intent: '' }]),
  })
  .catch({ requestId: '', inputs: [{ intent: '' }] })

export function createFulfillment(deps: FulfillmentDeps): Fulfillment {
  const { cameras, broker, links, statesOf, reports, afterwards, store, clock, log, budgetMs = 2000 } = deps
  const execute = createExecute(deps)
  const tokens = createStreamTokens(deps)
  const askedAgain = store.collection<object>('google-asked-again')

  return async (body, headers) => {
    const receivedAt = clock()
    const { requestId, inputs } = envelope.parse(body)
    const { intent } = inputs[0]
    let accountId: AccountId | undefined
    const line = () => ({ requestId: requestId.slice(0, 64), intent: intent.slice(0, 64), ms: clock() - receivedAt })

    async function answer(): Promise<object> {
      accountId = await authenticate(headers)
      if (intent !== '' && !googleIntent.safeParse(intent).success) {
        log('warn', 'google.unknown-intent', line())
        return failure(requestId, intent, 'notSupported')
      }
      const request = googleRequest.safeParse(body)
      if (!request.success) throw new BridgeError('invalid_request', faultsOf(request.error).slice(0, 500))
      return throughSmartHome(request.data, accountId, bearerToken(headers) ?? '', receivedAt)
    }

    try {
      const onLate = (thrown: unknown) => logFailure(log, 'google.late-failure', toBridgeError(thrown), line())
      const reply = await within(receivedAt + budgetMs - clock(), answer, onLate, 'out_of_time')
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

  async function authenticate(headers: HttpHeaders): Promise<AccountId> {
    const token = bearerToken(headers)
    if (token === undefined) throw new BridgeError('unauthorized', 'no bearer token')
    return (await deps.authorize(token)).accountId
  }

  /** `smarthome()` picks the handler. A fresh one for each request costs microseconds and lets the handlers close over it. */
  async function throughSmartHome(
    request: GoogleRequest,
    accountId: AccountId,
    token: string,
    receivedAt: number,
  ): Promise<object> {
    const { requestId } = request
    const app = smarthome()
    // A cast, because its types are of 2021: they demand `nicknames` and `hwVersion`, and know no notifications.
    app.onSync(async () => (await sync(requestId, accountId)) as SmartHomeV1SyncResponse)
    app.onQuery(({ inputs }) => {
      const asked = inputs.flatMap(({ payload }) => payload.devices)
      askAgainIfOutdated(accountId, asked)
      return query(requestId, accountId, asked)
    })
    app.onExecute(async ({ inputs }) => {
      const commands = inputs.flatMap(({ payload }) => payload.commands)
      askAgainIfOutdated(
        accountId,
        commands.flatMap(({ devices }) => devices),
      )
      // A quarter of the budget is left for what comes after the ICE servers, if they come at all.
      return { requestId, payload: { commands: await execute(accountId, commands, receivedAt + budgetMs * 0.75) } }
    })
    app.onDisconnect(() => disconnect(accountId, token))
    // Header fields stay outside: the library prints what it is given when DEBUG says so.
    const { body } = await app.handler(request, {}, {})
    return body
  }

  async function sync(requestId: string, accountId: AccountId): Promise<object> {
    const [listed] = await Promise.all([cameras.list(accountId), links.open(accountId)])
    const devices = listed.map((camera) => describeDevice(camera, deps))
    // The app and the Test Suite read `online` from the reports, and a new device has none yet.
    afterwards.do('google.first-report', async () => reports?.statesChanged(accountId))
    return { requestId, payload: { agentUserId: accountId, devices } } satisfies SyncReply
  }

  /** Google gives back what it kept of a device. If that is old, a SYNC was lost; if the device is gone, one is due. */
  function askAgainIfOutdated(accountId: AccountId, asked: readonly { id: string; customData?: unknown }[]): void {
    if (reports === undefined) return
    afterwards.do('google.ask-again', async () => {
      const known = new Map((await cameras.list(accountId)).map((camera) => [String(camera.id), camera]))
      const isOld = asked.some(({ id, customData }) => {
        const camera = known.get(id)
        return camera === undefined || isOutdated(customData, describeDevice(camera, deps))
      })
      if (isOld && (await mayAskAgain(accountId))) await reports.camerasChanged(accountId)
    })
  }

  /** Google asks QUERY after each SYNC: were SYNC not to help, the two of us would go on for ever. */
  async function mayAskAgain(accountId: AccountId): Promise<boolean> {
    const expiresAt = clock() + askAgainMs
    return (await askedAgain.put(accountId, {}, { onlyIf: 'absent', expiresAt })) !== undefined
  }

  async function query(requestId: string, accountId: AccountId, asked: readonly { id: string }[]): Promise<QueryReply> {
    const known = new Map((await cameras.list(accountId)).map((camera) => [String(camera.id), camera]))
    const states = asked.map(async ({ id }) => {
      const camera = known.get(id)
      return [id, camera ? deviceState(await statesOf(camera)) : unknownDevice] as const
    })
    return { requestId, payload: { devices: Object.fromEntries(await Promise.all(states)) } }
  }

  /** Google has dropped the link before it says so and reads nothing but `{}`: each step runs, and a failure is ours to see. */
  async function disconnect(accountId: AccountId, token: string): Promise<DisconnectReply> {
    // First of all: what ends below must not be taken for the user's own farewell, of which Google would be told.
    const [closed] = await Promise.allSettled([links.close(accountId)])
    // Whose view is whose is not known: another member of the household, if there is one, asks to see the camera again.
    const [unlinked, ...ended] = await Promise.allSettled([
      deps.unlink(accountId, token),
      broker.endAll(accountId, 'google', 'account unlinked'),
      tokens.revokeAll(accountId),
    ])
    const isStillLinked = unlinked.status === 'fulfilled' && unlinked.value
    const [reopened] = await Promise.allSettled([isStillLinked ? links.open(accountId) : undefined])
    for (const step of [closed, unlinked, ...ended, reopened]) {
      if (step.status === 'rejected') logFailure(log, 'google.disconnect', toBridgeError(step.reason), { accountId })
    }
    return {}
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
