/** `<transom-player camera="front-door">`: a player with its controls, as a custom element that needs no framework. */
import { elementStyle } from './element-style.ts'
import { elementTemplate } from './element-template.ts'
import { holdToTalk } from './hold-to-talk.ts'
import { createBridge, type BridgeOptions } from './bridge.ts'
import { createPlayer, type Player, type PlayerEvents, type PlayerState } from './player.ts'
import { PlayerError, problemIn, problemOf, type Problem } from './problem.ts'
import type { PlayerStats } from './stats.ts'
import { createTimeLine } from './time-line.ts'
import { playerWords, type PlayerWords } from './words.ts'

const hideControlsMs = 3_500

/** Tells its page what its player tells: `transom-state`, `transom-stats`, `transom-step`, `transom-time`, … */
const told = ['state', 'stats', 'step', 'time', 'view', 'failed'] as const

declare global {
  interface HTMLElementTagNameMap {
    'transom-player': TransomPlayer
  }
  interface HTMLElementEventMap {
    'transom-state': CustomEvent<PlayerEvents['state']>
    'transom-stats': CustomEvent<PlayerEvents['stats']>
    'transom-step': CustomEvent<PlayerEvents['step']>
    'transom-time': CustomEvent<PlayerEvents['time']>
    'transom-view': CustomEvent<PlayerEvents['view']>
    'transom-failed': CustomEvent<PlayerEvents['failed']>
  }
}

/**
 * The element `<transom-player>`: attributes `camera`, `bridge`, `label`, `lang`, `timeline`, `autoplay` and `muted`, the functions
 * `play`, `seek`, `live` and `stop`, and events that begin with `transom-` (docs/player.md).
 */
export class TransomPlayer extends HTMLElement {
  static observedAttributes = ['camera', 'bridge', 'label', 'lang']

  /** Gives a valid access token of the bridge. Must be set before `play`. */
  token: () => Promise<string> = () =>
    Promise.reject(new PlayerError({ code: 'unauthorized', message: 'The page has given this player no token.' }))

