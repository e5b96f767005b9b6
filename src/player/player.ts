/** A live view of one camera through a bridge, which comes back by itself. Knows the bridge's API and no page. */
import { connectDisplay, type Display, type PlayerStep, type PlayerStepName } from './display.ts'
import { isAbsence, isLasting, PlayerError, problemOf, type Problem } from './problem.ts'
import type { PlayerStats } from './stats.ts'
import type { Refused, View, ViewAnswer, ViewOffer } from 'transom-core/wire/api'

/** What a player does now. */
export type PlayerState =
  | { readonly state: 'idle' }
  | { readonly state: 'connecting' }
  | { readonly state: 'live'; readonly canTalk: boolean }
  /** Not live at the moment; `problem` says why, and the next attempt begins at `retryAt` (epoch milliseconds). */
  | { readonly state: 'reconnecting'; readonly problem: Problem; readonly retryAt: number }
  | { readonly state: 'failed'; readonly problem: Problem }

/** The events of a player by name, each with what its listeners get. */
export interface PlayerEvents {
  readonly state: PlayerState
  /** Once a second while live. */
  readonly stats: PlayerStats
  readonly step: PlayerStep
  /** A view has begun: by this reference the bridge's list of sessions names it. */
  readonly view: { readonly reference: string }
  readonly failed: Problem
}

/** Which camera of which bridge is shown, where, and with whose token. */
export interface PlayerOptions {
  /** The origin of the bridge. */
  readonly bridge: string
  readonly cameraId: string
  /** A valid access token of the bridge, whenever one is needed. */
  token(): Promise<string>
  readonly video: HTMLVideoElement
  readonly fetch?: typeof fetch
  /** How long it tries without a picture before it fails; default five minutes. */
  readonly giveUpMs?: number
}

/** A view that connects again by itself, as `createPlayer` gives it. */
export interface Player {
  /** Begins, or tries at once instead of at `retryAt`. */
  play(): void
  /** Hangs up. Everything is let go of, and `play` may be called again. */
  stop(): void
  setMuted(muted: boolean): void
  /** Opens or mutes the microphone. Rejects with a `PlayerError`. */
  talk(on: boolean): Promise<void>
  state(): PlayerState
  /** Returns a function that takes the listener away again. */
  on<Name extends keyof PlayerEvents>(name: Name, listener: (event: PlayerEvents[Name]) => void): () => void
}

const requestMs = 15_000
const statsMs = 1_000
/** A picture that stands still for this long is a lost one, whatever the connection says. */
const frozenMs = 6_000
const pausesMs = [500, 1_000, 2_000, 4_000, 8_000]

