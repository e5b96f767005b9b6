/** The companion skill: who was at the door, how many today, is a camera online, and quiet for a while. */
import { getAccountLinkingAccessToken, getSlotValue, SkillBuilders, type HandlerInput, type Skill } from 'ask-sdk-core'
import type { Request, Response } from 'ask-sdk-model'
import { within } from 'transom-core/deadline'
import { BridgeError, toBridgeError } from 'transom-core/errors'
import type { AccountId, Authorize, Camera, CameraState, Clock, Log } from 'transom-core/ports'
import { durationMs, startOfDay, timeOfDay } from './duration.ts'
import { addToScreen, type ShownRecording } from './screen.ts'
import type { TakeSkillEvent } from './skill-events.ts'
import { speakable, wordsFor, type Words } from './words.ts'

export interface SkillDeps {
  /** Lets in tokens of Alexa's clients alone. */
  readonly authorize: Authorize
  readonly cameras: { list(accountId: AccountId): Promise<readonly Camera[]> }
  readonly isOnline: (camera: Camera) => boolean | undefined
  readonly stateOf: (camera: Camera) => Promise<CameraState>
  /** Presses from `since` on, newest first. */
  readonly visits: (camera: Camera, since: number) => Promise<readonly { readonly at: number }[]>
  /** What was recorded of a press, at addresses for whoever asks; `undefined` when nothing was, or it is not for them. */
  readonly recordingOf?: (camera: Camera, accountId: AccountId, at: number) => Promise<ShownRecording | undefined>
  /** Nobody is told of presses until then; an instant in the past ends it. */
  readonly mute: (accountId: AccountId, until: number) => Promise<void>
  /** The time zone of the customer's Echo; rejects where it does not tell. Bounded by the signal. */
  readonly timeZoneOf?: (input: HandlerInput, signal: AbortSignal) => Promise<string>
  /** Where the Echo does not tell. */
  readonly timeZone: string
  /** Takes what is no question of a customer. */
  readonly takeEvent: TakeSkillEvent
  /** Requests for another skill are refused. */
  readonly skillId?: string
  readonly clock: Clock
  readonly log: Log
}

/** What an intent knows of its request. */
interface Ask {
  readonly deps: SkillDeps
  readonly input: HandlerInput
  readonly words: Words
  readonly locale: string
  readonly accountId: AccountId
  readonly signal: AbortSignal
}

/** Alexa gives up at 8 s. */
const answerMs = 6_500
const longestMuteMs = 24 * 3_600_000
const rememberedMs = 30 * 24 * 3_600_000

/** Types of requests that a customer waits for. */
const spoken = ['LaunchRequest', 'IntentRequest']

type Say = (ask: Ask) => Promise<Response>

/** Intents that need a linked account. */
const intents: Readonly<Record<string, Say>> = {
  LastVisitorIntent: lastVisitor,
  VisitorCountIntent: visitorCount,
  CameraOnlineIntent: cameraOnline,
  MuteIntent: mute,
  UnmuteIntent: unmute,
}

/** `invoke(envelope)` answers a request of the custom skill; it never rejects for what a customer can say. What is no question is answered with nothing. */
export function createDoorbellSkill(deps: SkillDeps): Skill {
  const builder = SkillBuilders.custom()
    .addRequestHandlers(
      {
        canHandle: isType('LaunchRequest'),
        handle: (input) => (isLinked(input) ? open(input, wordsOf(input).welcome) : linkFirst(input)),
      },
      { canHandle: isIntent('AMAZON.HelpIntent'), handle: (input) => open(input, wordsOf(input).help) },
      {
        canHandle: isIntent('AMAZON.StopIntent', 'AMAZON.CancelIntent', 'AMAZON.NavigateHomeIntent'),
        handle: (input) => close(input, wordsOf(input).bye),
      },
      { canHandle: isIntent(...Object.keys(intents)), handle: (input) => answer(deps, input) },
      // Last: what nobody else takes, AMAZON.FallbackIntent among it.
      { canHandle: isType('IntentRequest'), handle: (input) => open(input, wordsOf(input).notUnderstood) },
      {
        canHandle: () => true,
        async handle({ requestEnvelope, responseBuilder }) {
          await deps.takeEvent(requestEnvelope)
          return responseBuilder.getResponse()
        },
      },
    )
    // Nobody would hear an apology for an event.
    .addErrorHandlers({ canHandle: isType(...spoken), handle: (input, error) => apologize(deps, input, error) })
  return (deps.skillId === undefined ? builder : builder.withSkillId(deps.skillId)).create()
}

