/** The sound of the synthetic doorbell: a little evening wind, and a chime from time to time. Made once, then played in a loop. */

// Taken out once: in a Jest or `vm` context each use of a global is a slow look-up, and these are used a million times.
const { PI, cos, exp, imul, min, round, sin } = Math

export const sampleRate = 48_000
/** Samples of one Opus packet: 20 ms. */
export const packetSamples = 960

const loopSeconds = 12
/** Two notes of a door chime, E5 and C5: when they are struck (seconds into the loop) and how they ring. */
const notes = [
  { at: 1, hertz: 659.26 },
  { at: 1.55, hertz: 523.25 },
] as const
/** A bell's partials: frequency as a multiple of the note, loudness, and the seconds after which it has faded to a third. */
const partials = [
  { ratio: 1, loudness: 1, fade: 0.9 },
  { ratio: 2.004, loudness: 0.35, fade: 0.5 },
  { ratio: 2.76, loudness: 0.18, fade: 0.28 },
  { ratio: 5.4, loudness: 0.06, fade: 0.12 },
] as const
const chimeLoudness = 0.09
const windLoudness = 0.02

/** One loop of mono samples, -1 to 1; its end runs on into its beginning. */
export function createSound(): Float32Array {
  const samples = new Float32Array(loopSeconds * sampleRate)
  blow(samples)
  for (const note of notes) strike(samples, note.at, note.hertz)
  return samples
}

/** Noise through two low-passes, swelling twice a loop. Started early so that the filters have settled where the loop begins. */
function blow(samples: Float32Array): void {
  let [seed, first, second] = [1, 0, 0]
  for (let index = -sampleRate; index < samples.length; index += 1) {
    seed = (imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    first += 0.06 * (seed / 2_147_483_648 - 1 - first)
    second += 0.06 * (first - second)
    if (index < 0) continue
    const swell = 0.6 + 0.4 * cos((4 * PI * index) / samples.length)
    samples[index] = windLoudness * 8 * swell * second
  }
}

function strike(samples: Float32Array, at: number, hertz: number): void {
  const from = round(at * sampleRate)
  for (let index = 0; index < 5 * sampleRate && from + index < samples.length; index += 1) {
    const time = index / sampleRate
    // A soft mallet: without the rise of 4 ms the stroke clicks.
    const rise = min(1, time / 0.004)
    let tone = 0
    for (const { ratio, loudness, fade } of partials) {
      tone += loudness * exp(-time / fade) * sin(2 * PI * hertz * ratio * time)
    }
    samples[from + index] = (samples[from + index] ?? 0) + chimeLoudness * rise * tone
  }
}
