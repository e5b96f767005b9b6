/** The display's end of the media connection: ICE, DTLS and SRTP of werift, under an offer that is written by hand. */

import { randomBytes, randomInt } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import {
  IceCandidate,
  parseIceServers,
  PictureLossIndication,
  RTCDtlsFingerprint,
  RTCDtlsParameters,
  RTCDtlsTransport,
  RTCIceGatherer,
  RTCIceParameters,
  RTCIceTransport,
  RtcpPayloadSpecificFeedback,
  RtcpRrPacket,
  RtcpSourceDescriptionPacket,
  RtpHeader,
  type RtpPacket,
  SourceDescriptionChunk,
  SourceDescriptionItem,
} from 'werift'
import type { IceServer } from 'transom-core/ports'
import type { Answer } from './answer.ts'
import { CallError } from './causes.ts'
import { untilAborted, bounded } from 'transom-core/deadline'
import { createH264Receiver } from './h264.ts'
import { createVp8Receiver } from './vp8.ts'
import { echoOffer, hubOffer } from './offer.ts'
import { SAMPLES_PER_PACKET } from './tone.ts'

export interface DisplayOptions {
  /** `echo` as Amazon's media server behind an Echo Show, `hub` as the player page of a Nest Hub. */
  readonly style: 'echo' | 'hub'
  readonly iceServers: readonly IceServer[]
  readonly limits: DisplayLimits
  /** Called at each milestone, in the moment it is reached. */
  readonly onStep: (step: DisplayStep) => void
}

export type DisplayStep = 'ice-connected' | 'dtls-connected' | 'first-video' | 'first-audio' | 'first-frame' | 'lost'

/** Milliseconds. */
export interface DisplayLimits {
  /** How long candidates are gathered; those that are not there by then are left out. */
  readonly gatherMs: number
  readonly iceMs: number
  readonly dtlsMs: number
}

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
}

/** SRTP profiles offered in DTLS (RFC 5764, RFC 7714): AEAD_AES_128_GCM before AES128_CM_HMAC_SHA1_80. */
const SRTP_PROFILES = [7, 1] as const
const PACKET_MS = 20
/** A display repeats its wish for a key frame until one is there, but not faster than cameras can make one. */
const PLI_INTERVAL_MS = 500

