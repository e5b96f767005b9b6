/** A view of one camera through a bridge, live or of what was recorded, which comes back by itself. Knows no page. */
import { createBridge, type BridgeOptions } from './bridge.ts'
import type { Display, PlayerStep } from './display.ts'
import type { PlaybackNow, PlaybackWish } from './playback.ts'
import { isAbsence, isLasting, PlayerError, problemOf, type Problem } from './problem.ts'
import type { PlayerStats } from './stats.ts'
import { holdView, type PlayerRemark } from './view.ts'

/** What a player does now. */
export type PlayerState =
  | { readonly state: 'idle' }
  | { readonly state: 'connecting' }
  /**
   * `fault`: what is wrong with the picture while it lasts, `black_picture` or `frozen_picture`. Never of a hidden page.
   * `remarks`: what is worth knowing while it lasts, and no failure.
   */
  | {
      readonly state: 'live'
      readonly canTalk: boolean
      readonly fault?: Problem
      readonly remarks: readonly PlayerRemark[]
    }
  /** What was recorded is shown. `isOver`: nothing comes after this picture. */
  | { readonly state: 'recorded'; readonly isPaused: boolean; readonly speed: number; readonly isOver: boolean }
  /** Not live at the moment; `problem` says why, and the next attempt begins at `retryAt` (epoch milliseconds). */
  | { readonly state: 'reconnecting'; readonly problem: Problem; readonly retryAt: number }
  | { readonly state: 'failed'; readonly problem: Problem }

/** The events of a player by name, each with what its listeners get. */
export interface PlayerEvents {
  readonly state: PlayerState
  /** Once a second while live. */
  readonly stats: PlayerStats
  readonly step: PlayerStep
  /** Of what was recorded: when the picture that is shown was taken, epoch milliseconds by the camera's clock. */
  readonly time: { readonly at: number }
  /** A view has begun: by this reference the bridge's list of sessions names it. */
  readonly view: { readonly reference: string }
  readonly failed: Problem
}

/** Which camera of which bridge is shown, where, and with whose token. */
export interface PlayerOptions extends BridgeOptions {
  readonly video: HTMLVideoElement
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
  /** Shows what was recorded at this instant (epoch milliseconds), or first after it; begins if nothing is shown. */
  seek(at: number): void
  /** Shows what happens now, again. */
  live(): void
  /** Of what was recorded, here and below; without effect while something else is shown. */
  setPaused(isPaused: boolean): void
  /** From 0.5 to 4. */
  setSpeed(speed: number): void
  /** Shows the next picture or the one before, and pauses. */
  step(by: 1 | -1): void
  /** Opens or mutes the microphone. Rejects with a `PlayerError`. */
  talk(on: boolean): Promise<void>
  state(): PlayerState
  /** Of what was recorded: when the picture that is shown was taken, epoch milliseconds. */
  time(): number | undefined
  /** Returns a function that takes the listener away again. */
  on<Name extends keyof PlayerEvents>(name: Name, listener: (event: PlayerEvents[Name]) => void): () => void
}

interface Running {
  readonly hangUp: AbortController
  hurry: () => void
  display?: Display
  /** Ends the view for another one. */
  turn: AbortController
  /** What was recorded is to be shown, from there on, and so; else what happens now. */
  recorded?: Recorded | undefined
}

interface Recorded {
  at: number
  isPaused: boolean
  speed: number
  /** Wished while the view was being connected. */
  goTo?: number | undefined
}

const pausesMs = [500, 1_000, 2_000, 4_000, 8_000]

