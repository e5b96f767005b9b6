/** A camera that says too much: a stuck button ends by itself, with one notice, and the other cameras ring as ever. */
import { expect, test } from '@jest/globals'
import { createPace } from '../../src/bridge/cameras/pace.ts'
import { openHouse } from './house.ts'
import { openWholeHouse } from './whole-house.ts'

const at = (n: number) => ({ kind: 'press' as const, eventId: `press-${n}`, at: Date.now() })

test('a stuck button rings a dozen times, its owner has one notice, and another camera still rings', async () => {
  await using house = await openWholeHouse()
  const owner = await house.addUser('anna')
  const [stuck, other] = [await house.addCamera(owner), await house.addCamera(owner, 'garden', { name: 'Garden' })]
  const outcomes: string[] = []
  for (let n = 0; n < 40; n += 1) {
    const outcome = house.bridge.events.receive(stuck, at(n)).then(
      () => 'rung',
      (error: { code: string }) => error.code,
    )
    outcomes.push(await outcome)
  }
  const rung = outcomes.filter((outcome) => outcome === 'rung').length
  expect([rung >= 5 && rung <= 15, new Set(outcomes)]).toEqual([true, new Set(['rung', 'rate_limited'])])
  expect(outcomes.slice(rung)).not.toContain('rung')
  expect(await house.bridge.notices.list(owner)).toMatchObject([
    { kind: 'button_stuck', message: expect.stringContaining('Front Door') },
  ])
  expect(house.lines.filter((line) => line.includes('button_stuck'))).toHaveLength(1)
  await house.bridge.events.receive(other, at(100))
  expect(await house.bridge.visits.visits(other, 0)).toHaveLength(1)
})

test('a button is stuck for as long as it is pressed each minute, and heard again after it has rested', () => {
  let now = 0
  const pace = createPace(() => now)
  const press = (seconds: number) => {
    now += seconds * 1_000
    return pace.admit('front-door', 'press')
  }
  const first = Array.from({ length: 12 }, () => press(0))
  expect(new Set(first)).toEqual(new Set(['admitted']))
  expect(press(0)).toBe('stuck')
  for (let n = 0; n < 1_000; n += 1) expect(press(59)).toBe('still-stuck')
  expect(press(60)).toBe('admitted')
})

test('somebody who rings each five seconds is heard for ever, and so is what a sensor says twice a second', () => {
  let now = 0
  const pace = createPace(() => now)
  for (let n = 0; n < 500; n += 1) {
    now += 5_000
    expect(pace.admit('front-door', 'press')).toBe('admitted')
    for (let m = 0; m < 10; m += 1) expect(pace.admit('front-door', 'sensor')).toBe('admitted')
  }
  const flood = Array.from({ length: 100 }, () => pace.admit('front-door', 'motion'))
  expect(flood.filter((verdict) => verdict === 'too-often').length).toBeGreaterThan(30)
  expect(pace.admit('garden', 'motion')).toBe('admitted')
})

test('the camera reads when it may ring again', async () => {
  await using house = await openHouse()
  let answer = await house.tell(at(0))
  for (let n = 1; n < 20 && answer.status === 202; n += 1) answer = await house.tell(at(n))
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '60'])
  expect(await answer.json()).toMatchObject({ error: 'rate_limited', message: expect.stringContaining('stuck') })
})
