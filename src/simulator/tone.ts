/** The voice of the simulator: one second of a real tone as Opus packets, for the talk-back. */
import { readFile } from 'node:fs/promises'

/** Samples in one packet, 20 ms: the steps of the RTP timestamp. */
export const SAMPLES_PER_PACKET = 960

/**
 * One second of 440 Hz at 24 kbit/s, recorded with libopus: fifty 20 ms packets, each behind its length in two bytes
 * (big-endian). Kept as data, because an encoder would be all that the simulator wants FFmpeg for.
 */
const recording = new URL('tone.opus', import.meta.url)

/** The packets, which may be played in a loop. */
export async function loadTone(): Promise<readonly Buffer[]> {
  const file = await readFile(recording)
  const packets: Buffer[] = []
  for (let at = 0; at < file.length;) {
    const end = at + 2 + file.readUInt16BE(at)
    packets.push(file.subarray(at + 2, end))
    at = end
  }
  return packets
}
