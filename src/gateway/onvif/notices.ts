/** Messages of an ONVIF device as what they mean: what is new in them, told from what is said again. */
import { createHash, randomUUID } from 'node:crypto'
import { meaningsOf, pathOf, type Meaning } from './topics.ts'
import { childrenOf, find, textAt, type Element } from './xml.ts'

/** Something that the camera noticed. */
export interface Notice {
  readonly means: Meaning
  /** Its topic, item and source: two that are one event come from different ones, beginning and end from the same. */
  readonly from: string
  /** Of a motion: it began or ended. Of all else it happened, and this is true. */
  readonly isOn: boolean
  /** It has no end of its own. */
  readonly isMoment: boolean
  /** The same for the same message, however often and on whatever subscription it comes: 32 of `a-z0-9-`, or more. */
  readonly id: string
  /** How long ago it happened, milliseconds; 0 where the camera's time makes no sense. */
  readonly ageMs: number
}

/** Distinct sources of one camera; a name that comes from outside makes no memory grow without end. */
const maxStates = 1_000
/** No subscription keeps a message for longer: a greater age is that of a clock that is wrong, or in another time zone. */
const oldestMs = 180_000

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

/**
 * Reads `wsnt:NotificationMessage`s of one subscription. `now` is the camera's clock when they came, in epoch milliseconds. What
 * was so before the subscription began is no event, but a motion that goes on.
 */
export function createReader(): (message: Element, now: number) => readonly Notice[] {
  const states = new Map<string, boolean>()

  return (message, now) => {
    const topic = textAt(message, 'Topic') ?? ''
    const event = find(message, 'Message', 'Message')
    // Properties are told of at the start as they are then; presses are none of these.
    const isKnown = event?.attributes.get('PropertyOperation') === 'Initialized'
    const source = itemsOf(find(event, 'Source')).map(([name, value]) => `${name}=${value}`)
    const data = new Map(itemsOf(find(event, 'Data')))
    const time = event?.attributes.get('UtcTime') ?? ''
    const age = now - Date.parse(time)
    // A clock that stands still would make all presses one.
    const hasTime = age > -oldestMs && age <= oldestMs
    return meaningsOf(topic).flatMap(({ item, means }): readonly Notice[] => {
      const said = item === undefined ? undefined : (data.get(item) ?? data.get('State'))
      const isOn = words[said?.trim().toLowerCase() ?? '']
      const from = [pathOf(topic), item ?? '', ...source].join(' ')
      const notice = {
        means,
        from,
        id: hasTime ? hashOf(from, said ?? '', time) : randomUUID(),
        ageMs: hasTime ? Math.max(0, age) : 0,
      }
      if (item === undefined || (isOn === undefined && said === undefined && data.size === 0))
        return isKnown ? [] : [{ ...notice, isOn: true, isMoment: true }]
      if (isOn === undefined) return []
      const before = states.get(from)
      if (before !== undefined || states.size < maxStates) states.set(from, isOn)
      if (before === isOn || (isKnown && means !== 'motion')) return []
      return isOn || means === 'motion' ? [{ ...notice, isOn, isMoment: false }] : []
    })
  }
}

const hashOf = (...parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32)

const itemsOf = (element: Element | undefined): (readonly [string, string])[] =>
  childrenOf(element, 'SimpleItem').map(({ attributes }) => [
    attributes.get('Name') ?? '',
    attributes.get('Value') ?? '',
  ])
