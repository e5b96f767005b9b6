/** One connection of a display to a camera: a complete offer out, a complete answer in, then picture, sound and talk-back. */
import { PlayerError } from './problem.ts'
import { readStats, type PlayerStats } from './stats.ts'

/** One instant of the browser's side of the story; `at` in epoch milliseconds. */
export interface PlayerStep {
  readonly step: PlayerStepName
  readonly at: number
  readonly detail?: string
}

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

export interface DisplayOptions {
  /** Shows the picture and plays the sound. Its `srcObject` belongs to the display until `close`. */
  readonly video: HTMLVideoElement
  readonly iceServers: readonly RTCIceServer[]
  /** Brings the complete SDP offer to the camera's side, and its complete SDP answer back. */
  exchange(offer: string, signal: AbortSignal): Promise<string>
  onStep?(step: PlayerStep): void
  /** The connection was there, and is not any more. Called once, and not after `close`. */
  onLost?(detail: string): void
  /** Gives up before there is a connection. */
  readonly signal?: AbortSignal
}

export interface Display {
  /** False when the camera takes no sound, or none of this viewer. */
  readonly canTalk: boolean
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
/** How long a muted microphone stays open: the next word of a conversation must not wait for it. */
const microphoneMs = 5_000

/** Resolves when media may flow; throws a `PlayerError`, and lets go of everything, when it does not come to that. */
export async function connectDisplay(options: DisplayOptions): Promise<Display> {
  const { video } = options
  const startedAt = performance.now()
  const hangUp = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, hangUp.signal]) : hangUp.signal
  const peer = new RTCPeerConnection({ iceServers: [...options.iceServers], bundlePolicy: 'max-bundle' })
  const stream = new MediaStream()
  const microphone = createMicrophone()
  let firstFrameMs: number | undefined
  let patience: ReturnType<typeof setTimeout> | undefined

  const note = (step: PlayerStepName, detail?: string): void =>
    options.onStep?.({ step, at: Date.now(), ...(detail === undefined ? {} : { detail }) })

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
      note('first-frame', `${video.videoWidth} × ${video.videoHeight}`)
    })
    peer.addTransceiver('video', { direction: 'recvonly' })
    // It may carry the microphone later without another negotiation.
    const sound = peer.addTransceiver('audio', { direction: 'sendrecv' })
    await peer.setLocalDescription()
    note('offer-made')
    await gathered(peer, signal)
    const offer = peer.localDescription?.sdp ?? ''
    note('candidates-gathered', candidateKinds(offer))
    note('offer-posted')
    const answer = await options.exchange(offer, signal)
    signal.throwIfAborted()
    note('answer-received', candidateKinds(answer))
    const linked = connected(peer, signal, note)
    await Promise.all([linked, peer.setRemoteDescription({ type: 'answer', sdp: answer })])
    peer.addEventListener('connectionstatechange', () => {
      clearTimeout(patience)
      if (peer.connectionState === 'failed' || peer.connectionState === 'closed') lose(peer.connectionState)
      if (peer.connectionState === 'disconnected') patience = setTimeout(lose, patienceMs, 'disconnected')
    })
    const canTalk = sound.currentDirection === 'sendrecv' || sound.currentDirection === 'sendonly'
    return {
      canTalk,
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

/** ICE and then DTLS, or the reason why not. */
async function connected(
  peer: RTCPeerConnection,
  signal: AbortSignal,
  note: (step: PlayerStepName, detail?: string) => void,
): Promise<void> {
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
  let isIceNoted = false
  const look = (): void => {
    const isIce = ['connected', 'completed'].includes(peer.iceConnectionState) || peer.connectionState === 'connected'
    if (isIce && !isIceNoted) {
      isIceNoted = true
      note('ice-connected')
    }
    if (peer.connectionState === 'connected') {
      note('dtls-connected')
      resolve()
    }
    if (peer.connectionState === 'failed')
      fail(isIceNoted ? 'The media connection could not be secured.' : 'No way to the camera was found.')
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

interface Microphone {
  /** True when something changed. */
  set(on: boolean, sender: RTCRtpSender): Promise<boolean>
  close(): void
}

function createMicrophone(): Microphone {
  let opened: Promise<MediaStreamTrack> | undefined
  let wanted = false
  let isClosed = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const release = (): void => {
    // One that was refused has said so where it was asked for.
    void opened?.then((track) => track.stop()).catch(() => undefined)
    opened = undefined
  }
  return {
    async set(on, sender) {
      if (wanted === on) return false
      wanted = on
      clearTimeout(timer)
      if (!on) {
        await sender.replaceTrack(null)
        if (!wanted && !isClosed) timer = setTimeout(release, microphoneMs)
        return true
      }
      try {
        opened ??= openMicrophone()
        const track = await opened
        // The button may have been let go, or the call ended, while the browser asked for permission.
        if (isClosed || !wanted) return false
        await sender.replaceTrack(track)
        return true
      } catch (error) {
        wanted = false
        opened = undefined
        throw error
      }
    },
    close() {
      isClosed = true
      clearTimeout(timer)
      release()
    },
  }
}

async function openMicrophone(): Promise<MediaStreamTrack> {
  if (!globalThis.isSecureContext || navigator.mediaDevices === undefined)
    throw new PlayerError({
      code: 'microphone_refused',
      message: 'The browser gives no microphone to this page.',
      advice: 'Browsers give it to pages at https:// and at localhost only: open the bridge there.',
    })
  try {
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true }
    const opened = await navigator.mediaDevices.getUserMedia({ audio })
    const [track] = opened.getAudioTracks()
    if (track !== undefined) return track
  } catch (cause) {
    const isRefused = cause instanceof DOMException && cause.name === 'NotAllowedError'
    throw new PlayerError(
      isRefused
        ? {
            code: 'microphone_refused',
            message: 'You, or the browser, did not allow the microphone.',
            advice: 'Allow it in the settings of this site, beside the address, and try again.',
          }
        : { code: 'no_microphone', message: 'No microphone can be used.', advice: 'Connect one and try again.' },
      { cause },
    )
  }
  throw new PlayerError({ code: 'no_microphone', message: 'No microphone can be used.' })
}

/** `2 host, 1 srflx`, for the story; never an address. */
function candidateKinds(sdp: string): string {
  const count = new Map<string, number>()
  for (const [, kind = ''] of sdp.matchAll(/^a=candidate:.* typ (\w+)/gm)) count.set(kind, (count.get(kind) ?? 0) + 1)
  return [...count].map(([kind, times]) => `${times} ${kind}`).join(', ') || 'no candidates'
}
