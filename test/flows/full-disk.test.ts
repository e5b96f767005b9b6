/** A bridge whose disk has no more room: it refuses what it cannot keep, says so, and goes on when there is room again. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { readSettings } from '../../src/simulator/settings.ts'
import { createHouse } from './house.ts'

const house = createHouse()
const { dataDir } = house
beforeAll(() => house.start({ TRANSOM_DOORBELL: 'off', TRANSOM_CONSOLE: 'off' }))
afterAll(() => house.close())

/** No file may grow beyond that: the kernel's own way to fail a write, as a full disk does. */
const limitFiles = (bytes: string) => execFileSync('prlimit', ['--pid', `${house.pid()}`, `--fsize=${bytes}:unlimited`])

// Only Linux lets the limit of a running process be changed.
const onLinux = process.platform === 'linux' ? test : test.skip
onLinux('a press is refused with 503 and when to come again, /healthz says why, and it heals by itself', async () => {
  const { bridge: url, cameraKeys } = readSettings(dataDir)
  const press = (eventId: string) =>
    fetch(`${url}/cameras/front-door/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${cameraKeys?.['front-door']}` },
      body: JSON.stringify({ kind: 'press', eventId, at: Date.now() }),
    })
  expect((await press('before')).status).toBe(202)
  limitFiles('1')
  const refused = await press('while-full')
  expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([503, 5])
  const text = await refused.text()
  expect(JSON.parse(text)).toMatchObject({ error: expect.stringMatching(/^(no_room|store_failed)$/) })
  // Where the bridge keeps its files is for its log, which names the remedy, too.
  expect(text).not.toContain(dataDir)
  await house.untilPrinted(`${join(dataDir, 'transom.db')} `)

  const health = await fetch(`${url}/healthz`)
  expect([health.status, await health.json()]).toMatchObject([
    503,
    { status: 'failing', cause: JSON.parse(text).error },
  ])

  limitFiles('unlimited')
  expect((await press('while-full')).status).toBe(202)
  expect(house.isRunning()).toBe(true)
})