export async function createDisplay(options: DisplayOptions): Promise<Display> {
  const { style, limits, onStep } = options
  const certificate = await RTCDtlsTransport.SetupCertificate()
  const ice = new RTCIceTransport(
    new RTCIceGatherer({
      ...parseIceServers(options.iceServers.map((server) => ({ ...server, urls: [...server.urls] }))),
      stunGatherTimeout: limits.gatherMs / 1000,
      useIpv4: true,
      useIpv6: style === 'hub',
      // Without any network, two programs on one machine can still meet on the loopback.
      additionalHostAddresses: hasNetwork() ? [] : ['127.0.0.1'],
    }),
  )
  ice.connection.iceControlling = true
  const dtls = new RTCDtlsTransport({}, ice, certificate, [...SRTP_PROFILES])

  const audioSsrc = randomInt(2, 0xffffffff)
  const videoSsrc = randomInt(2, 0xffffffff)
  // An Echo speaks RTCP under the SSRC of its video section, Chromium under 1 where it only receives.
  const reporter = style === 'echo' ? videoSsrc : 1
  const cname = style === 'echo' ? `user${randomInt(1e9, 1e10)}@host-${hex(4)}` : hex(8)
  let video = createH264Receiver()
  const count = { video: 0, audio: 0, talkBack: 0 }
  const timers = new Set<NodeJS.Timeout>()
  let answered: Answer | undefined
  let started = false
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
      const { sequenceNumber, timestamp, marker } = header
      if (!video.push({ sequenceNumber, timestamp, marker, payload }) || started) return
      started = true
      onStep('first-frame')
    } else if (header.payloadType === answered?.audio.payloadType) {
      count.audio += 1
      if (count.audio === 1) onStep('first-audio')
    }
  })
  const onEnd = (state: string): void => {
    if (!closed && ['failed', 'closed', 'disconnected'].includes(state)) onStep('lost')
  }
  dtls.onStateChange.subscribe(onEnd)
  ice.onStateChange.subscribe(onEnd)

  function every(ms: number, work: () => void): void {
    timers.add(setInterval(work, ms))
  }

  function askForKeyFrames(ssrc: number): void {
    const ask = (): void => {
      if (started) return
      // RFC 4585 section 3.5.3: feedback travels in a compound packet that begins with a report and a name.
      const name = new SourceDescriptionItem({ type: 1, text: cname })
      const packets = [
        new RtcpRrPacket({ ssrc: reporter }),
        new RtcpSourceDescriptionPacket({ chunks: [new SourceDescriptionChunk({ source: reporter, items: [name] })] }),
        new RtcpPayloadSpecificFeedback({
          feedback: new PictureLossIndication({ senderSsrc: reporter, mediaSsrc: ssrc }),
        }),
      ]
      dtls.sendRtcp(packets).catch(() => onEnd('failed'))
    }
    ask()
    every(PLI_INTERVAL_MS, ask)
  }

  return {
    async offer(signal) {
      // Gathering may take 40 s when a server is silent: what has come by the deadline must do.
      const cut = new CallError('ice_failed', 'gathering was cut short')
      await bounded(
        signal,
        limits.gatherMs,
        () => cut,
        (within) => untilAborted(ice.gather(), within),
      ).catch((error: unknown) => {
        if (error !== cut) throw error
      })
      const { usernameFragment: ufrag, password } = ice.localParameters
      const [fingerprint] = certificate.getFingerprints()
      const candidates = ice.localCandidates.map(({ ip, port, type, priority, relatedAddress, relatedPort }) => {
        return { address: ip, port, type, priority, relatedAddress, relatedPort }
      })
      const end = { ufrag, password, fingerprint: fingerprint?.value ?? '', candidates, audioSsrc, videoSsrc, cname }
      return style === 'echo' ? echoOffer(end) : hubOffer(end)
    },

    async connect(answer, signal) {
      answered = answer
      if (/^vp8$/i.test(answer.video?.codec ?? '')) video = createVp8Receiver()
      ice.setRemoteParams(new RTCIceParameters({ usernameFragment: answer.ufrag, password: answer.password }))
      for (const candidate of answer.candidates) {
        const parsed = IceCandidate.fromJSON({ candidate, sdpMLineIndex: 0 })
        if (parsed !== undefined) await ice.addRemoteCandidate(parsed)
      }
      await ice.addRemoteCandidate()
      const { algorithm, value } = answer.fingerprint
      const isServer = answer.setup === 'active'
      dtls.role = isServer ? 'server' : 'client'
      dtls.setRemoteParams(
        new RTCDtlsParameters([new RTCDtlsFingerprint(algorithm, value)], isServer ? 'client' : 'server'),
      )
      await bounded(
        signal,
        limits.iceMs,
        () => new CallError('ice_failed', iceSummary(answer)),
        async (within) => {
          await untilAborted(
            ice.start().catch((error: unknown) => {
              throw new CallError('ice_failed', iceSummary(answer), { cause: error })
            }),
            within,
          )
        },
      )
      onStep('ice-connected')
      await bounded(
        signal,
        limits.dtlsMs,
        () => new CallError('dtls_failed', 'no DTLS handshake in time'),
        (within) => untilAborted(secure(), within),
      )
      onStep('dtls-connected')
    },

    talk(packets) {
      const payloadType = answered?.audio.payloadType
      if (payloadType === undefined || packets.length === 0) return
      const first = { at: performance.now(), sequenceNumber: randomInt(0xffff), timestamp: randomInt(0xffffffff) }
      every(PACKET_MS, () => {
        const due = Math.floor((performance.now() - first.at) / PACKET_MS)
        for (; count.talkBack < due; count.talkBack += 1) {
          const header = new RtpHeader({
            payloadType,
            ssrc: audioSsrc,
            marker: count.talkBack === 0,
            sequenceNumber: (first.sequenceNumber + count.talkBack) & 0xffff,
            timestamp: (first.timestamp + count.talkBack * SAMPLES_PER_PACKET) >>> 0,
          })
          const payload = packets[count.talkBack % packets.length] ?? Buffer.alloc(0)
          dtls.sendRtp(payload, header).catch(() => onEnd('failed'))
        }
      })
    },

    traffic: () => ({
      videoPackets: count.video,
      frames: video.frames(),
      profileLevelId: video.profileLevelId(),
      audioPackets: count.audio,
      talkBackPackets: count.talkBack,
      quietMs: (closedAt ?? performance.now()) - lastMediaAt,
    }),

    hasPicture: () => started,

    async close() {
      if (closed) return
      closed = true
      closedAt = performance.now()
      for (const timer of timers) clearInterval(timer)
      await dtls.stop()
    },
  }

  async function secure(): Promise<void> {
    try {
      await dtls.start()
    } catch (error) {
      throw new CallError('dtls_failed', error instanceof Error ? error.message : String(error), { cause: error })
    }
  }
}

function iceSummary({ candidates }: Answer): string {
  const kinds = new Set(candidates.map((candidate) => / typ (\w+)/.exec(candidate)?.[1] ?? 'unknown'))
  return `no check succeeded with the camera's ${candidates.length} candidates (${[...kinds].join(', ')})`
}

const hex = (bytes: number): string => randomBytes(bytes).toString('hex')

const hasNetwork = (): boolean =>
  Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ internal, family }) => !internal && family === 'IPv4'),
  )
