/** From a display's offer to its first whole picture, through bridge and gateway, by the camera's distance of key frames. */
import { setTimeout as wait } from 'node:timers/promises'
import { startFfmpeg } from './ffmpeg.ts'
import { startFilm } from './film.ts'
import { startHouse, type House } from './house.ts'

/** A gateway lets go of a camera that nobody watches, and a display comes some time after the press. */
const coldMs = 1_000
const afterPressMs = 2_000
/** As long as a gateway keeps a stream warm after a press. */
const warmMs = 30_000

/** Prints medians of so many rounds; each begins anywhere between two key frames. */
export async function measureFirstPictures(rounds: number): Promise<void> {
  const rows: Record<string, Record<string, string>> = {}
  for (const gopSeconds of [1, 4, 10]) {
    const film = await startFilm('H.264', gopSeconds)
    const house = await startHouse(film.url)
    const anywhere = () => wait(Math.random() * gopSeconds * 1_000)
    const cold: number[] = []
    const second: number[] = []
    const warm: number[] = []
    const ffmpeg: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      await anywhere()
      const first = await look(house, `first-${round}`)
      cold.push(first.ms)
      await anywhere()
      const other = await look(house, `second-${round}`)
      second.push(other.ms)
      await Promise.all([first.close(), other.close()])
      await wait(coldMs + gopSeconds * 1_000 * Math.random())
      const client = startFfmpeg(film.url)
      ffmpeg.push(await client.firstPicture)
      await client.close()
    }
    // Last: it stays warm for a while.
    for (let round = 0; round < rounds; round += 1) {
      house.embedded.press()
      await wait(afterPressMs + Math.min(gopSeconds * 1_000, warmMs) * Math.random())
      const pressed = await look(house, `warm-${round}`)
      warm.push(pressed.ms)
      await pressed.close()
    }
    rows[`GOP ${gopSeconds} s`] = {
      'first viewer, cold': median(cold),
      'second viewer': median(second),
      'first viewer, after a press': median(warm),
      "FFmpeg's client": median(ffmpeg),
    }
    await house.close()
    await film.close()
  }
  console.log(`offer to first picture, ms, median of ${rounds}`)
  console.table(rows)
}

async function look(house: House, reference: string) {
  const { display, connect, firstPicture } = await house.view(reference)
  const connecting = connect()
  const ms = await firstPicture()
  await connecting
  return { ms, close: () => display.close() }
}

const median = (values: readonly number[]): string =>
  (values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN).toFixed(0)
