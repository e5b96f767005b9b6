/** A camera that is shared: who hears the bell, what each one's assistants are told, and what ends with the share. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { AccountId, Camera } from '../../src/core/ports.ts'
import { echoOffer, echoRules } from '../broker/fixtures.ts'
import { openWholeHouse, type WholeHouse } from '../app/whole-house.ts'

let house: WholeHouse
let ada: AccountId
let bob: AccountId
let door: Camera
beforeEach(async () => {
  house = await openWholeHouse()
  ada = await house.addUser('ada')
  bob = await house.addUser('bob')
  door = await house.addCamera(ada)
  for (const account of [ada, bob]) for (const kind of ['alexa', 'google'] as const) await house.link(account, kind)
  await told()
})
afterEach(() => house[Symbol.asyncDispose]())

/** What both assistants were told since the last time, by whose it is. */
async function told(): Promise<readonly string[]> {
  await house.bridge.settled()
  const { amazon, google } = house
  const names = new Map([
    ['Atza|access-1', 'ada'],
    ['Atza|access-2', 'bob'],
    [ada, 'ada'],
    [bob, 'bob'],
  ])
  const alexa = amazon.events.splice(0).map(({ event }) => {
    const { token } = 'endpoint' in event ? event.endpoint.scope : event.payload.scope
    return `${names.get(token)}: Alexa ${event.header.name}`
  })
  const calls = google.calls.splice(0)
  const asked = calls.map(({ call, account }) => `${names.get(account)}: Google ${call}`)
  // Google does what it was asked for.
  for (const { call, account } of calls) if (call === 'requestSync') await house.sync(account)
  await house.bridge.settled()
  google.calls.splice(0)
  return [...alexa, ...asked].sort()
}

const press = (eventId = '1') => house.bridge.events.receive(door, { kind: 'press', eventId, at: Date.now() })

async function view(account: AccountId, assistant: 'alexa' | 'google', camera = door): Promise<string> {
  const receivedAt = Date.now()
  return house.bridge.broker.negotiate({
    assistant,
    accountId: account,
    camera: { ...camera, accountId: account },
    reference: assistant,
    offer: echoOffer,
    receivedAt,
    answerBy: receivedAt + 20_000,
    rules: echoRules,
  })
}
const open = async (account: AccountId) =>
  (await house.bridge.broker.recent(account)).filter(({ phase }) => phase !== 'closed').map((one) => one.assistant)

describe('sharing', () => {
  test('a press is announced to the owner and to the guests, each at both assistants', async () => {
    await house.bridge.shares.share(ada, door.id, bob, { mayTalk: false })
    await told()
    await press()
    expect(await told()).toEqual([
      'ada: Alexa DoorbellPress',
      'ada: Google report',
      'bob: Alexa DoorbellPress',
      'bob: Google report',
    ])
    await house.bridge.shares.unshare(ada, door.id, bob)
    await told()
    await press('2')
    expect(await told()).toEqual(['ada: Alexa DoorbellPress', 'ada: Google report'])
  })

  test("the guest's assistants hear that a camera came, is other than before, and is gone; nobody else's do", async () => {
    const { shares } = house.bridge
    await shares.share(ada, door.id, bob, { mayTalk: false })
    expect(await told()).toEqual(['bob: Alexa AddOrUpdateReport', 'bob: Google requestSync'])
    await shares.share(ada, door.id, bob, { mayTalk: true })
    expect(await told()).toEqual(['bob: Alexa AddOrUpdateReport', 'bob: Google requestSync'])
    await shares.unshare(ada, door.id, bob)
    expect(await told()).toEqual(['bob: Alexa DeleteReport', 'bob: Google requestSync'])
    await shares.unshare(ada, door.id, bob)
    expect(await told()).toEqual([])
  })

  test('a new name and a removal reach the guests too', async () => {
    await house.bridge.shares.share(ada, door.id, bob, { mayTalk: true })
    await told()
    await house.bridge.cameras.put({ ...door, name: 'Gate' }, 'k'.repeat(43))
    expect(await told()).toEqual([
      'ada: Alexa AddOrUpdateReport',
      'ada: Google requestSync',
      'bob: Alexa AddOrUpdateReport',
      'bob: Google requestSync',
    ])
    await house.bridge.cameras.remove(door.id)
    expect(await told()).toEqual([
      'ada: Alexa DeleteReport',
      'ada: Google requestSync',
      'bob: Alexa DeleteReport',
      'bob: Google requestSync',
    ])
  })

  test('everybody is quiet for himself', async () => {
    await house.bridge.shares.share(ada, door.id, bob, { mayTalk: true })
    await told()
    await house.bridge.visits.mute(ada, Date.now() + 60_000)
    await press()
    expect(await told()).toEqual(['bob: Alexa DoorbellPress', 'bob: Google report'])
    await house.bridge.visits.mute(ada, 0)
    await house.bridge.visits.mute(bob, Date.now() + 60_000)
    await press('2')
    expect(await told()).toEqual(['ada: Alexa DoorbellPress', 'ada: Google report'])
  })
})

describe('the end of a share', () => {
  test("ends the guest's views of this camera at every assistant, and no others", async () => {
    const { shares } = house.bridge
    const garden = await house.addCamera(ada, 'garden')
    await shares.share(ada, door.id, bob, { mayTalk: true })
    await shares.share(ada, garden.id, bob, { mayTalk: true })
    await view(bob, 'alexa')
    await view(bob, 'google', garden)
    await view(ada, 'alexa')
    await shares.unshare(ada, door.id, bob)
    expect([await open(bob), await open(ada)]).toEqual([['google'], ['alexa']])
    expect(await house.bridge.broker.recent(bob)).toContainEqual(
      expect.objectContaining({ assistant: 'alexa', phase: 'closed' }),
    )
  })

  test('refuses what the guest is still asking for', async () => {
    await house.bridge.shares.share(ada, door.id, bob, { mayTalk: true })
    house.camera.isSilent = true
    const verdict = view(bob, 'google').then(
      () => 'answered',
      ({ code }: { code: string }) => code,
    )
    while (house.bridge.broker.running() === 0) await new Promise(setImmediate)
    await house.bridge.shares.unshare(ada, door.id, bob)
    expect([await verdict, house.bridge.broker.running()]).toEqual(['display_gave_up', 0])
  })

  test('and a view with talk ends when the guest may only view from now on', async () => {
    await house.bridge.shares.share(ada, door.id, bob, { mayTalk: true })
    await view(bob, 'alexa')
    await house.bridge.shares.share(ada, door.id, bob, { mayTalk: false })
    expect(await open(bob)).toEqual([])
  })

  test('comes with the removal of the camera: another one under its id is shared with nobody', async () => {
    const { shares, cameras } = house.bridge
    await shares.share(ada, door.id, bob, { mayTalk: true })
    await view(bob, 'alexa')
    await cameras.remove(door.id)
    expect(await open(bob)).toEqual([])
    await house.addCamera(ada)
    expect(await shares.guests(ada, door.id)).toEqual([])
    expect(await shares.visible.list(bob)).toEqual([])
  })
})
