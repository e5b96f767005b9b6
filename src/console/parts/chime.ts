/** Ding, dong: what a display plays when somebody rings. Two struck bars, made of sine waves; nothing is fetched. */

const tones = [
  { hertz: 659.26, atS: 0 },
  { hertz: 523.25, atS: 0.45 },
]
const partials = [
  { times: 1, loud: 0.22, fadesS: 1.6 },
  { times: 2.76, loud: 0.05, fadesS: 0.5 },
]

/** Silent where the browser does not let a page sound before it has been touched. */
export function playChime(): void {
  const context = new AudioContext()
  for (const { hertz, atS } of tones) {
    for (const { times, loud, fadesS } of partials) {
      const beginsAt = context.currentTime + atS
      const wave = new OscillatorNode(context, { frequency: hertz * times })
      const gain = new GainNode(context, { gain: 0 })
      gain.gain.setValueAtTime(0, beginsAt)
      gain.gain.linearRampToValueAtTime(loud, beginsAt + 0.01)
      gain.gain.exponentialRampToValueAtTime(0.0001, beginsAt + fadesS)
      wave.connect(gain).connect(context.destination)
      wave.start(beginsAt)
      wave.stop(beginsAt + fadesS)
    }
  }
  setTimeout(() => void context.close(), 3_000)
}
