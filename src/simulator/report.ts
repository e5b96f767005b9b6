/** What a call came to: the verdict of the simulator, and the report with every measured figure. */

import type { Answer } from './answer.ts'
import type { Assistant, FoundCamera } from './assistant.ts'
import { CallError } from './causes.ts'
import type { Display, DisplayStep, Traffic } from './display.ts'
import type { Surface } from './google.ts'
import { fitsProfile } from './h264-profile.ts'
import type { Link } from './link.ts'
import { judgePictures, remarkOn, type Seen } from './pictures.ts'
import type { Bell } from './ring.ts'
import type { SessionView } from './sessions.ts'
import type { AssistantName } from './settings.ts'
import type { Step, Timeline } from './timeline.ts'

export interface CallReport {
  readonly ok: boolean
  readonly assistant: AssistantName
  /** What was played: `Echo Show`, `Nest Hub`, … */
  readonly display: string
  readonly cameraId: string | null
  /** Milliseconds since the offer was sent; null when it did not come to that. */
  readonly answerMs: number | null
  readonly connectedMs: number | null
  readonly firstFrameMs: number | null
  /** Milliseconds from the press of the bell to the event and to the first frame; null when nobody rang. */
  readonly ring: { readonly announcedMs: number | null; readonly firstFrameMs: number | null } | null
  readonly video: {
    readonly codec: string | null
    readonly profileLevelId: string | null
    readonly packets: number
    readonly frames: number
    /** Pictures that could be decoded; null when that was not tried. */
    readonly decoded: number | null
    /** Why the pictures were not decoded; null when they were, or when the call did not get so far. */
    readonly reason: string | null
    /** What is worth knowing of the pictures, and no failure; null when there is nothing. */
    readonly remark: string | null
  }
  readonly audioIn: { readonly codec: string | null; readonly packets: number }
  /** `heardByCamera` is null when neither the bridge nor the camera says. */
  readonly audioOut: {
    readonly codec: string | null
    readonly packets: number
    readonly heardByCamera: number | null
    /** Why nothing was sent; null when something was, or when the call did not get so far. */
    readonly reason: string | null
  }
  /** The bridge's own cause when it has one, else what the simulator found; null when all is well. */
  readonly cause: { readonly code: string; readonly message: string } | null
  readonly timeline: readonly Step[]
  /** The bridge's timeline of the same call, in milliseconds since it received the offer. */
  readonly bridgeTimeline: readonly Step[]
}

/** The display's milestones as the timeline calls them. */
export const labels: Record<DisplayStep | 'pressed' | 'announced', string> = {
  pressed: 'doorbell pressed',
  announced: 'press announced',
  'ice-connected': 'ICE connected',
  'dtls-connected': 'DTLS connected',
  'first-video': 'first video packet',
  'first-audio': 'first audio packet',
  'first-frame': 'first video frame decodable',
  lost: 'connection lost',
}

const displayNames: Record<Surface, string> = { hub: 'Nest Hub', chromecast: 'Chromecast', phone: 'Phone' }

/** What a call leaves behind on its way, for the report and for the teardown. */
export interface Progress {
  link?: Link
  camera?: FoundCamera
  assistant?: Assistant
  display?: Display
  /** Set once the offer is on its way: from then on there is something to hang up. */
  offered?: boolean
  answer?: Answer
  bell?: Bell
  seen?: Seen
  /** The surface plays the picture from an address, without a display of ours. */
  isShown?: boolean
}

export const noTraffic: Traffic = {
  videoPackets: 0,
  frames: 0,
  profileLevelId: undefined,
  audioPackets: 0,
  talkBackPackets: 0,
  quietMs: 0,
}

/** Neither page nor assistants offer to talk at such a camera. */
const noWayBack = 'the camera has no way back for sound (no speaker), or this account may only look'

/** Whether pictures were black, or all alike, is told by decoding alone. */
const notDecoded = 'pictures were not decoded, FFmpeg is not installed: run npm install node-av'

/** A stream of 50 sound packets a second that is silent for so long has ended. */
const mostQuietMs = 2_000