/** Makes a player, which is idle until `play`. Nothing throws: what fails is the state `failed` and its problem. */
export function createPlayer(options: PlayerOptions): Player {
  const { bridge, cameraId, video, giveUpMs = 300_000 } = options
  const request = options.fetch ?? fetch.bind(globalThis)
  const listeners = new Map<string, Set<(event: never) => void>>()
  let state: PlayerState = { state: 'idle' }
  let running: { hangUp: AbortController; hurry: () => void; display?: Display } | undefined

  function emit<Name extends keyof PlayerEvents>(name: Name, event: PlayerEvents[Name]): void {
    for (const listener of listeners.get(name) ?? []) (listener as (event: PlayerEvents[Name]) => void)(event)
  }
  function enter(next: PlayerState): void {
    state = next
    emit('state', next)
  }
  const note = (step: PlayerStepName): void => emit('step', { step, at: Date.now() })

  const call = (path: string, body: unknown, signal?: AbortSignal): Promise<unknown> =>
    ask(path, { method: 'POST', body: JSON.stringify(body) }, signal)

  async function ask(path: string, init: RequestInit, signal?: AbortSignal): Promise<unknown> {
    const token = await options.token()
    const limit = AbortSignal.timeout(requestMs)
    let response: Response
    try {
      response = await request(new URL(path, bridge), {
        ...init,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
        // The goodbye outlives the page.
        keepalive: signal === undefined,
      })
    } catch (cause) {
      signal?.throwIfAborted()
      throw new PlayerError(unreachable, { cause })
    }
    const text = await response.text()
    if (response.ok) return text === '' ? undefined : JSON.parse(text)
    throw new PlayerError(refusal(response.status, text))
  }

  /** Whether the camera is still away. Each attempt at such a one would be a session that fails. */
  async function isAway(problem: Problem, signal: AbortSignal): Promise<boolean> {
    if (!isAbsence(problem)) return false
    try {
      const camera = await ask(`/api/cameras/${encodeURIComponent(cameraId)}`, {}, signal)
      return (camera as { isOnline: boolean | null }).isOnline === false
    } catch {
      // An attempt finds out why.
      return false
    }
  }

  /** One attempt, from asking for a view to the loss of its picture. Rejects with the reason. */
  async function view(hangUp: AbortController, begin: (display: Display) => void): Promise<void> {
    const { signal } = hangUp
    const lost = Promise.withResolvers<never>()
    lost.promise.catch(() => undefined)
    const lose = (message: string): void =>
      lost.reject(new PlayerError({ code: 'media_lost', message, advice: 'It is connecting again by itself.' }))
    note('view-asked')
    const { reference, iceServers } = (await call(
      `/api/cameras/${encodeURIComponent(cameraId)}/views`,
      {},
      signal,
    )) as View
    const tell = (what: string, body: unknown = {}): void => {
      // A courtesy: the bridge learns of the end from the camera, too.
      call(`/api/views/${encodeURIComponent(reference)}/${what}`, body).catch(() => undefined)
    }
    let display: Display | undefined
    let timer: ReturnType<typeof setInterval> | undefined
    const abort = (): void => lost.reject(signal.reason)
    signal.addEventListener('abort', abort)
    try {
      note('view-granted')
      emit('view', { reference })
      display = await connectDisplay({
        video,
        iceServers,
        signal,
        onStep: (step) => emit('step', step),
        onLost: () => lose('The connection to the camera was lost.'),
        async exchange(sdp, within) {
          const path = `/api/views/${encodeURIComponent(reference)}/offer`
          return ((await call(path, { cameraId, sdp } satisfies ViewOffer, within)) as ViewAnswer).sdp
        },
      })
      tell('connected')
      begin(display)
      timer = watch(display, () => lose('The picture stood still.'))
      await lost.promise
    } finally {
      signal.removeEventListener('abort', abort)
      clearInterval(timer)
      display?.close()
      tell('end', { reason: signal.aborted ? 'the viewer left' : 'the picture was lost' })
    }
  }

  function watch(display: Display, freeze: () => void): ReturnType<typeof setInterval> {
    let seen = -1
    let movedAt = performance.now()
    const look = async (): Promise<void> => {
      const stats = await display.stats()
      emit('stats', stats)
      // Of a camera without picture, its sound is what comes.
      const now = display.hasPicture ? stats.framesDecoded : stats.bytesReceived
      // A hidden page may decode nothing.
      if (now !== seen || document.hidden) movedAt = performance.now()
      seen = now
      if (performance.now() - movedAt > frozenMs) freeze()
    }
    // A closed connection has no statistics, and its end is told elsewhere.
    return setInterval(() => void look().catch(() => undefined), statsMs)
  }

  async function run(me: NonNullable<typeof running>): Promise<void> {
    const { signal } = me.hangUp
    let attempt = 0
    let pictureAt = performance.now()
    enter({ state: 'connecting' })
    while (!signal.aborted) {
      try {
        await view(me.hangUp, (display) => {
          me.display = display
          attempt = 0
          enter({ state: 'live', canTalk: display.canTalk })
        })
      } catch (error) {
        if (signal.aborted) return
        if (me.display) pictureAt = performance.now()
        delete me.display
        const problem = problemOf(error)
        if (isLasting(problem) || performance.now() - pictureAt > giveUpMs) {
          running = undefined
          enter({ state: 'failed', problem })
          emit('failed', problem)
          return
        }
        do {
          const pauseMs = (pausesMs[attempt++] ?? pausesMs.at(-1)!) * (0.8 + 0.4 * Math.random())
          enter({ state: 'reconnecting', problem, retryAt: Date.now() + pauseMs })
          if (await pause(me, pauseMs)) break
        } while (performance.now() - pictureAt <= giveUpMs && (await isAway(problem, signal)))
      }
    }
  }

  function stop(): void {
    if (!running) return
    removeEventListener('pagehide', stop)
    running.hangUp.abort(new DOMException('The viewer left.', 'AbortError'))
    running = undefined
    enter({ state: 'idle' })
  }

  return {
    play() {
      if (running) return running.hurry()
      running = { hangUp: new AbortController(), hurry: () => undefined }
      addEventListener('pagehide', stop)
      void run(running)
    },
    stop,
    setMuted(muted) {
      video.muted = muted
    },
    async talk(on) {
      if (running?.display) return running.display.talk(on)
      if (on) throw new PlayerError({ code: 'not_live', message: 'There is no picture to talk to yet.' })
    },
    state: () => state,
    on(name, listener) {
      const set = listeners.get(name) ?? new Set()
      listeners.set(name, set.add(listener))
      return () => void set.delete(listener)
    },
  }
}

const unreachable: Problem = {
  code: 'unreachable',
  message: 'The bridge cannot be reached.',
  advice: 'Look whether it runs, and whether this device is on its network.',
}

/** `{error, message, advice}` of the bridge, or of something in between that is not the bridge. */
function refusal(status: number, text: string): Problem {
  try {
    const { error, message, advice } = JSON.parse(text) as Refused
    return { code: error, message, ...(advice !== undefined && { advice }) }
  } catch {
    return { ...unreachable, message: `The bridge, or what stands before it, answered ${status}.` }
  }
}

/** Waits, but not longer than until the network is back, the page is looked at again, or somebody asks: then true. */
async function pause(me: { hangUp: AbortController; hurry: () => void }, ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const done = new AbortController()
  const { signal } = done
  const timer = setTimeout(resolve, ms, false)
  me.hurry = () => resolve(true)
  addEventListener('online', () => resolve(false), { signal })
  document.addEventListener('visibilitychange', () => document.hidden || resolve(false), { signal })
  me.hangUp.signal.addEventListener('abort', () => resolve(false), { signal })
  const isAsked = await promise
  me.hurry = () => undefined
  clearTimeout(timer)
  done.abort()
  return isAsked
}