async function answer(deps: SkillDeps, input: HandlerInput): Promise<Response> {
  const { request } = input.requestEnvelope
  const say = request.type === 'IntentRequest' ? intents[request.intent.name] : undefined
  if (say === undefined) throw new BridgeError('invalid_request', 'no such intent')
  const words = wordsOf(input)
  return within(
    answerMs,
    async (signal) => {
      const token = getAccountLinkingAccessToken(input.requestEnvelope)
      if (!token) return linkFirst(input)
      const { accountId } = await deps.authorize(token)
      return say({ deps, input, words, locale: localeOf(request), accountId, signal })
    },
    (thrown) => deps.log('warn', 'skill.failed-late', { error: String(thrown) }),
  )
}

async function lastVisitor({ deps, input, words, accountId }: Ask): Promise<Response> {
  const camera = await pick({ deps, input, accountId }, 'doorbell')
  if (camera === undefined) return close(input, unknownCamera(input, words))
  const now = deps.clock()
  const [last] = await deps.visits(camera, now - rememberedMs)
  const name = speakable(camera.name)
  if (last === undefined) return close(input, words.nobody(name))
  const said = words.lastVisitor(name, agoOf(words, now - last.at))
  const shown = await recordingOf({ deps, accountId }, camera, last.at)
  if (shown) addToScreen(input, shown, { title: camera.name, text: said })
  return close(input, said)
}

/** The answer is right without it: what fails here is not heard. */
async function recordingOf(
  { deps, accountId }: Pick<Ask, 'deps' | 'accountId'>,
  camera: Camera,
  at: number,
): Promise<ShownRecording | undefined> {
  try {
    return await deps.recordingOf?.(camera, accountId, at)
  } catch (thrown) {
    deps.log('warn', 'skill.recording-not-shown', { cameraId: camera.id, error: String(thrown) })
    return undefined
  }
}

async function visitorCount(ask: Ask): Promise<Response> {
  const { deps, input, words } = ask
  const camera = await pick(ask, 'doorbell')
  if (camera === undefined) return close(input, unknownCamera(input, words))
  const visits = await deps.visits(camera, startOfDay(deps.clock(), await zoneOf(ask)))
  return close(input, words.visitors(visits.length, speakable(camera.name)))
}

async function cameraOnline(ask: Ask): Promise<Response> {
  const { deps, input, words } = ask
  const camera = await pick(ask)
  if (camera === undefined) return close(input, unknownCamera(input, words))
  const name = speakable(camera.name)
  const { battery, presence } = await deps.stateOf(camera)
  const isOnline = deps.isOnline(camera) ?? presence?.isOnline
  const said = isOnline === undefined ? words.onlineUnknown(name) : isOnline ? words.online(name) : words.offline(name)
  return close(input, battery ? `${said} ${words.battery(Math.round(battery.level))}` : said)
}

async function mute(ask: Ask): Promise<Response> {
  const { deps, input, words, accountId, locale } = ask
  const ms = durationMs(getSlotValue(input.requestEnvelope, 'duration') ?? undefined)
  if (ms === undefined) return askForDuration(input, words.forHowLong)
  if (ms > longestMuteMs) return askForDuration(input, words.tooLong)
  const until = deps.clock() + ms
  await deps.mute(accountId, until)
  return close(input, words.muted(timeOfDay(until, await zoneOf(ask), locale)))
}

