/** What follows from each of Google's intents; `fulfillment.ts` has checked who asks, and what. */
import type { SmartHomeV1SyncResponse } from 'actions-on-google'
// Not the package's own entry: that loads Dialogflow, the Actions SDK and an old auth library, which no smart home needs.
import { smarthome } from 'actions-on-google/dist/service/smarthome/smarthome.js'
import { toBridgeError } from 'transom-core/errors'
import type { AccountId, Camera, Collection } from 'transom-core/ports'
import type { DisconnectReply, GoogleRequest, QueryReply, SyncReply } from 'transom-core/wire/google'
import type { Broker } from '../broker/broker.ts'
import { createExecute, type CameraStreamDeps } from './camera-stream.ts'
import { camerasAmong, type Cameras } from './cameras.ts'
import { describeDevice, deviceState, isOutdated, unknownDevice, type DevicePromises } from './devices.ts'
import { logFailure } from './errors.ts'
import type { GoogleLinks } from './links.ts'
import type { GoogleReports, StatesOf } from './reports.ts'
import { createStreamTokens, type StreamTokens } from './stream-token.ts'

export interface IntentDeps extends CameraStreamDeps, DevicePromises {
  readonly cameras: Cameras
  readonly broker: Pick<Broker, 'warm' | 'iceServers' | 'isOnline' | 'absence' | 'refused' | 'endAll'>
  readonly links: GoogleLinks
  readonly statesOf: StatesOf
  /** For what Google should hear afterwards; absent without Home Graph. */
  readonly reports?: Pick<GoogleReports, 'statesChanged' | 'camerasChanged'> | undefined
  /** Ends the link that this access token belongs to. True if the account has another one with Google: a household's. */
  readonly unlink: (accountId: AccountId, token: string) => Promise<boolean>
}

/** A request that has passed the door. */
export interface Asked {
  readonly request: GoogleRequest
  readonly accountId: AccountId
  readonly token: string
  /** Until when ICE servers are waited for, in epoch milliseconds. */
  readonly iceBy: number
}

interface Context extends IntentDeps {
  readonly tokens: Pick<StreamTokens, 'revokeAll'>
  /** Accounts that Google was asked to SYNC a short time ago. */
  readonly askedAgain: Collection<object>
}

/** What Google gives back of a device that it knows from SYNC. */
interface AskedDevice {
  readonly id: string
  readonly customData?: unknown
}

const askAgainMs = 10 * 60_000

/** Makes the function that carries a request out and resolves with its reply; rejects when the store does. */
export function createIntents(deps: IntentDeps): (asked: Asked) => Promise<object> {
  const execute = createExecute(deps)
  const askedAgain = deps.store.collection<object>('google-asked-again')
  const context: Context = { ...deps, tokens: createStreamTokens(deps), askedAgain }

  return async ({ request, accountId, token, iceBy }) => {
    const { requestId } = request
    const knownAmong = (asked: readonly AskedDevice[]) =>
      camerasAmong(
        deps.cameras,
        accountId,
        asked.map(({ id }) => id),
      )
    // It picks the handler. A fresh one for each request costs microseconds and lets the handlers close over it.
    const app = smarthome()
    // A cast, because its types are of 2021: they demand `nicknames` and `hwVersion`, and know no notifications.
    app.onSync(async () => (await sync(context, requestId, accountId)) as SmartHomeV1SyncResponse)
    app.onQuery(async ({ inputs }) => {
      const asked = inputs.flatMap(({ payload }) => payload.devices)
      const known = await knownAmong(asked)
      askAgainIfOutdated(context, accountId, asked, known)
      return query(context, requestId, asked, known)
    })
    app.onExecute(async ({ inputs }) => {
      const commands = inputs.flatMap(({ payload }) => payload.commands)
      const asked = commands.flatMap(({ devices }) => devices)
      const known = await knownAmong(asked)
      askAgainIfOutdated(context, accountId, asked, known)
      return { requestId, payload: { commands: await execute(known, commands, iceBy) } }
    })
    app.onDisconnect(() => disconnect(context, accountId, token))
    // Header fields stay outside: the library prints what it is given when DEBUG says so.
    const { body } = await app.handler(request, {}, {})
    return body
  }
}

async function sync(context: Context, requestId: string, accountId: AccountId): Promise<object> {
  const { cameras, links, reports, afterwards } = context
  const [listed] = await Promise.all([cameras.list(accountId), links.open(accountId)])
  const devices = listed.map((camera) => describeDevice(camera, context))
  // The app and the Test Suite read `online` from the reports, and a new device has none yet.
  afterwards.do('google.first-report', async () => reports?.statesChanged(accountId))
  return { requestId, payload: { agentUserId: accountId, devices } } satisfies SyncReply
}

/** Google gives back what it kept of a device. If that is old, a SYNC was lost; if the device is gone, one is due. */
function askAgainIfOutdated(
  context: Context,
  accountId: AccountId,
  asked: readonly AskedDevice[],
  known: ReadonlyMap<string, Camera>,
): void {
  const { reports, afterwards } = context
  if (reports === undefined) return
  afterwards.do('google.ask-again', async () => {
    const isOld = asked.some(({ id, customData }) => {
      const camera = known.get(id)
      return camera === undefined || isOutdated(customData, describeDevice(camera, context))
    })
    if (isOld && (await mayAskAgain(context, accountId))) await reports.camerasChanged(accountId)
  })
}

/** Google asks QUERY after each SYNC: were SYNC not to help, the two of us would go on for ever. */
async function mayAskAgain({ askedAgain, clock }: Context, accountId: AccountId): Promise<boolean> {
  const expiresAt = clock() + askAgainMs
  return (await askedAgain.put(accountId, {}, { onlyIf: 'absent', expiresAt })) !== undefined
}

async function query(
  context: Context,
  requestId: string,
  asked: readonly AskedDevice[],
  known: ReadonlyMap<string, Camera>,
): Promise<QueryReply> {
  const states = asked.map(async ({ id }) => {
    const camera = known.get(id)
    return [id, camera ? deviceState(await context.statesOf(camera)) : unknownDevice] as const
  })
  return { requestId, payload: { devices: Object.fromEntries(await Promise.all(states)) } }
}

/** Google has dropped the link before it says so and reads nothing but `{}`: each step runs, and a failure is ours to see. */
async function disconnect(context: Context, accountId: AccountId, token: string): Promise<DisconnectReply> {
  const { links, broker, tokens, unlink, log } = context
  // First of all: what ends below must not be taken for the user's own farewell, of which Google would be told.
  const [closed] = await Promise.allSettled([links.close(accountId)])
  // Whose view is whose is not known: another member of the household, if there is one, asks to see the camera again.
  const [unlinked, ...ended] = await Promise.allSettled([
    unlink(accountId, token),
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
