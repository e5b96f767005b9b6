/** What an ONVIF camera notices: by a subscription that is kept, renewed and ended (ONVIF Core section 9). */
import { pause } from 'transom-core/deadline'
import { SourceError } from '../media.ts'
import { atSameHost, type Device } from './device.ts'
import { openListener } from './listener.ts'
import { createReader, type Notice } from './notices.ts'
import { addressing } from './soap.ts'
import { childrenOf, escapeXml, find, textAt, type Element } from './xml.ts'

/** What the camera is asked to keep the subscription for, and when it is asked again. */
const termination = 'PT120S'
const renewEachMs = 40_000
/** How long the camera may hold an answer back while nothing happens. */
const pullS = 20
const pullMarginMs = 10_000
const farewellMs = 2_000
/** A camera that answers at once, and always with nothing, is not asked more often. */
const shortestPullMs = 250

const ns = 'http://www.onvif.org/ver10/events/wsdl'
const wsnt = 'http://docs.oasis-open.org/wsn/b-2'
const wsntActions = 'http://docs.oasis-open.org/wsn/bw-2'
const actions = {
  create: `${ns}/EventPortType/CreatePullPointSubscriptionRequest`,
  pull: `${ns}/PullPointSubscription/PullMessagesRequest`,
  subscribe: `${wsntActions}/NotificationProducer/SubscribeRequest`,
  renew: `${wsntActions}/SubscriptionManager/RenewRequest`,
  unsubscribe: `${wsntActions}/SubscriptionManager/UnsubscribeRequest`,
} as const

export interface EventsFollower {
  readonly onNotice: (notice: Notice) => void
  /** The camera has accepted a subscription. */
  readonly onSubscribed?: () => void
}

/**
 * Subscribes, and reads until the signal aborts, when it unsubscribes and returns, or until the subscription breaks: by a pull
 * point, and where the camera has none by having it notify us. Throws `SourceError`.
 */
export async function followEvents(device: Device, follower: EventsFollower, signal: AbortSignal): Promise<void> {
  const { events } = device
  if (events === undefined) throw new SourceError('source_garbled', `${device.label} has no events`)
  try {
    const opened = await openPullPoint(device, events, signal).catch((error: unknown) => {
      // Refused as something that it does not know; whatever else is wrong is wrong with both.
      if (error instanceof SourceError && error.code === 'source_garbled') return undefined
      throw error
    })
    if (opened) await pullFrom(opened, device, follower, signal)
    else await listenTo(device, events, follower, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** A subscription at the camera: its manager, which is asked by the reference that the camera gave. */
interface Subscription {
  ask(action: string, body: string, bounds: AbortSignal, ms?: number): Promise<Element>
  /** Asks for another two minutes, when it is time. */
  renew(signal: AbortSignal): Promise<void>
  /** Never rejects: cameras have room for few subscriptions, and what fails here ends by itself. */
  end(): Promise<void>
}

function subscriptionOf({ soap }: Device, events: string, created: Element): Subscription {
  const reference = find(created, 'SubscriptionReference')
  const to = textAt(reference, 'Address') ?? ''
  const url = atSameHost(to, new URL(events))
  // WS-Addressing 1.0 SOAP binding section 2.2: what the reference holds comes back as headers, as it was.
  const parameters = (find(reference, 'ReferenceParameters')?.children ?? []).map(writeParameter).join('')
  let renewAt = performance.now() + renewEachMs
  const ask: Subscription['ask'] = (action, body, bounds, ms) =>
    soap.call(
      { url, action, body, headers: addressing(action, to, parameters), ...(ms !== undefined && { ms }) },
      bounds,
    )
  return {
    ask,
    async renew(signal) {
      if (performance.now() < renewAt) return
      renewAt = performance.now() + renewEachMs
      await ask(
        actions.renew,
        `<Renew xmlns="${wsnt}"><TerminationTime>${termination}</TerminationTime></Renew>`,
        signal,
      )
    },
    async end() {
      const bounds = AbortSignal.timeout(farewellMs)
      await ask(actions.unsubscribe, `<Unsubscribe xmlns="${wsnt}"/>`, bounds).catch(() => undefined)
    },
  }
}

async function openPullPoint(device: Device, events: string, signal: AbortSignal): Promise<Subscription> {
  const body = `<CreatePullPointSubscription xmlns="${ns}"><InitialTerminationTime>${termination}</InitialTerminationTime></CreatePullPointSubscription>`
  const headers = addressing(actions.create, events)
  const created = await device.soap.call({ url: events, action: actions.create, body, headers }, signal)
  return subscriptionOf(device, events, created)
}

async function pullFrom(
  subscription: Subscription,
  device: Device,
  { onNotice, onSubscribed }: EventsFollower,
  signal: AbortSignal,
): Promise<void> {
  const read = createReader()
  const pull = `<PullMessages xmlns="${ns}"><Timeout>PT${pullS}S</Timeout><MessageLimit>100</MessageLimit></PullMessages>`
  try {
    onSubscribed?.()
    while (!signal.aborted) {
      const askedAt = performance.now()
      const answer = await subscription.ask(actions.pull, pull, signal, pullS * 1_000 + pullMarginMs)
      const saidNow = Date.parse(textAt(answer, 'CurrentTime') ?? '')
      const now = Number.isFinite(saidNow) ? saidNow : device.soap.now()
      for (const message of childrenOf(answer, 'NotificationMessage'))
        for (const notice of read(message, now)) onNotice(notice)
      // Some renew by being asked for messages, and know no other way; one that forgets us says so at the next pull.
      await subscription.renew(signal).catch((error: unknown) => {
        if (!(error instanceof SourceError)) throw error
      })
      const early = shortestPullMs - (performance.now() - askedAt)
      if (early > 0) await pause(early, signal)
    }
  } finally {
    await subscription.end()
  }
}

/** WS-BaseNotification 1.3: the camera sends what happens to an address of ours, which it must be able to reach. */
async function listenTo(
  device: Device,
  events: string,
  { onNotice, onSubscribed }: EventsFollower,
  signal: AbortSignal,
): Promise<void> {
  const read = createReader()
  const broken = new AbortController()
  const listener = await openListener(
    new URL(events).hostname,
    (message) => {
      for (const notice of read(message, device.soap.now())) onNotice(notice)
    },
    (error) => broken.abort(error),
  )
  const bounds = AbortSignal.any([signal, broken.signal])
  try {
    const body = `<Subscribe xmlns="${wsnt}"><ConsumerReference><a:Address>${escapeXml(listener.url)}</a:Address></ConsumerReference><InitialTerminationTime>${termination}</InitialTerminationTime></Subscribe>`
    const headers = addressing(actions.subscribe, events)
    const created = await device.soap.call({ url: events, action: actions.subscribe, body, headers }, signal)
    const subscription = subscriptionOf(device, events, created)
    try {
      onSubscribed?.()
      // What is not renewed ends, and nobody would say so: a refusal breaks it here.
      while (await pause(renewEachMs, bounds)) await subscription.renew(signal)
      broken.signal.throwIfAborted()
    } finally {
      await subscription.end()
    }
  } finally {
    await listener.close()
  }
}

/** Its namespace is lost with its prefix; devices find their own parameter by its name. */
const writeParameter = ({ name, text }: Element): string =>
  `<${name} a:IsReferenceParameter="true">${escapeXml(text)}</${name}>`