async function unmute({ deps, input, words, accountId }: Ask): Promise<Response> {
  await deps.mute(accountId, 0)
  return close(input, words.unmuted)
}

/** The camera that was named, or the first of its kind; `undefined` when there is none, or none by that name. */
async function pick(
  { deps, input, accountId }: Pick<Ask, 'deps' | 'input' | 'accountId'>,
  kind?: Camera['kind'],
): Promise<Camera | undefined> {
  const cameras = await deps.cameras.list(accountId)
  const said = getSlotValue(input.requestEnvelope, 'camera')
  if (!said) return cameras.find((camera) => camera.kind === kind) ?? (kind ? undefined : cameras[0])
  const wanted = plain(said)
  return cameras.find(({ name }) => plain(name) === wanted) ?? cameras.find(({ name }) => isPartOf(plain(name), wanted))
}

const plain = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
/** "front door" is the Front Door Camera, and "the front door camera" is the Front Door. */
const isPartOf = (name: string, wanted: string): boolean =>
  wanted !== '' && name !== '' && (` ${name} `.includes(` ${wanted} `) || ` ${wanted} `.includes(` ${name} `))

function unknownCamera(input: HandlerInput, words: Words): string {
  const said = getSlotValue(input.requestEnvelope, 'camera')
  return said ? words.noSuchCamera(speakable(said)) : words.noDoorbell
}

async function zoneOf({ deps, input, signal }: Ask): Promise<string> {
  try {
    return (await deps.timeZoneOf?.(input, signal)) ?? deps.timeZone
  } catch (thrown) {
    deps.log('warn', 'skill.time-zone-unknown', { error: String(thrown) })
    return deps.timeZone
  }
}

function agoOf(words: Words, ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 1) return words.justNow
  if (minutes < 60) return words.ago(minutes, 'minute')
  const hours = Math.round(minutes / 60)
  return hours < 24 ? words.ago(hours, 'hour') : words.ago(Math.round(hours / 24), 'day')
}

/** A token that is not good any more is mended the same way as one that is missing. */
function apologize(deps: SkillDeps, input: HandlerInput, error: Error): Response {
  const { code, message } = toBridgeError(error)
  if (code === 'unauthorized' || code === 'token_expired') return linkFirst(input)
  deps.log('error', 'skill.failed', { code, error: message, stack: error.stack })
  return close(input, wordsOf(input).sorry)
}

const isLinked = ({ requestEnvelope }: HandlerInput): boolean => Boolean(getAccountLinkingAccessToken(requestEnvelope))

function linkFirst(input: HandlerInput): Response {
  return input.responseBuilder
    .speak(wordsOf(input).linkFirst)
    .withLinkAccountCard()
    .withShouldEndSession(true)
    .getResponse()
}

const close = (input: HandlerInput, text: string): Response =>
  input.responseBuilder.speak(text).withShouldEndSession(true).getResponse()

const open = (input: HandlerInput, text: string): Response =>
  input.responseBuilder.speak(text).reprompt(wordsOf(input).notUnderstood).getResponse()

const askForDuration = (input: HandlerInput, text: string): Response =>
  input.responseBuilder.speak(text).reprompt(text).addElicitSlotDirective('duration').getResponse()

function wordsOf(input: HandlerInput): Words {
  return wordsFor(localeOf(input.requestEnvelope.request))
}

function localeOf(request: Request): string {
  return 'locale' in request && typeof request.locale === 'string' ? request.locale : 'en-US'
}

function isType(...types: readonly string[]) {
  return ({ requestEnvelope }: HandlerInput): boolean => types.includes(requestEnvelope.request.type)
}

function isIntent(...names: readonly string[]) {
  return ({ requestEnvelope: { request } }: HandlerInput): boolean =>
    request.type === 'IntentRequest' && names.includes(request.intent.name)
}
