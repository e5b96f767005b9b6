/** One connection of a display to a camera: a complete offer out, a complete answer in, then picture, sound and talk-back. */
import { createMicrophone } from './microphone.ts'
import { openPlayback, type PlaybackLink, type PlaybackNow } from './playback.ts'
import { PlayerError } from './problem.ts'
import { readStats, type PlayerStats } from './stats.ts'

/** One instant of the browser's side of the story; `at` in epoch milliseconds. */
export interface PlayerStep {
  readonly step: PlayerStepName
  readonly at: number
  readonly detail?: string
}

/** The instants of a view, in the order in which they can happen. */
export type PlayerStepName =
  | 'view-asked'
  | 'view-granted'
  | 'offer-made'
  | 'candidates-gathered'
  | 'offer-posted'
  | 'answer-received'
  | 'ice-connected'
  | 'dtls-connected'
  | 'first-frame'
  | 'talking'
  | 'talk-ended'
  | 'lost'
  | 'hung-up'

/** RTCIceServer of the W3C WebRTC API, which nobody changes. */
export interface IceServer {
  readonly urls: string | readonly string[]
  readonly username?: string
  readonly credential?: string
}

/** Where the picture is shown, by which servers, and how an offer reaches the camera. */
export interface DisplayOptions {
  /** Shows the picture and plays the sound. Its `srcObject` belongs to the display until `close`. */
  readonly video: HTMLVideoElement
  readonly iceServers: readonly IceServer[]
  /** Brings the complete SDP offer to the camera's side, and its complete SDP answer back. */
  exchange(offer: string, signal: AbortSignal): Promise<string>
  onStep?(step: PlayerStep): void
  /** The connection was there, and is not any more. Called once, and not after `close`. */
  onLost?(detail: string): void
  /** It shows what was recorded, and learns by this how that is played. */
  onPlayback?(state: PlaybackNow): void
  /** Gives up before there is a connection. */
  readonly signal?: AbortSignal
}

/** A connection whose media flow, as `connectDisplay` gives it. */
export interface Display {
  /** False when the camera takes no sound, or none of this viewer. */
  readonly canTalk: boolean
  /** False when the camera sends sound only. */
  readonly hasPicture: boolean
  /** Commands what was recorded, where that is shown. */
  readonly playback: PlaybackLink | undefined
  /** Opens or mutes the microphone. Throws a `PlayerError` when there is none. */
  talk(on: boolean): Promise<void>
  stats(): Promise<PlayerStats>
  close(): void
}

/** Candidates that are not there by then are left out: neither side trickles. */
const gatherMs = 2_000
const connectMs = 15_000
/** `disconnected` is often a moment without network. */
const patienceMs = 4_000

/** Resolves when media may flow; throws a `PlayerError`, and lets go of everything, when it does not come to that. */
export async function connectDisplay(options: DisplayOptions): Promise<Display> {
  const { video } = options
  const startedAt = performance.now()
  const hangUp = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, hangUp.signal]) : hangUp.signal
  const iceServers = options.iceServers.map((server) => ({ ...server, urls: [server.urls].flat() }))
  const peer = new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' })
  const stream = new MediaStream()
  let firstFrameMs: number | undefined
  let patience: ReturnType<typeof setTimeout> | undefined

  const note = (step: PlayerStepName, detail?: string): void =>
    options.onStep?.({ step, at: Date.now(), ...(detail === undefined ? {} : { detail }) })

  const link = createLinkSteps(note)

  const microphone = createMicrophone(() => note('talk-ended', 'the microphone is gone'))

  const close = (): void => {
    if (hangUp.signal.aborted) return
    hangUp.abort()
    clearTimeout(patience)
    microphone.close()
    peer.close()
    if (video.srcObject === stream) video.srcObject = null
  }
  const lose = (detail: string): void => {
    if (hangUp.signal.aborted) return
    note('lost', detail)
    close()
    options.onLost?.(detail)
  }

  try {
    signal.throwIfAborted()
    peer.addEventListener('track', ({ track }) => stream.addTrack(track))
    video.srcObject = stream
    whenFrame(video, signal, () => {
      firstFrameMs = performance.now() - startedAt
      link.secured()
      note('first-frame', `${video.videoWidth} × ${video.videoHeight}`)
    })
    const picture = peer.addTransceiver('video', { direction: 'recvonly' })
    // It may carry the microphone later without another negotiation.
    const sound = peer.addTransceiver('audio', { direction: options.onPlayback ? 'recvonly' : 'sendrecv' })
    const playback = options.onPlayback && openPlayback(peer, options.onPlayback)
    await peer.setLocalDescription()
    note('offer-made')
    await gathered(peer, signal)
    const offer = peer.localDescription?.sdp ?? ''
    note('candidates-gathered', candidateKinds(offer))
    note('offer-posted')
    const answer = await options.exchange(offer, signal)
    signal.throwIfAborted()
    note('answer-received', candidateKinds(answer))
    const linked = connected(peer, signal, link)
    await Promise.all([linked, peer.setRemoteDescription({ type: 'answer', sdp: answer })])
    peer.addEventListener('connectionstatechange', () => {
      clearTimeout(patience)
      if (peer.connectionState === 'failed' || peer.connectionState === 'closed') lose(peer.connectionState)
      if (peer.connectionState === 'disconnected') patience = setTimeout(lose, patienceMs, 'disconnected')
    })
    const canTalk = sound.currentDirection === 'sendrecv' || sound.currentDirection === 'sendonly'
    return {
      canTalk,
      hasPicture: picture.currentDirection === 'recvonly',
      playback,
      async talk(on) {
        if (on && !canTalk)
          throw new PlayerError({ code: 'talk_refused', message: 'This camera takes no sound from you.' })
        const isChanged = await microphone.set(on, sound.sender)
        if (isChanged) note(on ? 'talking' : 'talk-ended')
      },
      stats: () => readStats(peer, firstFrameMs),
      close() {
        if (!hangUp.signal.aborted) note('hung-up')
        close()
      },
    }
  } catch (error) {
    close()
    throw error
  }
}

