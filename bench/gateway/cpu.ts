/** What one camera costs the process of the gateway, percent of one core. */
import { setTimeout as wait } from 'node:timers/promises'
import { startFfmpeg } from './ffmpeg.ts'
import { startFilm } from './film.ts'
import { startHouse, usageOf } from './house.ts'

/** What starts and stops is over by then. */
const settleMs = 2_000
const viewers = 4

/** Prints what each costs, measured over so many seconds: nobody watching, viewers, FFmpeg's client, a stream encoded anew. */
export async function measureCpu(seconds: number): Promise<void> {
  const film = await startFilm('H.264', 2)
  const house = await startHouse(film.url)
  const idle = await share(house.usage, seconds)
  const one = await withViewers(house, 1, seconds)
  const more = await withViewers(house, 1 + viewers, seconds)
  await house.close()
  const client = startFfmpeg(film.url)
  await client.firstPicture
  const ffmpeg = await share(() => usageOf(client.pid), seconds)
  await client.close()
  await film.close()
  const film265 = await startFilm('H.265', 2)
  const house265 = await startHouse(film265.url)
  const reencoded = await withViewers(house265, 1, seconds)
  await house265.close()
  await film265.close()
  console.log('CPU of the gateway, percent of one core, 320 by 240 at 25 pictures a second')
  console.table({
    'idle, nobody watching': percent(idle),
    'one viewer': percent(one),
    'each further viewer': percent((more - one) / viewers),
    "FFmpeg's client, reading the same stream": percent(ffmpeg),
    'one viewer of H.265, encoded anew': percent(reencoded),
  })
}

async function withViewers(house: Awaited<ReturnType<typeof startHouse>>, count: number, seconds: number) {
  const views = await Promise.all(Array.from({ length: count }, (_, index) => house.view(`cpu-${count}-${index}`)))
  await Promise.all(views.map(({ connect }) => connect()))
  await Promise.all(views.map(({ firstPicture }) => firstPicture()))
  const used = await share(house.usage, seconds)
  await Promise.all(views.map(({ display }) => display.close()))
  return used
}

/** Of one core, over so many seconds. */
async function share(usage: () => { readonly cpuSeconds: number }, seconds: number): Promise<number> {
  await wait(settleMs)
  const [before, startedAt] = [usage().cpuSeconds, performance.now()]
  await wait(seconds * 1_000)
  return (usage().cpuSeconds - before) / ((performance.now() - startedAt) / 1_000)
}

const percent = (of: number): string => (of * 100).toFixed(1)
