/** The display's end of the media connection: ICE, DTLS and SRTP of werift, under an offer that is written by hand. */

import { randomBytes, randomInt } from 'node:crypto'
import {
  PictureLossIndication,
  RtcpPayloadSpecificFeedback,
  RtcpRrPacket,
  RtcpSourceDescriptionPacket,
  RtpHeader,
  type RtpPacket,
  SourceDescriptionChunk,
  SourceDescriptionItem,
} from 'werift'
import type { Answer } from './answer.ts'
import { createTransport, type TransportOptions, type TransportStep } from './display-transport.ts'
import type { Ffmpeg } from './decoder.ts'
import { echoOffer, hubOffer } from './offer.ts'
import type { Seen } from './pictures.ts'
import { createScreen } from './screen.ts'
import { SAMPLES_PER_PACKET } from './tone.ts'

export interface DisplayOptions extends TransportOptions {
  /** Decodes the pictures; without it they are judged as far as that goes without decoding. */
  readonly ffmpeg?: Ffmpeg | undefined
  /** Called at each milestone, in the moment it is reached. */
  readonly onStep: (step: DisplayStep) => void
}

export type DisplayStep = TransportStep | 'first-video' | 'first-audio' | 'first-frame' | 'lost'

/** What has arrived and gone out so far. */
export interface Traffic {
  readonly videoPackets: number
  readonly frames: number
  readonly profileLevelId: string | undefined
  readonly audioPackets: number
  readonly talkBackPackets: number
  /** For how long nothing had come when the display hung up, milliseconds. */
  readonly quietMs: number
}

export interface Display {
  /** Gathers candidates and writes the offer. */
  offer(signal: AbortSignal): Promise<string>
  /** Connects by a checked answer. Resolves when media may flow; throws `ice_failed` or `dtls_failed`. */
  connect(answer: Answer, signal: AbortSignal): Promise<void>
  /** Sends these 20 ms Opus packets in a loop until `close`. */
  talk(packets: readonly Buffer[]): void
  traffic(): Traffic
  /** True once a picture has come that decoding can start with. */
  hasPicture(): boolean
  /** Says goodbye and lets go of every socket and timer. */
  close(): Promise<void>
  /** What the pictures were like, once all are decoded. To be called once, after `close`. Rejects when FFmpeg itself fails. */
  seen(): Promise<Seen>
}

const PACKET_MS = 20
/** A display repeats its wish for a key frame until one is there, but not faster than cameras can make one. */
const PLI_INTERVAL_MS = 500

