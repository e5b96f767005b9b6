/** Which tone is heard in a piece of sound: its frequency by the algorithm of Goertzel, and how loud it is. */

/** Samples in a window. */
const size = 2_048
const stepHertz = 5

/** The strongest frequency, hertz, in the loudest part of these samples, and the RMS level of that part (1 is full scale). */
export function loudestTone(samples: Int16Array, rate: number): { readonly hertz: number; readonly level: number } {
  let loudest = samples.subarray(0, size)
  for (let at = 0; at + size <= samples.length; at += size / 2) {
    const part = samples.subarray(at, at + size)
    if (levelOf(part) > levelOf(loudest)) loudest = part
  }
  let hertz = 0
  for (let each = 100, most = 0; each < rate / 2 - 100; each += stepHertz) {
    const power = powerAt(each, loudest, rate)
    if (power > most) [hertz, most] = [each, power]
  }
  return { hertz, level: levelOf(loudest) }
}

const levelOf = (samples: Int16Array): number =>
  samples.length === 0 ? 0 : Math.sqrt(samples.reduce((sum, one) => sum + (one / 32_768) ** 2, 0) / samples.length)

function powerAt(hertz: number, samples: Int16Array, rate: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / rate)
  let [last, beforeLast] = [0, 0]
  for (const [index, sample] of samples.entries()) {
    // Hann's window: another frequency leaks less into this one.
    const weight = 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / (samples.length - 1))
    ;[last, beforeLast] = [sample * weight + coefficient * last - beforeLast, last]
  }
  return last ** 2 + beforeLast ** 2 - coefficient * last * beforeLast
}
