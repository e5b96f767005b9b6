/** A whole bridge whose cameras are those of a registry: what an assistant asks for, and what both are told of a change. */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createUntoldChanges } from '../../src/bridge/cameras/untold-changes.ts'
import { cameraId, type Camera } from '../../src/core/ports.ts'
import { discover } from '../alexa/directives.ts'
import { openWholeHouse, type WholeHouse } from './whole-house.ts'

const described = (id: string, name = id): Omit<Camera, 'accountId'> => ({
  id: cameraId(id),
  name,
  kind: 'doorbell',
  channel: { channelName: id, road: 'viewer' },
  manufacturer: 'Vendor',
  model: 'VB-2',
  hasSpeaker: true,
})

let says: readonly Omit<Camera, 'accountId'>[]
let asked: number
/** What the clock is ahead. */
let ahead: number
let house: WholeHouse
beforeEach(async () => {
  ;[says, asked, ahead] = [[described('porch')], 0, 0]
  const registry = {
    async camerasOf() {
      asked += 1
      return says
    },
  }
  house = await openWholeHouse({}, false, 'memory', { registry, clock: () => Date.now() + ahead })
})
afterEach(() => house[Symbol.asyncDispose]())

async function discovered(token: string): Promise<string[]> {
  const reply = JSON.stringify(await house.bridge.alexa.handler(discover(token)))
  return [...reply.matchAll(/"endpointId":"([^"]+)"/g)].map(([, id = '']) => id)
}
const told = () => house.amazon.events.map(({ event }) => event.header.name)

test('what is new, changed or gone is discovered, and both assistants are told of it', async () => {
  const ada = await house.addUser('ada')
  const alexa = await house.link(ada, 'alexa')
  await house.link(ada, 'google')
  await house.bridge.settled()
  expect(await discovered(alexa)).toEqual(['porch'])
  const before = told().length
  says = [described('porch', 'Front porch'), described('yard')]
  ahead += 60_000
  expect(await discovered(alexa)).toEqual(['porch', 'yard'])
  says = [described('yard')]
  ahead += 60_000
  expect(await discovered(alexa)).toEqual(['yard'])
  await house.bridge.settled()
  expect(told().slice(before)).toEqual(expect.arrayContaining(['AddOrUpdateReport', 'DeleteReport']))
  expect(house.google.calls.some(({ call }) => call === 'requestSync')).toBe(true)
})

test('a press asks no registry, however old the copy is', async () => {
  const ada = await house.addUser('ada')
  await house.link(ada, 'alexa')
  await house.bridge.shares.visible.list(ada)
  const [camera] = await house.bridge.cameras.page(ada, { limit: 1 })
  const before = asked
  ahead += 60_000
  await house.bridge.events.receive(camera!, { kind: 'press', eventId: '1', at: Date.now() + ahead })
  await house.bridge.settled()
  expect(told()).toContain('DoorbellPress')
  expect(asked).toBe(before)
})

test('what the function of the skill has found is told by the sweep', async () => {
  const ada = await house.addUser('ada')
  await house.link(ada, 'alexa')
  await createUntoldChanges(house.store).note({ ...described('gone'), accountId: ada }, 'removed')
  await house.bridge.resume()
  await house.bridge.settled()
  expect(told()).toContain('DeleteReport')
})
