/** What cameras say: kept, and handed to the assistants' outbox; durable before the camera is answered. */
import { BridgeError } from 'transom-core/errors'
import type { Outgoing, Outbox } from '../outbox/outbox.ts'
import type { Camera, CameraNews, Clock, Log, Store } from 'transom-core/ports'
import { happenedAt } from './clock.ts'
import { createPace, restMs } from './pace.ts'
import type { CameraStates } from './states.ts'
import { createVisits, type KeptPress, type Visits } from './visits.ts'

/** What one assistant is to be told of it; nothing when the account is not linked with it. */
export type Translate = (camera: Camera, news: CameraNews) => Promise<readonly Outgoing[]> | readonly Outgoing[]

export interface Events extends Visits {
  /**
   * Resolves when the news is durable; the same news again is once. Rejects when the store does, and with `rate_limited` where
   * the camera says more than anybody could hear. `sentAt`: when it was sent,
   * by the clock that `at` is of.
   */
  receive(camera: Camera, news: CameraNews, sentAt?: number): Promise<void>
  /** For one account alone a camera, as that account sees it, has come or is other than before, or has gone. */
  seenOtherwise(camera: Camera, kind: 'changed' | 'removed'): Promise<void>
  /** The camera left a picture, taken at `at`. */
  pictured(camera: Camera, at: number): Promise<void>
}

type Press = Extract<CameraNews, { readonly kind: 'press' | 'person' }>

const keptMs = 30 * 24 * 3_600_000
/** Nobody stands at the door any more. */
const staleMs = 30_000
const newsRetryMs = 1_000
/** What a camera says itself, as often as it likes; the other news are the bridge's own. */
const isOfCamera = (kind: CameraNews['kind']) => kind !== 'online' && kind !== 'changed' && kind !== 'removed'

export function createEvents(deps: {
  readonly store: Store
  readonly states: CameraStates
  readonly outbox: Pick<Outbox, 'add'>
  readonly translate: readonly Translate[]
  /** The camera as each account sees it that may see it: the owner's first. */
  readonly audience: (camera: Camera) => Promise<readonly Camera[]>
  /** Fetches ahead what a view of the camera will need. */
  readonly warm: (camera: Camera) => void
  /** Told of everything that is new, once it is kept; must not throw. */
  readonly onNews?: (camera: Camera, news: CameraNews | { readonly kind: 'pictured'; readonly at: number }) => void
  /** Its button rings without a pause: said once, and it is not heard until it has been quiet for a minute. */
  readonly onStuck?: (camera: Camera) => void
  readonly clock: Clock
  readonly log: Log
}): Events {
  const { store, states, clock, log } = deps
  const presses = store.collection<KeptPress>('press')
  const kept = createVisits(store, clock)

  const pace = createPace(clock)

  function admit(camera: Camera, kind: CameraNews['kind']): void {
    const verdict = pace.admit(camera.id, kind)
    if (verdict === 'admitted') return
    if (verdict === 'stuck') deps.onStuck?.(camera)
    const isStuck = verdict !== 'too-often'
    const message = isStuck ? 'the button seems stuck: it is heard again after a minute of quiet' : 'too many events'
    throw new BridgeError('rate_limited', message, { retryAfterMs: isStuck ? restMs : newsRetryMs })
  }

  async function tell(camera: Camera, news: CameraNews): Promise<void> {
    const told = await Promise.all(
      (await deps.audience(camera)).map(async (theirs) => {
        // Everybody's own quiet.
        if (news.kind === 'press' && (await kept.mutedUntil(theirs.accountId)) !== undefined) return []
        const outgoing = await translated(theirs, news)
        // What a guest is told is another message than the owner's.
        const isGuest = theirs.accountId !== camera.accountId
        return isGuest ? outgoing.map((entry) => ({ ...entry, id: `${entry.id} for ${theirs.accountId}` })) : outgoing
      }),
    )
    await deps.outbox.add(told.flat())
  }

  async function translated(theirs: Camera, news: CameraNews): Promise<readonly Outgoing[]> {
    return (await Promise.all(deps.translate.map(async (translate) => translate(theirs, news)))).flat()
  }

  async function press(camera: Camera, news: Press): Promise<void> {
    const { eventId, at } = news
    const now = clock()
    const isFresh = now - at < staleMs
    // Somebody will want to look in a moment.
    if (isFresh) deps.warm(camera)
    // Told and kept side by side: the outbox knows an event by its id, so a repetition after a failure does no harm.
    const [isNew] = await Promise.all([
      presses.put(
        `${camera.id}#${eventId}`,
        { cameraId: camera.id, at },
        { onlyIf: 'absent', group: camera.id, expiresAt: now + keptMs },
      ),
      isFresh ? tell(camera, news) : undefined,
    ])
    if (isNew !== undefined && news.kind === 'press') {
      // For who looks at the list of cameras: no reason to have the camera say it again.
      await states
        .note(camera, { kind: 'press', at })
        .catch((error: unknown) => log('warn', 'press not noted', { camera: camera.id, error }))
    }
    if (isNew !== undefined) deps.onNews?.(camera, news)
    log('info', 'press', {
      camera: camera.id,
      eventId,
      isNew: isNew !== undefined,
      isFresh,
      delayMs: now - at,
    })
  }

  /** By our clock it happened when we first heard of it: told again later, it is no newer. */
  async function asFirstHeard(camera: Camera, news: Press): Promise<Press> {
    const known = await presses.get(`${camera.id}#${news.eventId}`)
    return known ? { ...news, at: known.value.at } : news
  }

  async function forget(camera: Camera): Promise<void> {
    await states.forget(camera)
    for (;;) {
      const some = await presses.list(camera.id)
      if (some.length === 0) return
      await Promise.all(some.map(({ id }) => presses.remove(id)))
    }
  }

  return {
    async receive(camera, given, sentAt) {
      if (isOfCamera(given.kind)) admit(camera, given.kind)
      const news = { ...given, at: happenedAt(given.at, sentAt, clock()) }
      switch (news.kind) {
        case 'press':
          return press(camera, news.at > given.at ? await asFirstHeard(camera, news) : news)
        case 'sensor':
          // What it does not have is not kept: names come from outside.
          if (camera.sensors?.some(({ name }) => name === news.name) !== true) return
          await states.note(camera, news)
          return tell(camera, news)
        case 'motion':
        case 'battery':
        case 'switch':
          await states.note(camera, news)
          return tell(camera, news)
        case 'person':
          return tell(camera, news)
        case 'online':
        case 'changed':
          deps.onNews?.(camera, news)
          return tell(camera, news)
        case 'removed':
          deps.onNews?.(camera, news)
          // Its id may be given to somebody else's camera.
          await forget(camera)
          return tell(camera, news)
      }
    },
    seenOtherwise: async (camera, kind) => deps.outbox.add(await translated(camera, { kind, at: clock() })),
    async pictured(camera, at) {
      await states.note(camera, { kind: 'pictured', at })
      deps.onNews?.(camera, { kind: 'pictured', at })
    },
    ...kept,
  }
}
