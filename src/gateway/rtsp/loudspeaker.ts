/**
 * The loudspeaker of a camera: what viewers say, by ONVIF's back channel (Streaming Specification section 5.3). It is open
 * only while somebody talks: an open one blocks the vendor's app, and the call button of some cameras.
 */
import { randomInt } from 'node:crypto'
import type { Log } from 'transom-core/ports'
import { encodeG711, type Law } from '../g711.ts'
import { openListener, packetMs, packetSamples, powerOf, rate } from '../listener.ts'
import { faultOf, SourceError, type SoundCodec } from '../media.ts'
import type { Ear } from '../talk-back.ts'
import type { Channel, Client } from './client.ts'
import type { Track } from './description.ts'
import { writePacket } from './rtp.ts'

/** Quieter than this (RMS, 1 is full scale) nobody talks. */
const voiceLevel = 0.004
/** What is kept of the time before the first word and while the channel opens, in packets. */
const mostQueued = 50
/** So many wait before the first is played: displays send in bursts. */
const cushion = 2
/** Silence of this length ends the talk. */
const hangUpMs = 3_000
/** After a failure the next word does not try again at once. */
const retryMs = 5_000

export interface Loudspeaker {
  /** What one viewer says. The first that talks has the floor until it is silent for a while. */
  createEar(codec: SoundCodec, onBroken: (message: string) => void): Promise<Ear>
  close(): Promise<void>
}

export const lawOf = ({ encoding, clockRate, isBackChannel }: Track): Law | undefined =>
  isBackChannel && clockRate === rate && (encoding === 'PCMU' || encoding === 'PCMA') ? encoding : undefined

interface Packet {
  readonly samples: Int16Array
  /** Told whether the camera accepted it. */
  readonly settle: (isAccepted: boolean) => void
}

/** `open` connects to the camera; it is asked for each talk anew. */
export function createLoudspeaker(open: (signal: AbortSignal) => Promise<Client>, log: Log): Loudspeaker {
  let floor: object | undefined
  let talk: Talk | undefined
  let notBefore = 0
  const ending = new Set<Promise<void>>()

  function end(): void {
    const ended = talk?.close()
    talk = undefined
    floor = undefined
    if (!ended) return
    ending.add(ended)
    void ended.finally(() => ending.delete(ended))
  }
  function begin(): Talk | undefined {
    if (performance.now() < notBefore) return undefined
    talk ??= startTalk(open, (error) => {
      if (error) {
        notBefore = performance.now() + retryMs
        log('warn', 'talk-back-failed', { message: faultOf(error).message })
      }
      end()
    })
    return talk
  }

  return {
    async createEar(codec, onBroken) {
      const listen = await openListener(codec, onBroken)
      const me = {}
      const before: Packet[] = []
      let accepted = 0
      let squares = 0
      let samples = 0
      const settle = (isAccepted: boolean) => void (accepted += isAccepted ? 1 : 0)
      return {
        hear(payload) {
          for (const heard of listen.hear(payload)) {
            const power = powerOf(heard)
            squares += power
            samples += heard.length
            before.push({ samples: heard, settle })
            if (before.length > mostQueued) before.shift()
            const isVoice = Math.sqrt(power / heard.length) > voiceLevel
            if (isVoice) floor ??= me
            if (floor !== me) continue
            // The first syllable came before it was loud enough.
            const current = begin()
            for (const packet of before.splice(0)) current?.play(packet, isVoice)
          }
        },
        heard() {
          const level = samples === 0 ? 0 : Number(Math.min(1, Math.sqrt(squares / samples)).toFixed(4))
          squares = 0
          samples = 0
          return { packets: accepted, level }
        },
        close() {
          listen.close()
          if (floor === me) end()
        },
      }
    },
    async close() {
      end()
      await Promise.all(ending)
    },
  }
}

interface Talk {
  play(packet: Packet, isVoice: boolean): void
  close(): Promise<void>
}

/** `onEnd`: the camera ended it, with an error, or nobody talks any more. */
function startTalk(open: (signal: AbortSignal) => Promise<Client>, onEnd: (error?: unknown) => void): Talk {
  const life = new AbortController()
  const queue: Packet[] = []
  let ticking: NodeJS.Timeout | undefined
  let voiceAt = performance.now()
  let client: Client | undefined

  async function run(): Promise<void> {
    client = await open(life.signal)
    const track = client.description.tracks.find((each) => lawOf(each))
    const law = track && lawOf(track)
    if (!track || !law) throw new SourceError('source_garbled', 'the camera has no back channel any more')
    const channel = (await client.play([track], { rtp: () => undefined, rtcp: () => undefined })).get(track)
    if (channel && !life.signal.aborted) tick(channel, track.payloadType, law)
    const reason = await client.ended
    if (!life.signal.aborted) throw reason
  }

  /** By the clock, not by what comes: each tick plays what is due by now. */
  function tick(channel: Channel, payloadType: number, law: Law): void {
    const ssrc = randomInt(1, 0xffff_ffff)
    let sequenceNumber = randomInt(0x1_0000)
    const startedAt = performance.now()
    let slot = 0
    let isPlaying = false
    ticking = setInterval(() => {
      const due = Math.floor((performance.now() - startedAt) / packetMs)
      for (; slot < due; slot += 1) {
        const isFirst = !isPlaying
        if (!isPlaying && queue.length < cushion) continue
        const packet = queue.shift()
        isPlaying = packet !== undefined
        if (!packet) continue
        const head = {
          payloadType,
          marker: isFirst,
          sequenceNumber: sequenceNumber++,
          timestamp: slot * packetSamples,
          ssrc,
        }
        packet.settle(channel.sendRtp(writePacket(head, encodeG711(law, packet.samples))))
      }
      if (performance.now() - voiceAt > hangUpMs) onEnd()
    }, packetMs)
  }

  const running = run().catch((error: unknown) => {
    if (!life.signal.aborted) onEnd(error)
  })
  return {
    play(packet, isVoice) {
      if (isVoice) voiceAt = performance.now()
      queue.push(packet)
      if (queue.length > mostQueued) queue.shift()
    },
    async close() {
      clearInterval(ticking)
      // Before the abort, which cuts the connection: cameras want a TEARDOWN.
      await client?.close()
      life.abort()
      await running
      await client?.close()
    },
  }
}
