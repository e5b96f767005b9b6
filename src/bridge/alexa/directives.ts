/** What each directive does: one handler for every name in the wire schemas. */
import type { Broker } from '../broker/broker.ts'
import { BridgeError, toBridgeError } from 'transom-core/errors'
import {
  cameraId,
  type AccountId,
  type Authorize,
  type Camera,
  type CameraId,
  type CameraState,
  type Clock,
  type Log,
} from 'transom-core/ports'
import type { AlexaEvent, Directive, DirectiveName } from 'transom-core/wire/alexa'
import { describe, ENDPOINT_LIMIT, reviewCameras, type Review } from './discovery.ts'
import type { AlexaGrants } from './grants.ts'
import { allProperties, objectDetectionClasses } from './properties.ts'
import type { AlexaRegion } from './region.ts'
import * as reply from './reply.ts'

export interface AlexaDeps {
  /** Lets in tokens of Alexa's clients alone. */
  readonly authorize: Authorize
  readonly cameras: {
    list(accountId: AccountId): Promise<readonly Camera[]>
    find(accountId: AccountId, cameraId: CameraId): Promise<Camera | undefined>
  }
  readonly broker: Pick<Broker, 'negotiate' | 'connected' | 'end' | 'isOnline'>
  readonly grants: Pick<AlexaGrants, 'accept' | 'forget'>
  /** What was last heard of a camera. */
  readonly stateOf: (camera: Camera) => Promise<CameraState>
  /** Where a camera's last still picture is, for whoever has the account's access token. */
  readonly snapshotUrl: (camera: Camera) => string
  /** Tells the account's owner what Alexa cannot do with its cameras. Must not reject. */
  readonly warn: (accountId: AccountId, review: Review) => Promise<void>
  /** Whether a press really reaches Alexa; only then is the doorbell announced as one that rings. */
  readonly canSendEvents: boolean
  /** From receipt of an offer to its answer. Default 5000: Alexa gives up at 6 s, and the way there and back takes some. */
  readonly budgetMs?: number
  /** From receipt of any other directive to its event. Default 7000: Alexa gives up at 8 s. */
  readonly directiveMs?: number
  readonly clock: Clock
  readonly log: Log
}

/** What a handler knows of a directive besides its content. */
export interface Call {
  readonly deps: AlexaDeps
  readonly echo: reply.Echo
  readonly receivedAt: number
  /** The region whose Lambda took the directive, where that is known. */
  readonly region: AlexaRegion | undefined
  /** Aborted when nobody waits for the reply any more. */
  readonly signal: AbortSignal
}

export const DEFAULT_BUDGET_MS = 5_000

/** A snapshot's address is good for ten minutes (alexa-smartvision-snapshotprovider.html). */
const SNAPSHOT_MS = 600_000

export const handlers: {
  readonly [Name in DirectiveName]: (directive: Directive<Name>, call: Call) => Promise<AlexaEvent>
} = {
  'Alexa.Discovery/Discover': discover,
  'Alexa.Authorization/AcceptGrant': acceptGrant,
  'Alexa/ReportState': reportState,
  'Alexa.RTCSessionController/InitiateSessionWithOffer': initiateSession,
  'Alexa.RTCSessionController/SessionConnected': sessionConnected,
  'Alexa.RTCSessionController/SessionDisconnected': sessionDisconnected,
  'Alexa.CameraStreamController/InitializeCameraStreams': initializeStreams,
  'Alexa.SmartVision.SnapshotProvider/GetSnapshot': getSnapshot,
  'Alexa.SmartVision.ObjectDetectionSensor/SetObjectDetectionClasses': setDetectionClasses,
}

async function discover({ payload }: Directive<'Alexa.Discovery/Discover'>, { deps }: Call): Promise<AlexaEvent> {
  const { accountId } = await deps.authorize(payload.scope.token)
  const review = reviewCameras(await deps.cameras.list(accountId))
  const { told, leftOut } = review
  if (leftOut.length > 0) {
    deps.log('warn', 'alexa.cameras-left-out', { cameras: leftOut.length, limit: ENDPOINT_LIMIT })
  }
  await deps.warn(accountId, review)
  return reply.discoverResponse(told.map((camera) => describe(camera, deps)))
}

/** The answer means that the tokens are kept: Alexa sends the code once. */
async function acceptGrant(
  { payload }: Directive<'Alexa.Authorization/AcceptGrant'>,
  { deps, region, signal }: Call,
): Promise<AlexaEvent> {
  const { accountId, linkId } = await deps.authorize(payload.grantee.token)
  await deps.grants.accept({ accountId, linkId, code: payload.grant.code, region }, signal)
  try {
    // Whoever removed the link meanwhile found no grant to end with it.
    await deps.authorize(payload.grantee.token)
  } catch (thrown) {
    const isGone = toBridgeError(thrown).code === 'unauthorized'
    if (isGone && linkId !== undefined)
      await deps.grants.forget(accountId, 'the link ended while it was granted', { linkId })
    throw thrown
  }
  return reply.acceptGrantResponse()
}