/** What is wrong with a call whose every step succeeded. */
export function judge(progress: Progress, traffic: Traffic, session: SessionView | undefined): CallError | undefined {
  if (traffic.videoPackets === 0) return new CallError('no_video')
  if (progress.display?.hasPicture() !== true) {
    return new CallError(
      'no_key_frame',
      `${traffic.videoPackets} video packets, and no complete key frame with SPS and PPS`,
    )
  }
  const announced = progress.answer?.video?.profileLevelId
  const { profileLevelId } = traffic
  if (announced !== undefined && profileLevelId !== undefined && !fitsProfile(profileLevelId, announced)) {
    return new CallError('profile_mismatch', `the stream is ${profileLevelId}, the answer announced ${announced}`)
  }
  if (traffic.quietMs > mostQuietMs) {
    return new CallError('media_stopped', `nothing came in the last ${Math.round(traffic.quietMs)} ms of the view`)
  }
  const unseen = progress.seen && judgePictures(progress.seen)
  if (unseen !== undefined) return unseen
  if (traffic.audioPackets === 0) return new CallError('no_audio')
  if (traffic.talkBackPackets > 0 && (session === undefined || heardPackets(session) === 0)) {
    const known = session === undefined ? 'the bridge shows no session of this call' : 'the camera reports none of them'
    return new CallError('talk_back_unheard', `${traffic.talkBackPackets} packets were sent, ${known}`)
  }
  return undefined
}

/** What the camera says it heard; null of one that says nothing of its viewers, as AWS's own SDKs do not. */
function heardPackets({ heard, timeline }: SessionView): number | null {
  return heard?.packets ?? (timeline.some(({ step }) => step === 'camera-connected') ? 0 : null)
}

/** The report of a call that ended with `own`, the simulator's finding. */
export function reportOn(
  options: Pick<CallReport, 'assistant'> & { readonly camera?: string; readonly surface?: Surface },
  timeline: Timeline,
  { camera, answer, seen }: Progress,
  traffic: Traffic,
  session: SessionView | undefined,
  own: CallError | undefined,
): CallReport {
  return {
    ok: own === undefined,
    assistant: options.assistant,
    display: options.assistant === 'alexa' ? 'Echo Show' : displayNames[options.surface ?? 'hub'],
    cameraId: camera?.id ?? options.camera ?? null,
    answerMs: timeline.since('answer received') ?? null,
    connectedMs: timeline.since(labels['dtls-connected']) ?? null,
    firstFrameMs: timeline.since(labels['first-frame']) ?? null,
    ring: ringOf(timeline),
    video: {
      codec: codec(traffic.videoPackets, answer?.video?.codec),
      profileLevelId: traffic.profileLevelId ?? null,
      packets: traffic.videoPackets,
      frames: traffic.frames,
      decoded: seen?.isDecoded === true ? seen.decoded : null,
      reason: seen?.isDecoded === false ? notDecoded : null,
      remark: (seen && remarkOn(seen)) ?? null,
    },
    audioIn: { codec: codec(traffic.audioPackets, answer?.audio.codec), packets: traffic.audioPackets },
    audioOut: {
      codec: codec(traffic.talkBackPackets, answer?.audio.codec),
      packets: traffic.talkBackPackets,
      // What was not sent, nobody can have heard.
      heardByCamera: session === undefined || traffic.talkBackPackets === 0 ? null : heardPackets(session),
      reason: answer === undefined || answer.audio.takes ? null : noWayBack,
    },
    cause: causeOf(own, session),
    timeline: timeline.steps(),
    bridgeTimeline: (session?.timeline ?? []).map(({ step, at, detail }) => {
      const atMs = at - (session?.startedAt ?? at)
      return detail === undefined
        ? { step, atMs }
        : { step, atMs, detail: typeof detail === 'string' ? detail : JSON.stringify(detail) }
    }),
  }
}

function ringOf(timeline: Timeline): CallReport['ring'] {
  const pressed = timeline.since(labels.pressed)
  if (pressed === undefined) return null
  const after = (step: string): number | null => {
    const at = timeline.since(step)
    return at === undefined ? null : Math.round((at - pressed) * 10) / 10
  }
  return { announcedMs: after(labels.announced), firstFrameMs: after(labels['first-frame']) }
}

/** A codec counts as measured only when packets of it were. */
const codec = (packets: number, name: string | undefined): string | null => (packets === 0 ? null : (name ?? null))

/** The bridge knows better why it failed; what the assistant saw of it stands behind. */
function causeOf(own: CallError | undefined, session: SessionView | undefined): CallReport['cause'] {
  if (own === undefined) return null
  const cause = session?.cause
  if (cause === undefined || own.code === 'interrupted') return { code: own.code, message: own.message }
  return { code: cause.code, message: `${cause.message} (${own.code}: ${own.message})` }
}
