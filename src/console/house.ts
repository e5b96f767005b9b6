/** What the page knows of the bridge, kept right by its stream of events. */
import { signal, type ReadonlySignal } from '@preact/signals'
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Sessions, StreamEvent } from 'transom-core/wire/api'
import type { Api, Camera, Me, Session, SessionRow } from './api.ts'
import { createBell, type Bell, type Press } from './bell.ts'
import type { SignIn } from './sign-in.ts'
import { followTogether, type Browser } from './together.ts'
import { inOrder } from './wall.ts'

export interface House {
  readonly api: Api
  readonly signIn: SignIn
  readonly me: Me
  /** Undefined until they are known. */
  readonly cameras: ReadonlySignal<readonly Camera[] | undefined>
  /** The newest of them, newest first. */
  readonly sessions: ReadonlySignal<readonly SessionRow[] | undefined>
  /** All that began then or later are among them. */
  readonly sessionsSince: ReadonlySignal<number>
  /** The last press that came while the page was open. */
  readonly press: ReadonlySignal<Press | undefined>
  /** What of it concerns who looks at this page. */
  readonly bell: Bell
  /** Whether the bridge is heard. */
  readonly isUp: ReadonlySignal<boolean>
  /** By the bridge's clock, as all instants it tells. Moves every few seconds, for relative times. */
  readonly now: ReadonlySignal<number>
  /** Returns how to stop. */
  on<Name extends keyof Told>(name: Name, listener: (told: Told[Name]) => void): () => void
  reload(): Promise<void>
}

/** What passes through the page and is not kept: the stream's events by name. */
export type Told = { readonly [Name in StreamEvent['event']]: Extract<StreamEvent, { readonly event: Name }>['data'] }

const tickMs = 5_000
/** Enough to know what goes on now, and who came to a display after the last presses. */
const mostSessions = 100

export const HouseContext = createContext<House | undefined>(undefined)

export function useHouse(): House {
  const house = useContext(HouseContext)
  if (house === undefined) throw new Error('this part of the page needs a house')
  return house
}

/** Lives as long as the page. */
export function openHouse(api: Api, signIn: SignIn, me: Me, browser: Browser): House {
  const cameras = signal<readonly Camera[] | undefined>(undefined)
  const sessions = signal<readonly SessionRow[] | undefined>(undefined)
  const sessionsSince = signal(Infinity)
  const press = signal<Press | undefined>(undefined)
  const isUp = signal(true)
  const now = signal(Date.now())
  const listeners = new Map<string, Set<(told: never) => void>>()
  /** What changes lists while they are on their way: they may be older. */
  const meanwhile = new Set<(() => void)[]>()
  /** This device's clock may be hours off, and may be set at any time. */
  let heard = { at: Date.now(), by: performance.now() }
  const tick = (): void => void (now.value = Math.round(heard.at + performance.now() - heard.by))
  setInterval(tick, tickMs)

  function takeSessions({ sessions: rows, next }: Sessions): void {
    sessions.value = rows
    sessionsSince.value = next === undefined ? 0 : (rows.at(-1)?.startedAt ?? Infinity)
  }

  async function reload(): Promise<void> {
    const changes: (() => void)[] = []
    meanwhile.add(changes)
    try {
      // Cameras do not wait for sessions, of which there may be many.
      const both = await Promise.allSettled([
        api.cameras().then((all) => keep(() => (cameras.value = inOrder(all)))),
        api.sessions({}, { limit: mostSessions }).then((page) => keep(() => takeSessions(page))),
      ])
      const failed = both.find((one) => one.status === 'rejected')
      if (failed) throw failed.reason
    } finally {
      meanwhile.delete(changes)
    }

    function keep(set: () => void): void {
      set()
      for (const change of changes) change()
    }
  }

  const handlers: { readonly [Name in keyof Told]?: (data: Told[Name]) => void } = {
    // What happened between two streams is in the lists.
    hello: ({ at }) => {
      heard = { at, by: performance.now() }
      reload().catch(() => undefined)
    },
    camera: (camera) => {
      const others = (cameras.value ?? []).filter(({ id }) => id !== camera.id)
      cameras.value = inOrder([...others, camera])
    },
    'camera-removed': ({ id }) => {
      cameras.value = (cameras.value ?? []).filter((camera) => camera.id !== id)
    },
    press: (one) => {
      press.value = one
      cameras.value = cameras.value?.map((camera) =>
        camera.id === one.cameraId ? { ...camera, lastPressAt: one.at } : camera,
      )
    },
    session: (session) => {
      sessions.value = withRow(sessions.value ?? [], session)
    },
  }
  followTogether(
    api,
    { path: '/api/stream', name: `transom ${me.login}` },
    ({ event, data }) => {
      const told = JSON.parse(data) as never
      const change = (): void => handlers[event as keyof Told]?.(told)
      change()
      tick()
      if (event !== 'hello') for (const changes of meanwhile) changes.push(change)
      for (const listener of listeners.get(event) ?? []) listener(told)
    },
    (up) => (isUp.value = up),
    browser,
  )
  return {
    api,
    bell: createBell({ press, now }, browser.memory),
    signIn,
    me,
    cameras,
    sessions,
    sessionsSince,
    press,
    isUp,
    now,
    reload,
    on(name, listener) {
      const set = listeners.get(name) ?? new Set()
      listeners.set(name, set.add(listener))
      return () => void set.delete(listener)
    },
  }
}

/** A session that changes is mostly the first or one of the first. */
export function withRow(rows: readonly SessionRow[], { timeline: _timeline, ...row }: Session): readonly SessionRow[] {
  const index = rows.findIndex(({ id }) => id === row.id)
  if (index >= 0) return rows.with(index, row)
  return [row, ...rows]
}