async function reportState({ endpoint }: Directive<'Alexa/ReportState'>, { deps, echo }: Call): Promise<AlexaEvent> {
  const { camera } = await findCamera(deps, endpoint)
  const facts = { isOnline: deps.broker.isOnline(camera), canSendEvents: deps.canSendEvents }
  return reply.stateReport(echo, allProperties(camera, await deps.stateOf(camera), facts, deps.clock()))
}

async function initializeStreams(
  { endpoint }: Directive<'Alexa.CameraStreamController/InitializeCameraStreams'>,
  { deps, echo }: Call,
): Promise<AlexaEvent> {
  const { camera } = await findCamera(deps, endpoint)
  if (camera.streams === undefined || camera.streams.length === 0) {
    throw new BridgeError('invalid_request', `${camera.id} has no stream but WebRTC`)
  }
  return reply.cameraStreams(echo, camera.streams, deps.snapshotUrl(camera))
}

async function getSnapshot(
  { endpoint }: Directive<'Alexa.SmartVision.SnapshotProvider/GetSnapshot'>,
  { deps, echo }: Call,
): Promise<AlexaEvent> {
  const { camera } = await findCamera(deps, endpoint)
  const { snapshot } = await deps.stateOf(camera)
  if (!camera.hasSnapshots || snapshot === undefined) {
    throw new BridgeError('camera_offline', `${camera.id} has left no picture yet`)
  }
  return reply.snapshot(echo, deps.snapshotUrl(camera), snapshot.at, deps.clock() + SNAPSHOT_MS)
}

/** Every class is told always; which of them a customer wants to hear of, Alexa filters. */
async function setDetectionClasses(
  { endpoint }: Directive<'Alexa.SmartVision.ObjectDetectionSensor/SetObjectDetectionClasses'>,
  { deps, echo }: Call,
): Promise<AlexaEvent> {
  const { camera } = await findCamera(deps, endpoint)
  if (!camera.detects?.length) throw new BridgeError('invalid_request', `${camera.id} tells nothing apart`)
  return reply.response(echo, [objectDetectionClasses(camera, deps.clock())])
}

/**
 * Before the offer leaves for the camera: one token check (no round trip when cached or self-contained), then one read of
 * the camera. They cannot go side by side, because the token says whose camera it is.
 */
async function initiateSession(
  { endpoint, payload }: Directive<'Alexa.RTCSessionController/InitiateSessionWithOffer'>,
  { deps, echo, receivedAt, signal }: Call,
): Promise<AlexaEvent> {
  const { accountId, camera } = await findCamera(deps, endpoint)
  signal.throwIfAborted()
  const answer = await deps.broker.negotiate({
    assistant: 'alexa',
    accountId,
    camera,
    reference: payload.sessionId,
    offer: payload.offer.value,
    receivedAt,
    answerBy: receivedAt + (deps.budgetMs ?? DEFAULT_BUDGET_MS),
    // Alexa's end is a media server with public IPv4 addresses that takes UDP; it offers TCP but nobody answers with it.
    rules: { ipv4Only: true, tcpCandidates: false, talkBack: true },
  })
  return reply.answerGenerated(echo, answer)
}

async function sessionConnected(
  { endpoint, payload }: Directive<'Alexa.RTCSessionController/SessionConnected'>,
  { deps, echo }: Call,
): Promise<AlexaEvent> {
  const { accountId } = await deps.authorize(endpoint.scope.token)
  await deps.broker.connected({ assistant: 'alexa', accountId, reference: payload.sessionId })
  return reply.sessionEvent('SessionConnected', echo, payload.sessionId)
}

async function sessionDisconnected(
  { endpoint, payload }: Directive<'Alexa.RTCSessionController/SessionDisconnected'>,
  { deps, echo }: Call,
): Promise<AlexaEvent> {
  const { accountId } = await deps.authorize(endpoint.scope.token)
  await deps.broker.end({ assistant: 'alexa', accountId, reference: payload.sessionId }, 'the viewer left')
  return reply.sessionEvent('SessionDisconnected', echo, payload.sessionId)
}

async function findCamera(
  deps: AlexaDeps,
  endpoint: Directive<'Alexa/ReportState'>['endpoint'],
): Promise<{ accountId: AccountId; camera: Camera }> {
  const { accountId } = await deps.authorize(endpoint.scope.token)
  const camera = await deps.cameras.find(accountId, cameraId(endpoint.endpointId))
  if (!camera) throw new BridgeError('camera_not_found', `no camera ${endpoint.endpointId} for this account`)
  return { accountId, camera }
}