/** Opens no socket before `offer`. */
export async function createDisplay(options: DisplayOptions): Promise<Display> {
  const { style, onStep, ffmpeg } = options
  const transport = await createTransport(options)
  const { dtls } = transport

  const audioSsrc = randomInt(2, 0xffffffff)
  const videoSsrc = randomInt(2, 0xffffffff)
  // An Echo speaks RTCP under the SSRC of its video section, Chromium under 1 where it only receives.
  const reporter = style === 'echo' ? videoSsrc : 1
  const cname = style === 'echo' ? `user${randomInt(1e9, 1e10)}@host-${hex(4)}` : hex(8)
  let screen = createScreen('H264', ffmpeg)
  const count = { video: 0, audio: 0, talkBack: 0 }
  const timers = new Set<NodeJS.Timeout>()
  let answered: Answer | undefined
  let closed = false

  let lastMediaAt = performance.now()
  let closedAt: number | undefined

  dtls.onRtp.subscribe(({ header, payload }: RtpPacket) => {
    lastMediaAt = performance.now()
    if (header.payloadType === answered?.video?.payloadType) {
      count.video += 1
      if (count.video === 1) {
        onStep('first-video')
        askForKeyFrames(header.ssrc)
      }
      if (closed) return
      const { sequenceNumber, timestamp, marker } = header
      const hadPicture = screen.hasPicture()
      screen.push({ sequenceNumber, timestamp, marker, payload }, lastMediaAt)
      if (!hadPicture && screen.hasPicture()) onStep('first-frame')
    } else if (header.payloadType === answered?.audio.payloadType) {
      count.audio += 1
      if (count.audio === 1) onStep('first-audio')
    }
  })
  const onEnd = (state: string): void => {
    if (!closed && ['failed', 'closed', 'disconnected'].includes(state)) onStep('lost')
  }
  dtls.onStateChange.subscribe(onEnd)
  transport.ice.onStateChange.subscribe(onEnd)

  const every = (ms: number, work: () => void): void => void timers.add(setInterval(work, ms))

  function askForKeyFrames(ssrc: number): void {
    const ask = (): void => {
      if (screen.hasPicture()) return
      dtls.sendRtcp(keyFrameRequest(reporter, cname, ssrc)).catch(() => onEnd('failed'))
    }
    ask()
    every(PLI_INTERVAL_MS, ask)
  }

  return {
    async offer(signal) {
      const end = { ...(await transport.gather(signal)), audioSsrc, videoSsrc, cname }
      return style === 'echo' ? echoOffer(end) : hubOffer(end)
    },

    async connect(answer, signal) {
      answered = answer
      screen = createScreen(answer.video?.codec ?? 'H264', ffmpeg)
      await transport.connect(answer, signal)
    },

    talk(packets) {
      const payloadType = answered?.audio.payloadType
      if (payloadType === undefined || packets.length === 0) return
      const headerOf = createHeaders(payloadType, audioSsrc)
      every(
        PACKET_MS,
        inTime(packets, (payload) => {
          dtls.sendRtp(payload, headerOf(count.talkBack)).catch(() => onEnd('failed'))
          count.talkBack += 1
        }),
      )
    },

    traffic: () => ({
      videoPackets: count.video,
      frames: screen.frames(),
      profileLevelId: screen.profileLevelId(),
      audioPackets: count.audio,
      talkBackPackets: count.talkBack,
      quietMs: (closedAt ?? performance.now()) - lastMediaAt,
    }),

    hasPicture: () => screen.hasPicture(),

    async close() {
      if (closed) return
      closed = true
      closedAt = performance.now()
      for (const timer of timers) clearInterval(timer)
      await dtls.stop()
    },

    seen: () => screen.seen(closedAt ?? performance.now()),
  }
}

/** Gives these packets in a loop, as many as are due whenever it is called: a timer that is late loses none. */
function inTime(packets: readonly Buffer[], send: (payload: Buffer) => void): () => void {
  const begunAt = performance.now()
  let sent = 0
  return () => {
    const due = Math.floor((performance.now() - begunAt) / PACKET_MS)
    for (; sent < due; sent += 1) send(packets[sent % packets.length] ?? Buffer.alloc(0))
  }
}

/** RFC 4585 section 3.5.3: feedback travels in a compound packet that begins with a report and a name. */
function keyFrameRequest(reporter: number, cname: string, mediaSsrc: number) {
  const name = new SourceDescriptionItem({ type: 1, text: cname })
  return [
    new RtcpRrPacket({ ssrc: reporter }),
    new RtcpSourceDescriptionPacket({ chunks: [new SourceDescriptionChunk({ source: reporter, items: [name] })] }),
    new RtcpPayloadSpecificFeedback({ feedback: new PictureLossIndication({ senderSsrc: reporter, mediaSsrc }) }),
  ]
}

/** The headers of one stream of Opus packets, each by the packet's number. */
function createHeaders(payloadType: number, ssrc: number): (index: number) => RtpHeader {
  const first = { sequenceNumber: randomInt(0xffff), timestamp: randomInt(0xffffffff) }
  return (index) =>
    new RtpHeader({
      payloadType,
      ssrc,
      marker: index === 0,
      sequenceNumber: (first.sequenceNumber + index) & 0xffff,
      timestamp: (first.timestamp + index * SAMPLES_PER_PACKET) >>> 0,
    })
}

const hex = (bytes: number): string => randomBytes(bytes).toString('hex')
