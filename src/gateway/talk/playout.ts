/** Plays what somebody says to a camera in steps of 20 ms, and catches up with what was said while the camera opened its way. */
import { packetMs } from '../listener.ts'
import type { Line } from './speaker.ts'

/** What is kept while the way opens, in packets. */
const mostQueued = 50
/** So late is the first packet played, for those behind it may come unevenly. */
const cushionMs = packetMs
/** So many packets may wait: fewer are never shortened, since displays send in bursts. */
const cushion = 2
/** So many packets are watched before the talk catches up again. */
const observed = 10
/** So many silent packets before a word stay: the beginning of a syllable is not loud yet. */
const onset = 3
/** Silence of this length ends the talk. */
const hangUpMs = 3_000

/** 20 ms of what somebody says. */
export interface Packet {
  readonly samples: Int16Array
  readonly heardAt: number
  readonly isVoice: boolean
  /** Told when the camera has accepted it: how long it waited here, without the time in which the way was not open yet. */
  readonly accepted: (delayMs: number) => void
}

/** Packets that wait to be played, the oldest first. */
export interface Queue {
  readonly packets: Packet[]
  add(packet: Packet): void
}

export function createQueue(): Queue {
  const packets: Packet[] = []
  return {
    packets,
    add(packet) {
      packets.push(packet)
      if (packets.length > mostQueued) packets.shift()
    },
  }
}

export interface Playout {
  /** This one has joined the queue. */
  added(packet: Packet): void
  close(): void
}

/**
 * Plays what is queued on a way that has just opened, by the clock and not by what comes. The steps begin with a packet, shortly
 * after it came, and end when there is nothing to play: so a packet waits for those before it and not for a clock of its own.
 * `onPlayed`: of each word; `onSilence`: nobody talks any more.
 */
export function createPlayout(
  line: Line,
  { packets }: Queue,
  { onPlayed, onSilence }: { readonly onPlayed: () => void; readonly onSilence: () => void },
): Playout {
  const openedAt = performance.now()
  const catchUp = createCatchUp(packets)
  const silence = setTimeout(onSilence, hangUpMs)
  let playing: NodeJS.Timeout | undefined
  let dueAt = 0

  function begin(afterMs: number): void {
    dueAt = performance.now() + afterMs
    playing = setTimeout(playDue, afterMs)
  }
  /** Plays what is due by now, also where the timer was late. */
  function playDue(): void {
    playing = undefined
    const now = performance.now()
    for (; dueAt <= now; dueAt += packetMs) {
      catchUp()
      const packet = packets.shift()
      if (!packet) return
      if (!line.play(packet.samples, Math.floor((dueAt - openedAt) / packetMs))) continue
      packet.accepted(now - Math.max(openedAt, packet.heardAt))
      if (packet.isVoice) onPlayed()
    }
    playing = setTimeout(playDue, dueAt - now)
  }

  if (packets.length > 0) begin(packets.length < cushion ? cushionMs : 0)
  return {
    added({ isVoice }) {
      if (isVoice) silence.refresh()
      if (!playing) begin(cushionMs)
    },
    close() {
      clearTimeout(playing)
      clearTimeout(silence)
    },
  }
}

/**
 * What was said while the way opened would stay as a delay of the whole talk, and sent faster it would only wait in the camera
 * instead. So silence is left out at once, and words are spoken at double speed until few packets wait. Later what waits for a
 * fifth of a second without need is treated alike; what comes in bursts and is needed to bridge the gap before the next is not.
 * Call the function before each packet that is played.
 */
function createCatchUp(packets: Packet[]): () => void {
  let least = Infinity
  let surplus = packets.length - cushion
  let count = 0
  return () => {
    count += 1
    least = Math.min(least, packets.length)
    if (count % observed === 0) {
      surplus = least - cushion
      least = Infinity
    }
    for (; surplus > 0 && packets.length > cushion; surplus -= 1) {
      const silent = packets.findIndex((_, index) => packets.slice(index, index + 1 + onset).every(isSilent))
      if (silent < 0) break
      packets.splice(silent, 1)
    }
    const [first, second] = packets
    if (surplus <= 0 || packets.length <= cushion || !first || !second) return
    packets.splice(0, 2, overlap(first, second))
    surplus -= 1
  }
}

const isSilent = ({ isVoice }: Packet): boolean => !isVoice

/** Two packets in the time of one: one fades into the other, so that it goes on from what was before and to what comes after. */
function overlap(first: Packet, second: Packet): Packet {
  const { length } = first.samples
  const samples = first.samples.map((sample, index) =>
    Math.round(sample + (((second.samples[index] ?? 0) - sample) * index) / (length - 1)),
  )
  return { ...first, samples, isVoice: first.isVoice || second.isVoice }
}
