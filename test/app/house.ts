/** Alexa's whole side in memory: real store, outbox, broker, doors and event gateway; a fake camera, and Amazon on loopback. */
import { createSecretKey } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { createWrongKeys } from '../../src/core/admission.ts'
import { createAuthority } from '../../src/bridge/authority.ts'
import type { CertificateChains } from '../../src/bridge/alexa/skill/certificate-chain.ts'
import { createAlexaSide } from '../../src/bridge/assembly/alexa.ts'
import { createAlexaDoors } from '../../src/bridge/doors/alexa-doors.ts'
import { createCameras } from '../../src/bridge/cameras/cameras.ts'
import { createAnnouncements } from '../../src/bridge/cameras/announcements.ts'
import { createEvents } from '../../src/bridge/cameras/events.ts'
import { answerError } from '../../src/bridge/web/refusals.ts'
import { createIntake } from '../../src/bridge/doors/intake.ts'
import { createSignatures } from '../../src/bridge/signature.ts'
import { createNotices } from '../../src/bridge/assembly/notices.ts'
import { createSnapshots } from '../../src/bridge/cameras/snapshots.ts'
import { createCameraStates } from '../../src/bridge/cameras/states.ts'
import { createVisits } from '../../src/bridge/cameras/visits.ts'
import { createBroker } from '../../src/bridge/broker/broker.ts'
import { BridgeError } from '../../src/core/errors.ts'
import { createOutbox } from '../../src/bridge/outbox/outbox.ts'
import type { Camera, CameraMessage, Signaling } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { client, startAmazon } from '../alexa/amazon.ts'
import { anna, createJournal, frontDoor, garden } from '../alexa/world.ts'
import { conforming } from '../wire/conform.ts'

export const cameraKey = 'k'.repeat(43)
export const forwarderSecret = 's'.repeat(40)

export interface HouseOptions {
  /** What the camera sends back to an offer. */
  readonly camera?: (sdp: string) => AsyncIterable<CameraMessage>
  /** The companion skill that is hosted here, and the certificates of its requests. */
  readonly skillId?: string
  readonly chains?: CertificateChains
  readonly cameras?: readonly Camera[]
  readonly storePath?: string
  readonly now?: () => number
}

const authority = createAuthority({
  async verifyToken(token) {
    if (token === 'expired') throw new BridgeError('token_expired')
    if (token === 'no-scope') return { accountId: anna, clientId: 'alexa', scopes: [] }
    if (token !== 'good') throw new BridgeError('unauthorized')
    return { accountId: anna, clientId: 'alexa', scopes: ['camera'] }
  },
  kindsOf: async () => ['alexa'],
})

export async function openHouse(options: HouseOptions = {}) {
  const clock = options.now ?? Date.now
  const amazon = await startAmazon()
  const store = createSqliteStore(options.storePath ?? ':memory:', clock)
  const { lines, log } = createJournal()
  const warmed: string[] = []
  const offers: string[] = []
  const viewers: string[] = []
  const signaling: Signaling = {
    async *offer(_channel, viewerId, sdp) {
      offers.push(sdp)
      viewers.push(viewerId)
      if (options.camera) yield* options.camera(sdp)
      else throw new BridgeError('camera_silent')
    },
    iceServers: async () => [],
    warm: ({ channelName }) => void warmed.push(channelName),
  }
  const base = { store, clock, log }
  let online = true
  const broker = createBroker({
    ...base,
    signaling,
    presence: () => ({ online, sinceAt: 0 }),
    budgets: { settleCapMs: 200, quietMs: 20, replyMs: 100, absentMs: 500, lifetimeMs: 3_600_000 },
  })
  const sealingKey = Buffer.alloc(32, 7).toString('base64')
  const cameras = createCameras(
    store,
    (camera, kind) => events.receive(camera, { kind, at: clock() }),
    createSecretKey(sealingKey, 'base64'),
  )
  const notices = createNotices(base)
  const states = createCameraStates(base)
  const visits = createVisits(store, clock)
  const alexa = createAlexaSide({
    ...base,
    config: {
      budgetMs: 3_000,
      lwa: { ...client, tokenUrl: amazon.tokenUrl },
      gatewayUrl: amazon.gatewayUrls.NA,
      region: 'NA',
      skillId: options.skillId,
      forwarderSecret,
      timeZone: 'Europe/Berlin',
    },
    publicUrl: 'https://bridge.example',
    states,
    visits,
    sealingKey,
    authority,
    cameras,
    copies: cameras,
    broker,
    notices,
  })
  const outbox = createOutbox({
    ...base,
    deliver: { ...(alexa.deliver && { alexa: alexa.deliver }) },
    limits: { firstRetryMs: 20, attemptMs: 2_000 },
  })
  const announcements = createAnnouncements({
    audience: ownerAlone,
    visits,
    translate: [alexa.translate],
    outbox,
  })
  const events = createEvents({
    ...base,
    states,
    announcements,
    visits: createVisits(store, base.clock),
    onRing: async (camera) => broker.warm(camera),
  })
  const snapshots = createSnapshots(base)
  const wrongKeys = createWrongKeys(base)

  const signatures = createSignatures(base)
  const app = express()
  app.use(
    createIntake(
      {
        cameras,
        events,
        snapshots,
        broker,
        shares: { visible: cameras },
        linking: { authority, oauth: { wrongKeys } },
        sourceReported: async () => {},
      },
      signatures,
      clock,
    ),
  )
  app.use(createAlexaDoors({ alexa }, { ...options, forwarderSecret, signatures, clock }))
  app.use(answerError(log))
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  for (const camera of options.cameras ?? [frontDoor, garden]) await cameras.put(camera, cameraKey)

  return {
    amazon,
    alexa,
    broker,
    cameras,
    events,
    visits,
    lines,
    notices,
    offers,
    outbox,
    store,
    url,
    /** By what names the broker came to the camera. */
    viewers,
    warmed,
    setOnline: (value: boolean) => void (online = value),
    /** Posts an event with the camera's key. */
    tell: async (event: object, camera = 'front-door', headers: Record<string, string> = {}) =>
      conforming(
        'POST',
        await fetch(`${url}/cameras/${camera}/events`, {
          method: 'POST',
          headers: { authorization: `Bearer ${cameraKey}`, ...headers },
          body: JSON.stringify(event),
        }),
      ),
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      await broker.close()
      await outbox.close()
      await store.close()
      await amazon[Symbol.asyncDispose]()
    },
  }
}

/** As much of an answer as the flows look at; `payload` is what Alexa reads. */
export interface Reply {
  readonly context: { readonly properties: readonly unknown[] }
  readonly event: {
    readonly header: { readonly name: string }
    readonly payload: {
      readonly type: string
      readonly endpoints: readonly unknown[]
      readonly answer: { readonly value: string }
      readonly value: object
      readonly cameraStreams: readonly { readonly protocol: string }[]
    }
  }
  readonly response: { readonly outputSpeech: { readonly ssml: string } }
}

export type House = Awaited<ReturnType<typeof openHouse>>
/** `namespace/name` of each event that the gateway took. */
export const namesOf = ({ amazon }: House) =>
  amazon.events.map(({ event: { header } }) => `${header.namespace}/${header.name}`)

const ownerAlone = async (camera: Camera): Promise<readonly Camera[]> => [camera]