/** Makes a player, which is idle until `play`. Nothing throws: what fails is the state `failed` and its problem. */
export function createPlayer(options: PlayerOptions): Player {
  const { video, giveUpMs = 300_000 } = options
  const bridge = createBridge(options)
  const listeners = new Map<string, Set<(event: never) => void>>()
  let state: PlayerState = { state: 'idle' }
  let running: Running | undefined

  function emit<Name extends keyof PlayerEvents>(name: Name, event: PlayerEvents[Name]): void {
    for (const listener of listeners.get(name) ?? []) (listener as (event: PlayerEvents[Name]) => void)(event)
  }
  function enter(next: PlayerState): void {
    state = next
    emit('state', next)
  }

  /** Whether the camera is still away. Each attempt at such a one would be a session that fails. */
  async function isAway({ recorded, hangUp: { signal } }: Running, problem: Problem): Promise<boolean> {
    if (recorded || !isAbsence(problem)) return false
    try {
      return await bridge.isOffline(signal)
    } catch {
      // An attempt finds out why.
      return false
    }
  }

  async function run(me: Running): Promise<void> {
    const { signal } = me.hangUp
    let attempt = 0
    let pictureAt = performance.now()
    enter({ state: 'connecting' })
    while (!signal.aborted) {
      me.turn = new AbortController()
      if (me.recorded) me.recorded.goTo = undefined
      try {
        await holdView({
          bridge,
          video,
          signal: AbortSignal.any([signal, me.turn.signal]),
          ...(me.recorded && { recorded: { from: me.recorded.at, onPlayback: (now) => onPlayback(me, now) } }),
          onStep: (step) => emit('step', step),
          onView: (reference) => emit('view', { reference }),
          onLive(display) {
            me.display = display
            attempt = 0
            if (me.recorded) begin(display, me.recorded)
            else enter({ state: 'live', canTalk: display.canTalk, remarks: [] })
          },
          onStats: (stats) => emit('stats', stats),
          onFindings({ fault, remarks }) {
            if (me.display && !me.recorded && !signal.aborted)
              enter({ state: 'live', canTalk: me.display.canTalk, ...(fault && { fault }), remarks })
          },
        })
      } catch (error) {
        if (signal.aborted) return
        if (me.display) pictureAt = performance.now()
        delete me.display
        if (me.turn.signal.aborted) {
          attempt = 0
          pictureAt = performance.now()
          continue
        }
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
        } while (performance.now() - pictureAt <= giveUpMs && (await isAway(me, problem)))
      }
    }
  }

  /** With what was wished meanwhile. Sent also where that is nothing: the answer says how it is played. */
  function begin({ playback }: Display, { isPaused, speed, goTo }: Recorded): void {
    enter({ state: 'recorded', isPaused, speed, isOver: false })
    playback?.send({ isPaused, speed, ...(goTo !== undefined && { at: goTo }) })
  }

  function onPlayback({ recorded }: Running, now: PlaybackNow): void {
    if (!recorded) return
    const { at, isPaused, speed, isOver } = now
    Object.assign(recorded, { at, isPaused, speed })
    emit('time', { at })
    if (state.state !== 'recorded') return
    if (state.isPaused !== isPaused || state.speed !== speed || state.isOver !== isOver)
      enter({ state: 'recorded', isPaused, speed, isOver })
  }

  /** Ends what is shown, or the wait for it, for what is wished now. */
  function turn(me: Running): void {
    enter({ state: 'connecting' })
    me.turn.abort(new DOMException('The viewer wants to see something else.', 'AbortError'))
    me.hurry()
  }

  function wish(change: PlaybackWish): void {
    const recorded = running?.recorded
    if (!recorded) return
    const { at, isPaused, speed } = { ...recorded, ...change }
    const playback = running?.display?.playback
    Object.assign(recorded, { at, isPaused, speed, ...(!playback && change.at !== undefined && { goTo: at }) })
    playback?.send(change)
  }

  function stop(): void {
    if (!running) return
    removeEventListener('pagehide', stop)
    running.hangUp.abort(new DOMException('The viewer left.', 'AbortError'))
    running = undefined
    enter({ state: 'idle' })
  }

  function start(recorded?: Running['recorded']): void {
    running = { hangUp: new AbortController(), turn: new AbortController(), hurry: () => undefined, recorded }
    addEventListener('pagehide', stop)
    void run(running)
  }

  return {
    play() {
      if (running) return running.hurry()
      start()
    },
    stop,
    seek(at) {
      if (running?.recorded) return wish({ at: Math.round(at) })
      const recorded = { at: Math.round(at), isPaused: false, speed: 1 }
      if (!running) return start(recorded)
      running.recorded = recorded
      turn(running)
    },
    live() {
      if (!running) return start()
      if (!running.recorded) return running.hurry()
      running.recorded = undefined
      turn(running)
    },
    setPaused: (isPaused) => wish({ isPaused }),
    setSpeed: (speed) => wish({ speed }),
    step: (by) => wish({ step: by, isPaused: true }),
    setMuted(muted) {
      video.muted = muted
    },
    async talk(on) {
      if (running?.display) return running.display.talk(on)
      if (on) throw new PlayerError({ code: 'not_live', message: 'There is no picture to talk to yet.' })
    },
    state: () => state,
    time: () => running?.recorded?.at,
    on(name, listener) {
      const set = listeners.get(name) ?? new Set()
      listeners.set(name, set.add(listener))
      return () => void set.delete(listener)
    },
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
