/** The time line of a player: what was recorded, what happened, where it stands, and the controls to go elsewhere. */
import type { Bridge } from './bridge.ts'
import {
  eventFrom,
  instantOf,
  placeOf,
  snap,
  spanAround,
  spansMs,
  spanWith,
  stretchAt,
  ticksOf,
  type Past,
  type Span,
} from './past.ts'
import type { Player, PlayerState } from './player.ts'
import { createPreview } from './preview.ts'
import type { PlayerWords } from './words.ts'

const tickMs = 1_000
/** What was recorded meanwhile is asked for so often. */
const readEachMs = 20_000
const speeds = [0.5, 1, 2, 4] as const
const keyMs = 5_000
const pageMs = 5 * 60_000
/** While it is dragged, so often the picture follows. */
const scrubEachMs = 150

/** Where it lies, and what it moves. */
export interface TimeLineOptions {
  readonly root: ShadowRoot
  readonly bridge: () => Bridge
  /** The player, made if there is none. */
  readonly player: () => Player
  readonly words: () => PlayerWords
  readonly language: () => string
}

/** The time line, as `createTimeLine` gives it. */
export interface TimeLine {
  /** Reads what was recorded, and shows itself where that is allowed and there is something. */
  open(): void
  /** Lets go of timers and pictures; may be opened again. */
  close(): void
  /** Somebody has gone to this instant, by other means than this line; to what happens now, if undefined. */
  place(instant: number | undefined): void
  show(state: PlayerState): void
  /** The picture that is shown was taken at this instant. */
  move(at: number): void
  /** Everything once more, in the words of now. */
  speak(): void
  /** Whether it has followed this key. */
  press(key: string, isOnButton: boolean): boolean
}

