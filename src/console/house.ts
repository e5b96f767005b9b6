/** What the page knows of the bridge, kept right by its stream of events. */
import { signal, type ReadonlySignal } from '@preact/signals'
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Api, Camera, Me, Session, SessionRow } from './api.ts'
import { follow } from './follow.ts'
import type { SignIn } from './sign-in.ts'

export interface House {
  readonly api: Api
  readonly signIn: SignIn
  readonly me: Me
  /** Undefined until they are known. */
  readonly cameras: ReadonlySignal<readonly Camera[] | undefined>
  /** Newest first. */
  readonly sessions: ReadonlySignal<readonly SessionRow[] | undefined>
  /** The last press that came while the page was open. */
  readonly press: ReadonlySignal<Press | undefined>
  /** Whether the bridge is heard. */
  readonly isUp: ReadonlySignal<boolean>
  /** Moves every few seconds, for relative times. */
  readonly now: ReadonlySignal<number>
  /** Each whole session as it changes. */
  onSession(listener: (session: Session) => void): () => void
  reload(): Promise<void>
}

export interface Press {
  readonly cameraId: string
  readonly eventId: string
  readonly at: number
}

const tickMs = 5_000
/** As many as the bridge keeps. */
const mostSessions = 2_000

export const HouseContext = createContext<House | undefined>(undefined)

export function useHouse(): House {
  const house = useContext(HouseContext)
  if (house === undefined) throw new Error('this part of the page needs a house')
  return house
}

/** Lives as long as the page. */
export function openHouse(api: Api, signIn: SignIn, me: Me): House {
  const cameras = signal<readonly Camera[] | undefined>(undefined)
  const sessions = signal<readonly SessionRow[] | undefined>(undefined)
  const press = signal<Press | undefined>(undefined)
  const isUp = signal(true)
  const now = signal(Date.now())
  const listeners = new Set<(session: Session) => void>()
  setInterval(() => (now.value = Date.now()), tickMs)

  async function reload(): Promise<void> {
    const [allCameras, allSessions] = await Promise.all([api.cameras(), api.sessions()])
    cameras.value = sorted(allCameras)
    sessions.value = allSessions
  }

  const handlers: Readonly<Record<string, (data: never) => void>> = {
    // What happened between two streams is in the lists.
    hello: () => void reload().catch(() => undefined),
    camera: (camera: Camera) => {
      const others = (cameras.value ?? []).filter(({ id }) => id !== camera.id)
      cameras.value = sorted([...others, camera])
    },
    'camera-removed': ({ id }: { id: string }) => {
      cameras.value = (cameras.value ?? []).filter((camera) => camera.id !== id)
    },
    press: (one: Press) => {
      press.value = one
      cameras.value = cameras.value?.map((camera) =>
        camera.id === one.cameraId ? { ...camera, lastPressAt: one.at } : camera,
      )
    },
    session: (session: Session) => {
      sessions.value = withRow(sessions.value ?? [], session)
      for (const listener of listeners) listener(session)
    },
  }
  follow(
    api,
    '/api/stream',
    ({ event, data }) => {
      now.value = Date.now()
      handlers[event]?.(JSON.parse(data) as never)
    },
    (up) => (isUp.value = up),
  )
  return {
    api,
    signIn,
    me,
    cameras,
    sessions,
    press,
    isUp,
    now,
    reload,
    onSession(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

const sorted = (cameras: readonly Camera[]): readonly Camera[] =>
  cameras.toSorted(
    (a, b) => Number(b.kind === 'doorbell') - Number(a.kind === 'doorbell') || a.name.localeCompare(b.name),
  )

/** A session that changes is mostly the first or one of the first. */
export function withRow(rows: readonly SessionRow[], { timeline: _timeline, ...row }: Session): readonly SessionRow[] {
  const index = rows.findIndex(({ id }) => id === row.id)
  if (index >= 0) return rows.with(index, row)
  return [row, ...rows].slice(0, mostSessions)
}
