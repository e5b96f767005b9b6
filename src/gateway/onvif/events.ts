/** What an ONVIF camera notices: pulled from it by a subscription that is kept, renewed and ended (ONVIF Core section 9.2). */
import { pause } from 'transom-core/deadline'
import { SourceError } from '../media.ts'
import { atSameHost, type Device } from './device.ts'
import { addressing } from './soap.ts'
import { meaningsOf, pathOf, type Meaning } from './topics.ts'
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
/** Distinct sources of one camera; a name that comes from outside makes no memory grow without end. */
const maxStates = 1_000

const ns = 'http://www.onvif.org/ver10/events/wsdl'
const wsnt = 'http://docs.oasis-open.org/wsn/b-2'
const actions = {
  create: `${ns}/EventPortType/CreatePullPointSubscriptionRequest`,
  pull: `${ns}/PullPointSubscription/PullMessagesRequest`,
  renew: 'http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/RenewRequest',
  unsubscribe: 'http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/UnsubscribeRequest',
} as const

/** `press`, `person`: it happened. `motion`: it began or ended; one that only happened has no end of its own. */
export type Notice =
  | { readonly means: 'press' | 'person' | 'input' }
  | { readonly means: 'motion'; readonly isOn: boolean; readonly isMoment: boolean }

/**
 * Subscribes, and reads until the signal aborts, when it unsubscribes and returns, or until the subscription breaks. What was
 * so before it began is no event. Throws `SourceError`.
 */
export async function followEvents(
  device: Device,
  onNotice: (notice: Notice) => void,
  signal: AbortSignal,
): Promise<void> {
  const { events, soap } = device
  if (events === undefined) throw new SourceError('source_garbled', `${device.label} has no events`)
  const created = await soap.call(
    {
      url: events,
      action: actions.create,
      body: `<CreatePullPointSubscription xmlns="${ns}"><InitialTerminationTime>${termination}</InitialTerminationTime></CreatePullPointSubscription>`,
      headers: addressing(actions.create, events),
    },
    signal,
  )
  const reference = find(created, 'SubscriptionReference')
  const to = textAt(reference, 'Address') ?? ''
  const url = atSameHost(to, new URL(events))
  // WS-Addressing 1.0 SOAP binding section 2.2: what the reference holds comes back as headers, as it was.
  const parameters = (find(reference, 'ReferenceParameters')?.children ?? []).map(writeParameter).join('')
  const ask = (action: string, body: string, bounds: AbortSignal, ms?: number) =>
    soap.call(
      { url, action, body, headers: addressing(action, to, parameters), ...(ms !== undefined && { ms }) },
      bounds,
    )

  const read = createReader()
  let renewAt = performance.now() + renewEachMs
  try {
    while (!signal.aborted) {
      const askedAt = performance.now()
      const pull = `<PullMessages xmlns="${ns}"><Timeout>PT${pullS}S</Timeout><MessageLimit>100</MessageLimit></PullMessages>`
      const answer = await ask(actions.pull, pull, signal, pullS * 1_000 + pullMarginMs)
      for (const message of childrenOf(answer, 'NotificationMessage'))
        for (const notice of read(message)) onNotice(notice)
      if (performance.now() >= renewAt) {
        const renew = `<Renew xmlns="${wsnt}"><TerminationTime>${termination}</TerminationTime></Renew>`
        // Some renew by being asked for messages, and know no other way; one that forgets us says so at the next pull.
        await ask(actions.renew, renew, signal).catch((error: unknown) => {
          if (!(error instanceof SourceError)) throw error
        })
        renewAt = performance.now() + renewEachMs
      }
      const early = shortestPullMs - (performance.now() - askedAt)
      if (early > 0) await pause(early, signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    // Cameras have room for few subscriptions. What fails here ends by itself.
    await ask(actions.unsubscribe, `<Unsubscribe xmlns="${wsnt}"/>`, AbortSignal.timeout(farewellMs)).catch(
      () => undefined,
    )
  }
}

/** Its namespace is lost with its prefix; devices find their own parameter by its name. */
const writeParameter = ({ name, text }: Element): string =>
  `<${name} a:IsReferenceParameter="true">${escapeXml(text)}</${name}>`

const words: Readonly<Record<string, boolean>> = {
  true: true,
  1: true,
  on: true,
  active: true,
  trigger: true,
  false: false,
  0: false,
  off: false,
  inactive: false,
  normal: false,
}

/** Tells what is new from what is said again. */
function createReader(): (message: Element) => readonly Notice[] {
  const states = new Map<string, boolean>()

  return (message) => {
    const topic = textAt(message, 'Topic') ?? ''
    const event = find(message, 'Message', 'Message')
    // Properties are told of at the start as they are then; presses are none of these.
    const isKnown = event?.attributes.get('PropertyOperation') === 'Initialized'
    const source = itemsOf(find(event, 'Source')).map(([name, value]) => `${name}=${value}`)
    const data = new Map(itemsOf(find(event, 'Data')))
    return meaningsOf(topic).flatMap(({ item, means }) => {
      const said = item === undefined ? undefined : (data.get(item) ?? data.get('State'))
      const isOn = words[said?.trim().toLowerCase() ?? '']
      if (item === undefined || (isOn === undefined && said === undefined && data.size === 0))
        return isKnown ? [] : [noticeOf(means, true, true)]
      if (isOn === undefined) return []
      const id = [pathOf(topic), item, ...source].join(' ')
      const before = states.get(id)
      if (before !== undefined || states.size < maxStates) states.set(id, isOn)
      if (before === isOn || (isKnown && means !== 'motion')) return []
      return isOn || means === 'motion' ? [noticeOf(means, isOn, false)] : []
    })
  }
}

const noticeOf = (means: Meaning, isOn: boolean, isMoment: boolean): Notice =>
  means === 'motion' ? { means, isOn, isMoment } : { means }

const itemsOf = (element: Element | undefined): (readonly [string, string])[] =>
  childrenOf(element, 'SimpleItem').map(({ attributes }) => [
    attributes.get('Name') ?? '',
    attributes.get('Value') ?? '',
  ])
