/** What a guest may do holds at the camera, too, past which no picture and no word goes through the bridge. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Embedded } from '../../src/transom/embedded.ts'
import type { AccountId } from '../../src/core/ports.ts'
import { readAnswer } from '../../src/simulator/answer.ts'
import { createDisplay, type Display } from '../../src/simulator/display.ts'
import { hubRules } from '../broker/fixtures.ts'
import { until } from '../until.ts'
import { embedHouse } from './embedded-house.ts'

/** The camera asks each ten seconds. */
const signal = AbortSignal.timeout(120_000)

let house: Embedded
let dataDir: string
const displays: Display[] = []
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'transom-hang-up-'))
  house = await embedHouse(dataDir)
})
afterAll(async () => {
  for (const display of displays) await display.close()
  await house.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** Opens a view on a display of this account, and resolves when its picture is there. */
async function watch(
  accountId: AccountId,
): Promise<{ readonly display: Display; readonly frames: () => number; readonly steps: string[] }> {
  const steps: string[] = []
  const limits = { gatherMs: 10_000, iceMs: 20_000, dtlsMs: 20_000 }
  const display = await createDisplay({ style: 'hub', iceServers: [], limits, onStep: (step) => void steps.push(step) })
  displays.push(display)
  const camera = await house.bridge.shares.visible.find(accountId, house.camera.id)
  if (camera === undefined) throw new Error('the camera is not to be seen')
  const offer = await display.offer(signal)
  const receivedAt = Date.now()
  const answer = await house.bridge.broker.negotiate({
    assistant: 'google',
    accountId,
    camera,
    reference: accountId,
    offer,
    receivedAt,
    answerBy: receivedAt + 5_000,
    rules: hubRules,
  })
  await display.connect(readAnswer(offer, answer, { ipv4Only: false }), signal)
  await until(() => display.hasPicture())
  return { display, frames: () => display.traffic().frames, steps }
}

test("the guest's picture stops within seconds of the end of the share, and the owner's goes on", async () => {
  const { bridge, camera } = house
  const owner = camera.accountId
  const guest = await bridge.oauth.users.create({ login: 'bob', password: 'correct horse', name: 'Bob' })
  await bridge.shares.share(owner, camera.id, guest, { mayTalk: true })
  const [mine, theirs] = [await watch(owner), await watch(guest)]
  await bridge.shares.unshare(owner, camera.id, guest)

  await until(() => theirs.steps.includes('lost'))
  await until(() => house.counts().viewers === 1)
  const [seen, seenByOwner] = [theirs.frames(), mine.frames()]
  await until(() => mine.frames() > seenByOwner + 20)
  expect(theirs.frames()).toBe(seen)
  expect(mine.steps).not.toContain('lost')
  expect(await bridge.broker.recent(guest)).toMatchObject([{ phase: 'closed' }])
  // The owner reads of guests, too.
  expect((await bridge.broker.recent(owner)).map(({ guestId, phase }) => [guestId, phase])).toEqual([
    [guest, 'closed'],
    [undefined, 'answered'],
  ])
})

test('a guest who may only view and talks all the same is heard by nobody', async () => {
  const { bridge, camera } = house
  const guest = await bridge.oauth.users.create({ login: 'eve', password: 'correct horse', name: 'Eve' })
  await bridge.shares.share(camera.accountId, camera.id, guest, { mayTalk: false })
  const [mine, theirs] = [await watch(camera.accountId), await watch(guest)]
  const sessionOf = async (account: AccountId) =>
    (await bridge.broker.recent(account)).find(({ guestId }) => guestId === undefined)
  const tone = [Buffer.from([0xf8, 0xff, 0xfe])]
  // The display of the simulator sends whatever the answer says.
  theirs.display.talk(tone)
  await until(() => theirs.display.traffic().talkBackPackets > 50)
  mine.display.talk(tone)
  await until(() => mine.display.traffic().talkBackPackets > 50)
  for (const { display } of [mine, theirs]) await display.close()
  await until(() => house.counts().viewers === 0)
  const [heard, unheard] = await Promise.all([sessionOf(camera.accountId), sessionOf(guest)])
  expect(heard?.heard?.packets).toBeGreaterThan(20)
  expect(unheard?.heard?.packets ?? 0).toBe(0)
  expect(unheard?.timeline.map(({ step }) => step)).not.toContain('talk-back-heard')
})
