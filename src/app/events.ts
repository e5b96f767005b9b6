/** What cameras say: kept, and handed to the assistants' outbox; durable before the camera is answered. */
import type { Outgoing, Outbox } from '../outbox/outbox.ts'
import type { AccountId, Camera, CameraNews, CameraState, Clock, Log, Store } from '../ports.ts'

/** What one assistant is to be told of it; nothing when the account is not linked with it. */
export type Translate = (camera: Camera, news: CameraNews) => Promise<readonly Outgoing[]> | readonly Outgoing[]

export interface Visit {
  /** Epoch milliseconds. */
  readonly at: number
}

export interface Events {
  /** Resolves when the news is durable; the same news again is once. Rejects when the store does. */
  receive(camera: Camera, news: CameraNews): Promise<void>
  /** The camera left a picture, taken at `at`. */
  pictured(camera: Camera, at: number): Promise<void>
  /** Presses from `since` on, newest first. */
  visits(camera: Camera, since: number): Promise<readonly Visit[]>
  /** Until then presses are kept, but nobody is told. In the past: they are told again. */
  mute(accountId: AccountId, until: number): Promise<void>
  /** When the account hears its doorbells again; undefined when it does. */
  mutedUntil(accountId: AccountId): Promise<number | undefined>
}

const keptMs = 30 * 24 * 3_600_000
/** Nobody stands at the door any more. */
const staleMs = 30_000
const page = 100

export function createEvents(deps: {
  readonly store: Store
  readonly outbox: Pick<Outbox, 'add'>
  readonly translate: readonly Translate[]
  /** The camera as each account sees it that may see it: the owner's first. */
  readonly audience: (camera: Camera) => Promise<readonly Camera[]>
  /** Fetches ahead what a view of the camera will need. */
  readonly warm: (camera: Camera) => void
  /** Told of everything that is new, once it is kept; must not throw. */
  readonly onNews?: (camera: Camera, news: CameraNews | { readonly kind: 'pictured'; readonly at: number }) => void
  readonly clock: Clock
  readonly log: Log
}): Events {
  const { store, clock, log } = deps
  const presses = store.collection<Visit & { readonly cameraId: string }>('press')
  const states = store.collection<CameraState>('camera-state')
  const mutes = store.collection<{ readonly until: number }>('mute')

  async function tell(camera: Camera, news: CameraNews): Promise<void> {
    const told = await Promise.all(
      (await deps.audience(camera)).map(async (theirs) => {
        const outgoing = (await Promise.all(deps.translate.map(async (translate) => translate(theirs, news)))).flat()
        // What a guest is told is another message than the owner's.
        const isGuest = theirs.accountId !== camera.accountId
        return isGuest ? outgoing.map((entry) => ({ ...entry, id: `${entry.id} for ${theirs.accountId}` })) : outgoing
      }),
    )
    await deps.outbox.add(told.flat())
  }

  async function press(camera: Camera, news: CameraNews & { readonly kind: 'press' | 'person' }): Promise<void> {
    const { eventId, at } = news
    const now = clock()
    const isFresh = now - at < staleMs
    // Somebody will want to look in a moment.
    if (isFresh) deps.warm(camera)
    const until = await mutedUntil(camera.accountId)
    // Told and kept side by side: the outbox knows an event by its id, so a repetition after a failure does no harm.
    const [isNew] = await Promise.all([
      presses.put(
        `${camera.id}#${eventId}`,
        { cameraId: camera.id, at },
        { onlyIf: 'absent', group: camera.id, expiresAt: now + keptMs },
      ),
      isFresh && until === undefined ? tell(camera, news) : undefined,
    ])
    if (isNew !== undefined && news.kind === 'press') {
      // For who looks at the list of cameras: no reason to have the camera say it again.
      const noted = (state: CameraState) => ((state.press?.at ?? -1) > at ? state : { ...state, press: { at } })
      await update(camera, noted).catch((error: unknown) =>
        log('warn', 'press not noted', { camera: camera.id, error }),
      )
    }
    if (isNew !== undefined) deps.onNews?.(camera, news)
    log('info', 'press', {
      camera: camera.id,
      eventId,
      isNew: isNew !== undefined,
      isFresh,
      isMuted: until !== undefined,
      delayMs: now - at,
    })
  }

  async function update(camera: Camera, change: (state: CameraState) => CameraState): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const stored = await states.get(camera.id)
      const before = stored?.value ?? {}
      const after = change(before)
      if (after === before) return
      const onlyIf = stored ? { version: stored.version } : 'absent'
      if ((await states.put(camera.id, after, { onlyIf })) !== undefined) return
    }
    log('warn', 'camera state update lost', { camera: camera.id })
  }

  async function mutedUntil(accountId: AccountId): Promise<number | undefined> {
    return (await mutes.get(accountId))?.value.until
  }

  return {
    async receive(camera, given) {
      // A camera whose clock runs ahead does not know the future.
      const news = { ...given, at: Math.min(given.at, clock()) }
      switch (news.kind) {
        case 'press':
          return press(camera, news)
        case 'motion': {
          const { isDetected, at } = news
          await update(camera, (state) =>
            (state.motion?.at ?? -1) > at ? state : { ...state, motion: { isDetected, at } },
          )
          return tell(camera, news)
        }
        case 'battery': {
          const { level, at } = news
          await update(camera, (state) =>
            (state.battery?.at ?? -1) > at ? state : { ...state, battery: { level, at } },
          )
          return tell(camera, news)
        }
        case 'switch': {
          const { isOn, at } = news
          await update(camera, (state) => ((state.switch?.at ?? -1) > at ? state : { ...state, switch: { isOn, at } }))
          return tell(camera, news)
        }
        case 'sensor': {
          const { kind: _, name, ...measured } = news
          // What it does not have is not kept: names come from outside.
          if (camera.sensors?.some((sensor) => sensor.name === name) !== true) return
          await update(camera, (state) =>
            (state.sensors?.[name]?.at ?? -1) > measured.at
              ? state
              : { ...state, sensors: { ...state.sensors, [name]: measured } },
          )
          return tell(camera, news)
        }
        case 'person':
          return tell(camera, news)
        case 'online':
        case 'changed':
        case 'removed':
          deps.onNews?.(camera, news)
          return tell(camera, news)
      }
    },
    async pictured(camera, at) {
      await update(camera, (state) => ({ ...state, snapshot: { at } }))
      deps.onNews?.(camera, { kind: 'pictured', at })
    },
    async visits(camera, since) {
      const found: Visit[] = []
      let after: string | undefined
      do {
        const more = await presses.list(camera.id, { limit: page, ...(after !== undefined && { after }) })
        found.push(...more.map(({ value }) => value).filter(({ at }) => at >= since))
        after = more.length === page ? more.at(-1)?.id : undefined
      } while (after !== undefined)
      return found.sort((one, other) => other.at - one.at)
    },
    async mute(accountId, until) {
      if (until <= clock()) await mutes.remove(accountId)
      else await mutes.put(accountId, { until }, { expiresAt: until })
    },
    mutedUntil,
  }
}