  readonly #root = shadowOf(this)
  readonly #video: HTMLVideoElement
  #player: Player | undefined
  #offs: (() => void)[] = []
  #clock: ReturnType<typeof setInterval> | undefined
  #idleTimer: ReturnType<typeof setTimeout> | undefined
  readonly #talk: { set(on: boolean): void }
  readonly #timeLine = createTimeLine({
    root: this.#root,
    bridge: () => createBridge(this.#options()),
    player: () => this.#made(),
    words: () => this.#words,
    language: () => this.#language,
  })
  #talkProblemTimer: ReturnType<typeof setTimeout> | undefined

  constructor() {
    super()
    this.#video = this.#root.querySelector('video')!
    this.#talk = holdToTalk(
      this.#part('talk'),
      async (on) => this.#player?.talk(on),
      (error) => this.#showTalkProblem(problemOf(error)),
    )
    this.#listen()
  }

  connectedCallback(): void {
    this.#speak()
    this.#show({ state: 'idle' })
    if (this.hasAttribute('autoplay')) this.play()
  }

  disconnectedCallback(): void {
    this.stop()
    clearTimeout(this.#idleTimer)
    clearTimeout(this.#talkProblemTimer)
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (name === 'label') return this.#label()
    if (name === 'lang') return this.#speak()
    if (before === now || !this.#player) return
    this.stop()
    this.play()
  }

  play(): void {
    this.#made().play()
    void this.#start()
  }

  /** Shows what was recorded at this instant (epoch milliseconds), or first after it. */
  seek(at: number): void {
    this.#made().seek(at)
    this.#timeLine.place(at)
    void this.#start()
  }

  /** Shows what happens now, again. */
  live(): void {
    this.#made().live()
    this.#timeLine.place(undefined)
    void this.#start()
  }

  #options(): BridgeOptions {
    const camera = this.getAttribute('camera')
    if (camera === null) throw new Error('<transom-player> needs its attribute camera')
    const bridge = this.getAttribute('bridge') ?? new URL(import.meta.url).origin
    return { bridge, cameraId: camera, token: () => this.token() }
  }

  #made(): Player {
    if (this.#player) return this.#player
    const player = createPlayer({ ...this.#options(), video: this.#video })
    this.#player = player
    for (const name of told) {
      const off = player.on(name, (detail) =>
        this.dispatchEvent(new CustomEvent(`transom-${name}`, { detail, bubbles: true })),
      )
      this.#offs.push(off)
    }
    this.#offs.push(
      player.on('state', (state) => this.#show(state)),
      player.on('step', ({ step }) => {
        // Also when the microphone is taken away.
        if (step === 'talk-ended') this.#part('talk').setAttribute('aria-pressed', 'false')
      }),
      player.on('stats', (stats) => this.#showStats(stats)),
      player.on('time', ({ at }) => this.#timeLine.move(at)),
    )
    if (this.hasAttribute('timeline')) this.#timeLine.open()
    return player
  }

  stop(): void {
    const player = this.#player
    this.#player = undefined
    player?.stop()
    for (const off of this.#offs.splice(0)) off()
    this.#timeLine.close()
    clearInterval(this.#clock)
  }

  get state(): PlayerState {
    return this.#player?.state() ?? { state: 'idle' }
  }

  /** Of what was recorded: when the picture that is shown was taken, epoch milliseconds; else `undefined`. */
  get time(): number | undefined {
    return this.#player?.time()
  }

  /** Opens or mutes the microphone, as a tap on its button does. Without effect while there is nobody to talk to. */
  talk(on: boolean): void {
    if (this.state.state === 'live' && this.state.canTalk) this.#talk.set(on)
  }

  get muted(): boolean {
    return this.#video.muted
  }

  set muted(muted: boolean) {
    this.#video.muted = muted
  }

  /** The `<video>`, for who wants a still of it. */
  get video(): HTMLVideoElement {
    return this.#video
  }

  /** The language of the place where it stands, as an element's language is found in HTML. */
  get #language(): string {
    return this.closest<HTMLElement>('[lang]')?.lang ?? ''
  }

  get #words(): PlayerWords {
    return playerWords(this.#language)
  }

  #part(name: string): HTMLElement {
    return this.#root.querySelector<HTMLElement>(`[part="${name}"]`)!
  }

  /** Browsers play sound only after somebody has touched the page. */
  async #start(): Promise<void> {
    this.#video.muted ||= this.hasAttribute('muted')
    try {
      await this.#video.play()
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return
      this.#video.muted = true
      await this.#video.play().catch(() => undefined)
    }
  }

  #listen(): void {
    this.#part('start').addEventListener('click', () => this.play())
    this.#part('retry').addEventListener('click', () => this.play())
    this.#part('stop').addEventListener('click', () => {
      this.stop()
      this.#show({ state: 'idle' })
      this.#part('start').focus()
    })
    this.#part('mute').addEventListener('click', () => this.#toggleMuted())
    this.#video.addEventListener('volumechange', () => this.#soundChanged())
    this.#part('full').addEventListener('click', () => this.#toggleFullScreen())
    this.#part('info').addEventListener('click', () => this.#toggleStats())
    this.addEventListener('keydown', (event) => {
      const { key, target, metaKey, ctrlKey, altKey } = event
      if (target !== this || metaKey || ctrlKey || altKey || event.defaultPrevented) return
      const [inner] = event.composedPath()
      // A list has its own use for arrows and letters.
      if (inner instanceof HTMLSelectElement) return
      if (this.#timeLine.press(key, inner instanceof HTMLButtonElement)) return event.preventDefault()
      if (key === 'm') this.#toggleMuted()
      if (key === 'f') this.#toggleFullScreen()
      if (key === 'i') this.#toggleStats()
    })
    this.addEventListener('pointermove', () => this.#wake())
    // A touch brings back the controls, and is not meant for the one that happens to be there.
    let isWaking = false
    this.addEventListener('pointerdown', () => {
      isWaking = this.classList.contains('is-calm')
      this.#wake()
    })
    this.addEventListener('click', (event) => isWaking && event.detail > 0 && event.stopPropagation(), true)
    this.addEventListener('focusin', () => this.#wake())
  }

  /** All that is said without being asked, and the state once more. */
  #speak(): void {
    const words: Readonly<Record<string, unknown>> = this.#words
    const text = (name: string | undefined): string => String(words[name ?? ''])
    for (const element of this.#root.querySelectorAll<HTMLElement>('[data-word]'))
      element.textContent = text(element.dataset['word'])
    for (const element of this.#root.querySelectorAll<HTMLElement>('[data-label]'))
      element.setAttribute('aria-label', text(element.dataset['label']))
    this.#label()
    this.#soundChanged()
    this.#timeLine.speak()
    if (this.#player) this.#show(this.state)
  }

  #toggleMuted(): void {
    this.#video.muted = !this.#video.muted
  }

  #soundChanged(): void {
    const { muted } = this.#video
    const button = this.#part('mute')
    button.setAttribute('aria-label', muted ? this.#words.soundOn : this.#words.soundOff)
    button.classList.toggle('is-off', muted)
  }

  #toggleStats(): void {
    const panel = this.#part('stats')
    panel.hidden = !panel.hidden
    this.#part('info').setAttribute('aria-expanded', String(!panel.hidden))
  }

  #toggleFullScreen(): void {
    if (document.fullscreenElement) return void document.exitFullscreen()
    // An iPhone has full screen for videos only.
    const video = this.#video as HTMLVideoElement & { webkitEnterFullscreen?: () => void }
    if (typeof this.requestFullscreen === 'function') void this.requestFullscreen().catch(() => undefined)
    else video.webkitEnterFullscreen?.()
  }

  /** The controls leave when nothing has moved for a while. */
  #wake(): void {
    this.classList.remove('is-calm')
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => {
      if (this.state.state === 'live' || this.state.state === 'recorded') this.classList.add('is-calm')
    }, hideControlsMs)
  }

  #label(): void {
    const label = this.getAttribute('label') ?? this.getAttribute('camera') ?? this.#words.camera
    this.#video.setAttribute('aria-label', this.#words.pictureOf(label))
    this.#part('start').setAttribute('aria-label', this.#words.play(label))
    this.setAttribute('role', 'group')
    this.setAttribute('aria-label', label)
  }

  #show(state: PlayerState): void {
    clearInterval(this.#clock)
    this.dataset['state'] = state.state
    this.#part('start').hidden = state.state !== 'idle'
    this.#part('waiting').hidden = state.state !== 'connecting'
    const given = state.state === 'reconnecting' || state.state === 'failed' ? state.problem : undefined
    const problem = given && problemIn(this.#language, given)
    this.#part('trouble').hidden = problem === undefined
    // Written only when it is news: a screen reader says what is written here.
    if (problem) say(this.#part('message'), problem.message)
    if (problem) say(this.#part('advice'), problem.advice ?? '')
    const fault = state.state === 'live' ? state.fault : undefined
    this.#part('fault').hidden = fault === undefined
    say(this.#part('fault'), fault ? problemIn(this.#language, fault).message : '')
    const remarks = state.state === 'live' ? state.remarks : []
    say(this.#part('remarks'), remarks.map((remark) => this.#words.remarks[remark]).join(' '))
    this.#part('bar').hidden = state.state === 'idle'
    const talk = this.#part('talk')
    const canTalk = state.state === 'live' && state.canTalk
    talk.hidden = !canTalk
    if (!canTalk) talk.setAttribute('aria-pressed', 'false')
    if (state.state !== 'live' && state.state !== 'recorded') this.classList.remove('is-calm')
    else this.#wake()
    say(this.#part('status'), this.#words.states[state.state])
    this.#timeLine.show(state)
    if (state.state === 'reconnecting') this.#countDown(state.retryAt)
    else this.#part('retry').textContent = this.#words.retry
  }

  #countDown(retryAt: number): void {
    const button = this.#part('retry')
    const show = (): void => {
      const seconds = Math.ceil((retryAt - Date.now()) / 1000)
      button.textContent = seconds > 0 ? this.#words.retryIn(seconds) : this.#words.retrying
    }
    show()
    this.#clock = setInterval(show, 500)
  }

  #showTalkProblem(problem: Problem): void {
    const { message, advice } = problemIn(this.#language, problem)
    const note = this.#part('note')
    note.textContent = [message, advice].filter(Boolean).join(' ')
    note.hidden = false
    clearTimeout(this.#talkProblemTimer)
    this.#talkProblemTimer = setTimeout(() => (note.hidden = true), 8_000)
  }

  #showStats(stats: PlayerStats): void {
    const rows = {
      codec: stats.codec ?? '–',
      size: stats.width === undefined ? '–' : `${stats.width} × ${stats.height}`,
      rate: stats.framesPerSecond === undefined ? '–' : this.#words.framesPerSecond(Math.round(stats.framesPerSecond)),
      'round-trip': stats.roundTripMs === undefined ? '–' : `${Math.round(stats.roundTripMs)} ms`,
      loss: `${(stats.loss * 100).toFixed(1)} %`,
      route: stats.route === undefined ? '–' : this.#words.routes[stats.route],
      'first-frame': stats.firstFrameMs === undefined ? '–' : `${Math.round(stats.firstFrameMs)} ms`,
    }
    for (const [name, text] of Object.entries(rows)) this.#part(name).textContent = text
  }
}

function say(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** With the template in it: what is made of its parts needs them. */
function shadowOf(element: HTMLElement): ShadowRoot {
  const root = element.attachShadow({ mode: 'open' })
  root.adoptedStyleSheets = [elementStyle]
  root.append(elementTemplate())
  return root
}