/** Makes the time line of a player from the parts in its shadow root. Nothing throws: what cannot be read is not shown. */
export function createTimeLine({ root, bridge, player, words, language }: TimeLineOptions): TimeLine {
  const part = (name: string): HTMLElement => root.querySelector<HTMLElement>(`[part="${name}"]`)!
  const track = part('track')
  const preview = createPreview(part('preview'), (id, signal) => bridge().thumbnail(id, signal))
  let past: Past = { stretches: [], marks: [] }
  let lengthMs: number = spansMs[1]
  let span: Span = spanAround(Date.now(), lengthMs, Date.now())
  let state: PlayerState = { state: 'idle' }
  let at: number | undefined
  let life: AbortController | undefined
  /** From when on it is known what was recorded. */
  let knownFrom = -Infinity
  let dragAt: number | undefined
  let scrubbedAt = -Infinity

  const isLive = (): boolean => at === undefined
  const here = (): number => at ?? Date.now()
  const clockOf = (instant: number, style: 'second' | 'minute'): string => {
    const isToday = new Date(instant).toDateString() === new Date().toDateString()
    return new Intl.DateTimeFormat(language() || undefined, {
      ...(style === 'second' && !isToday && { weekday: 'short' }),
      hour: '2-digit',
      minute: '2-digit',
      ...(style === 'second' && { second: '2-digit' }),
    }).format(instant)
  }

  async function read(signal: AbortSignal): Promise<void> {
    const to = Date.now() + 60_000
    const from = Math.floor(Math.min(span.from, to - spansMs[3]))
    past = await bridge().past({ from, to }, signal)
    knownFrom = from
    part('past').hidden = past.stretches.length === 0 && isLive()
    draw()
  }

  /** Of the time that has come onto the line: once, until something was read again. */
  function readMore(signal: AbortSignal): void {
    knownFrom = -Infinity
    read(signal).catch(() => undefined)
  }

  function draw(): void {
    span = spanWith(span, dragAt ?? here(), Date.now())
    if (life && span.from < knownFrom) readMore(life.signal)
    const place = (element: HTMLElement, from: number, to?: number): HTMLElement => {
      element.style.left = `${placeOf(span, from) * 100}%`
      if (to !== undefined) element.style.width = `${(placeOf(span, to) - placeOf(span, from)) * 100}%`
      return element
    }
    const isSeen = (from: number, to = from): boolean => to >= span.from && from <= span.to
    part('stretches').replaceChildren(
      ...past.stretches.flatMap(({ from, to, isOpen }) =>
        isSeen(from, to) ? [place(made('stretch'), from, isOpen ? Date.now() : to)] : [],
      ),
      ...past.marks.flatMap(({ kind, at: when }) => (isSeen(when) ? [place(made(`mark ${kind}`), when)] : [])),
      ...ticksOf(span, -new Date(span.to).getTimezoneOffset() * 60_000).map((tick) => {
        const label = place(made('tick'), tick)
        label.textContent = clockOf(tick, 'minute')
        return label
      }),
    )
    drawHead()
  }

  function drawHead(): void {
    const instant = dragAt ?? here()
    part('head').style.left = `${placeOf(span, instant) * 100}%`
    const isNow = dragAt === undefined && isLive()
    const text = isNow ? words().states.live : clockOf(instant, 'second')
    part('time').textContent = text
    track.setAttribute('aria-valuemin', String(Math.round(span.from / 1_000)))
    track.setAttribute('aria-valuemax', String(Math.round(span.to / 1_000)))
    track.setAttribute('aria-valuenow', String(Math.round(instant / 1_000)))
    track.setAttribute('aria-valuetext', text)
  }

  function goTo(instant: number): void {
    const where = snap(past, instant, Date.now())
    if (where === 'live') return goLive()
    at = where
    draw()
    player().seek(where)
  }

  function goLive(): void {
    if (isLive()) return
    at = undefined
    draw()
    player().live()
  }

  function jump(by: 1 | -1): void {
    const begin = eventFrom(past, here(), by)
    if (begin !== undefined) goTo(begin)
    else if (by === 1) goLive()
  }

  function pause(): void {
    if (state.state === 'recorded') player().setPaused(!state.isPaused)
  }

  function zoom(by: 1 | -1): void {
    const index = spansMs.findIndex((one) => one === lengthMs) + by
    lengthMs = spansMs[index] ?? lengthMs
    span = spanAround(here(), lengthMs, Date.now())
    draw()
  }

  function drag(event: PointerEvent): void {
    const { left, width } = track.getBoundingClientRect()
    const instant = instantOf(span, (event.clientX - left) / width)
    preview.show(placeOf(span, instant), clockOf(instant, 'second'), stretchAt(past, instant)?.id)
    if (dragAt === undefined) return
    dragAt = instant
    drawHead()
    const where = snap(past, instant, Date.now())
    if (state.state !== 'recorded' || where === 'live' || performance.now() - scrubbedAt < scrubEachMs) return
    scrubbedAt = performance.now()
    player().seek(where)
  }

  function listen(): void {
    track.addEventListener('pointerdown', (event) => {
      track.setPointerCapture(event.pointerId)
      dragAt = here()
      drag(event)
    })
    track.addEventListener('pointermove', drag)
    track.addEventListener('pointerup', () => {
      const instant = dragAt
      dragAt = undefined
      preview.hide()
      if (instant !== undefined) goTo(instant)
    })
    track.addEventListener('pointercancel', () => {
      dragAt = undefined
      preview.hide()
      draw()
    })
    track.addEventListener('pointerleave', () => dragAt === undefined && preview.hide())
    track.addEventListener('keydown', (event) => {
      const steps = { PageUp: pageMs, PageDown: -pageMs, ArrowUp: keyMs, ArrowDown: -keyMs }
      const step = new Map(Object.entries(steps)).get(event.key)
      if (step !== undefined) goTo(here() + step)
      else if (event.key === 'Home') goTo(span.from)
      else if (event.key === 'End') goLive()
      else return
      event.preventDefault()
    })
    const clicks: Readonly<Record<string, () => void>> = {
      'previous-event': () => jump(-1),
      'step-back': () => player().step(-1),
      pause,
      'step-on': () => player().step(1),
      'next-event': () => jump(1),
      'zoom-in': () => zoom(-1),
      'zoom-out': () => zoom(1),
      'go-live': goLive,
    }
    for (const [name, click] of Object.entries(clicks)) part(name).addEventListener('click', click)
    const choice = part('speed') as HTMLSelectElement
    choice.addEventListener('change', () => player().setSpeed(Number(choice.value)))
  }

  /** What can be done now, and what the buttons say. */
  function showControls(): void {
    const now = state.state === 'recorded' ? state : undefined
    for (const name of ['step-back', 'pause', 'step-on']) (part(name) as HTMLButtonElement).disabled = now === undefined
    part('pause').classList.toggle('is-off', now?.isPaused === true)
    part('pause').setAttribute('aria-label', now?.isPaused ? words().goOn : words().pause)
    part('go-live').setAttribute('aria-pressed', String(isLive()))
    const choice = part('speed') as HTMLSelectElement
    choice.disabled = now === undefined
    const number = new Intl.NumberFormat(language() || undefined)
    choice.replaceChildren(...speeds.map((speed) => new Option(`${number.format(speed)} ×`, String(speed))))
    choice.value = String(now?.speed ?? 1)
  }

  listen()
  return {
    open() {
      life?.abort()
      life = new AbortController()
      past = { stretches: [], marks: [] }
      const { signal } = life
      const again = (): void => void read(signal).catch(() => undefined)
      const reading = setInterval(again, readEachMs)
      const ticking = setInterval(() => isLive() && dragAt === undefined && !part('past').hidden && draw(), tickMs)
      signal.addEventListener('abort', () => [reading, ticking].forEach(clearInterval))
      again()
    },
    close() {
      life?.abort()
      at = undefined
      part('past').hidden = true
      preview.clear()
    },
    place(instant) {
      at = instant
      draw()
    },
    show(next) {
      const wasOver = state.state === 'recorded' && state.isOver
      state = next
      if (next.state === 'live' || next.state === 'idle') at = undefined
      // What was recorded is over: what happens now comes next.
      if (next.state === 'recorded' && next.isOver && !next.isPaused && !wasOver) goLive()
      showControls()
      drawHead()
    },
    move(instant) {
      if (state.state !== 'recorded') return
      at = instant
      if (dragAt !== undefined) return
      if (spanWith(span, at, Date.now()) === span) drawHead()
      else draw()
    },
    speak() {
      showControls()
      draw()
    },
    press(key, isOnButton) {
      if (part('past').hidden) return false
      if (key === 'ArrowLeft') goTo(here() - keyMs)
      else if (key === 'ArrowRight') goTo(here() + keyMs)
      else if (key === ' ' && !isOnButton) pause()
      else if (key === 'l') goLive()
      else if (key === 'n') jump(1)
      else if (key === 'p') jump(-1)
      else if (key === ',') player().step(-1)
      else if (key === '.') player().step(1)
      else return false
      return true
    },
  }
}

const made = (name: string): HTMLElement => Object.assign(document.createElement('i'), { className: name })
