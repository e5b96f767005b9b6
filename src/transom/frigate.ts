/** What Frigate says of its cameras by MQTT (`frigate/events`, `frigate/reviews`; 0.14 to 0.16) as news: persons, and motion with its end. */
import * as z from 'zod'
import type { Camera, CameraNews, Clock } from 'transom-core/ports'

const seconds = z.number().nonnegative().nullish()
const names = z.array(z.string()).nullish()
/** What is not needed is not looked at: Frigate adds fields with each version. */
const event = z.object({
  type: z.enum(['new', 'update', 'end']),
  after: z.object({
    id: z.string(),
    camera: z.string(),
    label: z.string(),
    false_positive: z.boolean().nullish(),
    stationary: z.boolean().nullish(),
    entered_zones: names,
    frame_time: seconds,
    start_time: seconds,
  }),
})
const review = z.object({
  type: z.enum(['new', 'update', 'end']),
  after: z.object({
    id: z.string(),
    camera: z.string(),
    start_time: seconds,
    data: z.object({ detections: names, objects: names, zones: names }),
  }),
})

/** A message older than that came late, or of a clock that is wrong. */
const oldestMs = 600_000
/** As many ids are remembered, of persons that were announced. */
const mostAnnounced = 1_000

export interface FrigateNews {
  readonly camera: Camera
  readonly news: CameraNews
}

export interface Frigate {
  /** News of a message on this topic, the part after Frigate's own; `undefined` where it is none of Frigate's messages. */
  read(topic: 'events' | 'reviews', message: unknown): Promise<readonly FrigateNews[] | undefined>
  /** Frigate has gone or begun anew: nothing of before moves any more. */
  restarted(): readonly FrigateNews[]
  /** A camera is new, other than before, or gone. */
  changed(camera: Camera, kind: 'changed' | 'removed'): void
}

/** `cameras`: all that there are, read at the first message and again after a change. */
export function createFrigate(deps: {
  readonly cameras: () => Promise<readonly Camera[]>
  readonly clock: Clock
}): Frigate {
  const { clock } = deps
  /** The cameras by the name that Frigate has for them: it sends several messages a second. */
  let index: Promise<ReadonlyMap<string, readonly Camera[]>> | undefined
  const announced = new Set<string>()
  /** By camera: what moves there now. */
  const moving = new Map<string, { readonly camera: Camera; readonly ids: Set<string> }>()

  async function find(name: string): Promise<readonly Camera[]> {
    const reading = (index ??= deps.cameras().then((all) => Map.groupBy(all, nameOf)))
    try {
      return (await reading).get(name) ?? []
    } catch (error) {
      if (index === reading) index = undefined
      throw error
    }
  }

  const timeOf = (given: number | null | undefined): number => {
    const at = Math.round((given ?? 0) * 1_000)
    return Math.abs(clock() - at) < oldestMs ? at : clock()
  }

  /** Once for each object, whichever of the two topics names it first. */
  function personOf(camera: Camera, ids: readonly string[], at: number): readonly FrigateNews[] {
    const keys = ids.map((id) => `${camera.id} ${id}`)
    const isKnown = keys.some((key) => announced.has(key))
    for (const key of keys) announced.add(key)
    for (const key of announced) {
      if (announced.size <= mostAnnounced) break
      announced.delete(key)
    }
    const [first] = ids
    return isKnown || first === undefined ? [] : [{ camera, news: { kind: 'person', eventId: eventIdOf(first), at } }]
  }

  function motionOf(camera: Camera, id: string, isOn: boolean, at: number): readonly FrigateNews[] {
    const place = moving.get(camera.id) ?? { camera, ids: new Set<string>() }
    const wasOn = place.ids.size > 0
    if (isOn) place.ids.add(id)
    else place.ids.delete(id)
    if (place.ids.size > 0) moving.set(camera.id, place)
    else moving.delete(camera.id)
    const isNow = place.ids.size > 0
    // What ends may have begun before this process did.
    if (isNow === wasOn && (isNow || isOn)) return []
    const news = { kind: 'motion', isDetected: isNow, eventId: `${eventIdOf(id)}${isNow ? '' : '-end'}`, at } as const
    return [{ camera, news }]
  }

  async function readEvent({ type, after }: z.infer<typeof event>): Promise<readonly FrigateNews[]> {
    const { id, label, false_positive: isFalse, stationary: isStill, entered_zones: zones } = after
    const at = timeOf(after.frame_time ?? after.start_time)
    return (await find(after.camera)).flatMap((camera) => {
      const counts = isFalse !== true && isIn(camera, zones)
      const isOver = type === 'end' || isStill === true || !counts
      // Of what never counted there is no end to tell.
      const motion = isOver && !isMoving(camera, id) && !counts ? [] : motionOf(camera, id, !isOver, at)
      return [...(counts && label === 'person' ? personOf(camera, [id], at) : []), ...motion]
    })
  }
  async function readReview({ type, after }: z.infer<typeof review>): Promise<readonly FrigateNews[]> {
    const { id, data } = after
    const at = type === 'new' ? timeOf(after.start_time) : clock()
    const hasPerson = data.objects?.some((one) => one === 'person' || one === 'person-verified') === true
    const ids = data.detections?.length ? data.detections : [id]
    return (await find(after.camera)).flatMap((camera) => {
      if (!isIn(camera, data.zones)) return isMoving(camera, id) ? motionOf(camera, id, false, at) : []
      return [...(hasPerson ? personOf(camera, ids, at) : []), ...motionOf(camera, id, type !== 'end', at)]
    })
  }
  const isMoving = (camera: Camera, id: string) => moving.get(camera.id)?.ids.has(id) === true

  return {
    async read(topic, message) {
      if (topic === 'events') {
        const parsed = event.safeParse(message)
        return parsed.success ? readEvent(parsed.data) : undefined
      }
      const parsed = review.safeParse(message)
      return parsed.success ? readReview(parsed.data) : undefined
    },
    restarted() {
      const still = [...moving.values()]
      moving.clear()
      return still.map(({ camera, ids: [id = 'none'] }) => ({
        camera,
        news: { kind: 'motion', isDetected: false, eventId: `${eventIdOf(id)}-end`, at: clock() },
      }))
    },
    changed({ id }, kind) {
      index = undefined
      if (kind === 'removed') moving.delete(id)
    },
  }
}

const nameOf = ({ id, frigate }: Camera): string => frigate?.camera ?? id

const isIn = ({ frigate }: Camera, zones: readonly string[] | null | undefined): boolean =>
  frigate?.zones === undefined || frigate.zones.some((zone) => zones?.includes(zone) === true)

/** `1607123955.475377-mxklsc`, as the camera's events may be named. */
const eventIdOf = (id: string): string => `frigate-${id.replace(/[^\w.-]/g, '_').slice(0, 100)}`
