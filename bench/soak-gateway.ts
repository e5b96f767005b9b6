/**
 * A gateway that is treated badly, and what that leaves behind: a camera that reboots while three viewers look, views that
 * are opened and left at once, and kills of the gateway under a view. What it holds is read after forced
 * collections. Exits 1 when something has grown or did not heal.
 * Run with `npm run bench:soak-gateway [-- SECONDS [ROUNDS]]`: seconds of reboots (900), rounds of views (300).
 */
import { setTimeout as pauseMs } from 'node:timers/promises'
import { createFakeCamera, h264, idr, pps, sps } from '../test/gateway/rtsp/camera.ts'
import { chooseInspectorPort, readHeld, type Held } from './gateway/held.ts'
import { startHouse, until } from './gateway/house.ts'

const seconds = Number(process.argv[2] ?? 900)
const rounds = Number(process.argv[3] ?? 300)
const rebootEachMs = Math.min(30_000, (seconds * 1_000) / 3)
const kills = Math.min(20, Math.ceil(rounds / 15))
/** As long as the gateway waits for a viewer that does not connect, and a little more. */
const leavingMs = 15_000
const sessionCount = 20
const faults: string[] = []

const inspectorPort = await chooseInspectorPort()
const camera = await createFakeCamera({ sdp: h264 })
const { embedded: house, isOnline, view, close } = await startHouse(`rtsp://127.0.0.1:${camera.port}/live`)

/** Ten pictures a second, each a key frame, while the camera is up. */
let isUp = true
let timestamp = 0
const filming = setInterval(() => {
  timestamp += 9_000
  if (!isUp) return
  for (const [index, payload] of [sps, pps, idr].entries()) camera.send(0, { payload, timestamp, marker: index === 2 })
}, 100)

/** What the process of the gateway holds now, without garbage. */
const held = () => readHeld(house.gatewayPid(), inspectorPort)
/** Notes and prints whether the gateway holds more than it did. */
function compare(what: string, before: Held, after: Held): void {
  console.table({ before, after })
  const isMore = (key: keyof Held, factor: number, more: number) => after[key] > before[key] * factor + more
  if (isMore('descriptors', 1, 4)) faults.push(`descriptors have grown by ${what}`)
  if (isMore('heap MB', 1.1, 4)) faults.push(`the heap has grown by ${what}`)
  // The allocators of the system and of FFmpeg keep pages that are free.
  if (isMore('RSS MB', 1.25, 20)) faults.push(`memory has grown by ${what}`)
}
const count = (method: string) => camera.requests.filter((request) => request.method === method).length
const seemsIdle = () => house.counts().viewers + house.bridge.broker.running() === 0

async function reboots(): Promise<void> {
  const displays = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      const { display, connect } = await view(`reboot-${name}`)
      await connect()
      return display
    }),
  )
  const endAt = performance.now() + seconds * 1_000
  let done = 0
  let before: Held | undefined
  while (performance.now() < endAt) {
    await pauseMs(rebootEachMs * 0.5)
    isUp = false
    camera.cut()
    await pauseMs(Math.min(2_000, rebootEachMs * 0.1))
    isUp = true
    const framesBefore = displays.map((display) => display.traffic().frames)
    const heals = () => displays.every((display, index) => display.traffic().frames > framesBefore[index]! + 3)
    if (!(await until(heals, 20_000))) faults.push(`reboot ${done + 1}: no picture within 20 s after it`)
    done += 1
    await pauseMs(rebootEachMs * 0.4)
    if (done === 2) before = await held()
  }
  console.log(`${done} reboots while three viewers looked, the first two to warm up`)
  if (before) compare('reboots', before, await held())
  for (const display of displays) await display.close()
  await until(seemsIdle, 30_000)
  await pauseMs(2_000)
}

async function aborts(): Promise<void> {
  const warmUp = Math.ceil(rounds / 5)
  let before = await held()
  // What was cut off by a reboot had no TEARDOWN: counted is what begins from here on, once the last viewer is gone.
  const [playedBefore, tornDownBefore] = [count('PLAY'), count('TEARDOWN')]
  for (let round = 0; round < rounds + warmUp; round += 1) {
    if (round === warmUp) {
      await until(seemsIdle, 30_000)
      await pauseMs(leavingMs)
      before = await held()
    }
    const { display, connect } = await view(`abort-${round}`).catch(async (error: unknown) => {
      faults.push(`view ${round}: ${String(error)}`)
      await pauseMs(1_000)
      return view(`again-${round}`)
    })
    // Left before, during and after it connects.
    if (round % 3 > 0) {
      const connecting = connect().catch(() => undefined)
      if (round % 3 === 2) await connecting
    }
    await display.close()
  }
  await until(seemsIdle, 60_000)
  // Those that never connected are given up by the gateway after a while.
  await pauseMs(leavingMs)
  const played = () => count('PLAY') - playedBefore
  const tornDown = () => count('TEARDOWN') - tornDownBefore
  await until(() => played() > 0 && played() === tornDown(), leavingMs)
  console.log(`${rounds} views opened and left, after ${warmUp} to warm up`)
  compare('views', before, await held())
  const said = `${played()} sessions at the camera, ${tornDown()} ended by TEARDOWN`
  console.log(said)
  if (played() !== tornDown() || played() === 0) faults.push(said)
}

/** One view after the other, each the only one: so each is a session of its own at the camera. */
async function sessions(): Promise<void> {
  const [playedBefore, tornDownBefore] = [count('PLAY'), count('TEARDOWN')]
  for (let number = 1; number <= sessionCount; number += 1) {
    const { display, connect } = await view(`session-${number}`)
    await connect()
    await display.close()
    const isOver = () => count('PLAY') - playedBefore === number && count('TEARDOWN') - tornDownBefore === number
    if (!(await until(isOver, leavingMs))) faults.push(`session ${number}: not one PLAY and one TEARDOWN`)
  }
  console.log(
    `${sessionCount} views one after the other: ${count('TEARDOWN') - tornDownBefore} sessions ended by TEARDOWN`,
  )
}

async function killed(): Promise<void> {
  for (let round = 1; round <= kills; round += 1) {
    const pid = house.gatewayPid()
    const { display, connect } = await view(`kill-${round}`)
    await connect()
    if (!(await until(() => display.hasPicture(), 15_000))) faults.push(`kill ${round}: no picture before it`)
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
    const { status } = await fetch(`${house.publicUrl}/healthz`)
    if (status !== 200) faults.push(`kill ${round}: the bridge answers ${status}`)
    await display.close()
    const isBack = () => house.gatewayPid() !== undefined && house.gatewayPid() !== pid && isOnline()
    if (!(await until(isBack, 40_000))) faults.push(`kill ${round}: the camera does not come back`)
  }
  console.log(`${kills} kills of the gateway under a view`)
}

try {
  await reboots()
  await aborts()
  await sessions()
  await killed()
} catch (error) {
  faults.push(String(error))
} finally {
  clearInterval(filming)
  await close()
  await camera.close()
}
for (const fault of faults) console.error(`FAULT ${fault}`)
console.log(faults.length === 0 ? 'nothing has grown, everything healed' : `${faults.length} faults`)
process.exit(faults.length === 0 ? 0 : 1)