/** Calls back at the first picture that is really shown. */
function whenFrame(video: HTMLVideoElement, signal: AbortSignal, call: () => void): void {
  if (!('requestVideoFrameCallback' in video)) {
    // Firefox before 132.
    ;(video as HTMLVideoElement).addEventListener('timeupdate', call, { once: true, signal })
    return
  }
  const handle = video.requestVideoFrameCallback(call)
  signal.addEventListener('abort', () => video.cancelVideoFrameCallback(handle), { once: true })
}

async function gathered(peer: RTCPeerConnection, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, gatherMs)
  const look = (): void => {
    if (peer.iceGatheringState === 'complete') resolve()
  }
  const abort = (): void => reject(signal.reason)
  peer.addEventListener('icegatheringstatechange', look)
  signal.addEventListener('abort', abort)
  try {
    look()
    await promise
  } finally {
    clearTimeout(timer)
    peer.removeEventListener('icegatheringstatechange', look)
    signal.removeEventListener('abort', abort)
  }
}

interface LinkSteps {
  readonly isFound: boolean
  /** ICE has found a way. */
  found(): void
  /** DTLS has secured it. */
  secured(): void
}

/** Notes ICE and DTLS once each, in this order: a busy browser tells of the connection later than it shows its picture. */
function createLinkSteps(note: (step: PlayerStepName) => void): LinkSteps {
  const noted = new Set<PlayerStepName>()
  const once = (step: PlayerStepName): void => {
    if (noted.has(step)) return
    noted.add(step)
    note(step)
  }
  return {
    get isFound() {
      return noted.has('ice-connected')
    },
    found: () => once('ice-connected'),
    secured() {
      once('ice-connected')
      once('dtls-connected')
    },
  }
}

/** ICE and then DTLS, or the reason why not. */
async function connected(peer: RTCPeerConnection, signal: AbortSignal, link: LinkSteps): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const fail = (message: string): void =>
    reject(
      new PlayerError({
        code: 'media_failed',
        message,
        advice:
          'Usually a network between the two lets no UDP through: give the bridge a TURN server (TRANSOM_TURN_URLS).',
      }),
    )
  const look = (): void => {
    if (['connected', 'completed'].includes(peer.iceConnectionState)) link.found()
    if (peer.connectionState === 'connected') {
      link.secured()
      resolve()
    }
    if (peer.connectionState === 'failed')
      fail(link.isFound ? 'The media connection could not be secured.' : 'No way to the camera was found.')
  }
  const timer = setTimeout(() => fail('The camera answered, and no connection to it came about.'), connectMs)
  const abort = (): void => reject(signal.reason)
  peer.addEventListener('iceconnectionstatechange', look)
  peer.addEventListener('connectionstatechange', look)
  signal.addEventListener('abort', abort)
  try {
    await promise
  } finally {
    clearTimeout(timer)
    peer.removeEventListener('iceconnectionstatechange', look)
    peer.removeEventListener('connectionstatechange', look)
    signal.removeEventListener('abort', abort)
  }
}

/** `2 host, 1 srflx`, for the story; never an address. */
function candidateKinds(sdp: string): string {
  const count = new Map<string, number>()
  for (const [, kind = ''] of sdp.matchAll(/^a=candidate:.* typ (\w+)/gm)) count.set(kind, (count.get(kind) ?? 0) + 1)
  return [...count].map(([kind, times]) => `${times} ${kind}`).join(', ') || 'no candidates'
}
