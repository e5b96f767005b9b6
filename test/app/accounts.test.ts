/** A whole account, handed out and removed: nothing of it is left anywhere in the store but one line of the audit. */
import { createECDH, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { expect, test } from '@jest/globals'
import { createPushDevices } from '../../src/bridge/web/push-devices.ts'
import { BridgeError } from '../../src/core/errors.ts'
import { exported, people } from '../../src/core/wire/operator.ts'
import { openWholeHouse, type WholeHouse } from './whole-house.ts'

/** The operator's API of the house, on a port of its own. */
async function openAdmin({ bridge }: WholeHouse) {
  const server = express().use('/admin', bridge.oauth.admin).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    ask: (method: string, path: string) => fetch(`http://127.0.0.1:${port}/admin${path}`, { method }),
    [Symbol.asyncDispose]: async () => void (server.closeAllConnections(), server.close()),
  }
}

/** Of a browser: a point of P-256, and a secret. */
function pushKeys() {
  const pair = createECDH('prime256v1')
  return { p256dh: pair.generateKeys().toString('base64url'), auth: randomBytes(16).toString('base64url') }
}

/** An account that has done everything that there is to do. */
async function busyHouse(house: WholeHouse) {
  const { bridge, store } = house
  const ada = await house.addUser('ada-of-the-attic')
  const bob = await house.addUser('bob')
  const door = await house.addCamera(ada, 'attic-door', { hasSnapshots: true, hasMotion: true })
  const yard = await house.addCamera(bob, 'yard', { name: 'Yard' })
  const user = { ...(await bridge.oauth.users.findByAccount(ada))! }
  const other = { ...(await bridge.oauth.users.findByAccount(bob))! }
  const { sharing, oauth } = bridge.linking
  await sharing.share(ada, door.id, bob, { mayTalk: true })
  await sharing.share(bob, yard.id, ada, { mayTalk: false })
  const shed = await house.addCamera(bob, 'shed', { name: 'Shed' })
  await sharing.invite(other, shed.id, 'Ada-of-the-Attic', { mayTalk: false })
  await sharing.invite(user, door.id, 'carol', { mayTalk: false })
  await house.link(ada, 'alexa')
  await house.link(ada, 'google')
  await house.link(bob, 'alexa')
  const at = Date.now()
  await bridge.events.receive(door, { kind: 'press', eventId: 'p1', at })
  await bridge.events.receive(door, { kind: 'motion', eventId: 'm1', isDetected: true, at })
  await bridge.snapshots.put(door, Buffer.from([0xff, 0xd8, 0xff, 0xe0]))
  await bridge.visits.mute(ada, at + 3_600_000)
  await bridge.notices.add(ada, 'button_stuck', 'Front Door')
  await oauth.tickets.issue({ kind: 'reset', accountId: ada }, 3_600_000)
  await oauth.entryLink(ada)
  await oauth.audit.refused(ada, 'from 192.0.2.1')
  await createPushDevices({ store, sealing: house.sealing, clock: Date.now }).add(ada, {
    name: 'Phone of Ada',
    language: 'en',
    subscription: { endpoint: 'https://push.example/attic-door', keys: pushKeys() },
  })
  await store.collection('figures-of-day').put(`2026-11-28 ${ada}`, {}, { group: ada })
  for (const camera of [door, { ...yard, accountId: ada, sharedBy: bob }, { ...door, accountId: bob, sharedBy: ada }])
    await bridge.broker.refused(camera, 'alexa', new BridgeError('camera_offline'))
  await store.collection('alexa-customer').put('customer', { accountId: ada }, { group: ada })
  await store.collection('google-asked-again').put(ada, {})
  await bridge.settled()
  return { ada, bob, door, yard }
}

test('of an account that is removed nothing is left in the store but one line of the audit', async () => {
  await using house = await openWholeHouse({}, true, 'file')
  await using admin = await openAdmin(house)
  const { ada, bob, yard } = await busyHouse(house)
  const told = () => house.everything().filter((row) => row.includes(ada) || /ada-of-the-attic|attic-door/i.test(row))
  expect(told().length).toBeGreaterThan(15)
  expect((await admin.ask('DELETE', '/users/ada-of-the-attic')).status).toBe(204)
  const left = told()
  expect(left).toEqual([expect.stringContaining('account-removed')])
  expect(left[0]).not.toMatch(/ada-of-the-attic/i)
  // Both assistants were told, each in its way.
  expect(house.google.calls).toContainEqual(expect.objectContaining({ call: 'delete', account: ada }))
  expect(JSON.stringify(house.amazon.events)).toContain('DeleteReport')
  // Everybody else goes on.
  expect(await house.bridge.cameras.find(bob, yard.id)).toBeDefined()
  expect(await house.bridge.oauth.isLinked(bob, 'alexa')).toBe(true)
  const { history } = (await (await admin.ask('GET', '/history?login=bob')).json()) as { history: { detail: string }[] }
  expect(history.map(({ detail }) => detail)).toContain('Yard with an account that is gone')
  // The login is free, and whoever takes it is somebody else.
  expect(await house.addUser('ada-of-the-attic')).not.toBe(ada)
})

test('an export holds what is kept of the account, and no secret', async () => {
  await using house = await openWholeHouse()
  await using admin = await openAdmin(house)
  await busyHouse(house)
  const answer = await admin.ask('GET', '/users/ada-of-the-attic/export')
  const text = await answer.text()
  expect(exported.parse(JSON.parse(text))).toMatchObject({
    account: { login: 'ada-of-the-attic' },
    cameras: [
      { id: 'attic-door', state: { motion: { isDetected: true } }, moments: [{ kind: 'press' }, { kind: 'motion' }] },
    ],
    links: expect.arrayContaining([
      expect.objectContaining({ name: 'Google' }),
      expect.objectContaining({ name: 'Amazon Alexa' }),
    ]),
    received: [{ id: 'yard', owner: 'bob' }],
    invitations: [{ camera: 'Shed' }],
    shared: [{ id: 'attic-door', guests: [{ login: 'bob' }, { login: 'carol' }] }],
    notices: [{ kind: 'button_stuck' }],
    devices: [{ name: 'Phone of Ada', addedAt: expect.any(Number), language: 'en' }],
    history: expect.arrayContaining([expect.objectContaining({ kind: 'shared' })]),
  })
  expect(text).not.toMatch(/keyCheck|sealed|p256dh|push\.example|passwordHash|\$scrypt|refresh/i)
})

test('the last account is removed only where that is said', async () => {
  await using house = await openWholeHouse()
  await using admin = await openAdmin(house)
  await house.addUser('ada')
  const refused = await admin.ask('DELETE', '/users/ada')
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('last user')])
  expect((await admin.ask('DELETE', '/users/ada?last=true')).status).toBe(204)
  expect((await admin.ask('DELETE', '/users/ada?last=true')).status).toBe(400)
})

test('everybody is listed once, page by page', async () => {
  await using house = await openWholeHouse()
  await using admin = await openAdmin(house)
  const made: string[] = []
  for (let index = 0; index < 12; index += 1) made.push(await house.addUser(`user-${index}`))
  const found: string[] = []
  for (;;) {
    const after = found.at(-1)
    const query = new URLSearchParams({ limit: '4', ...(after !== undefined && { after }) })
    const page = people.parse(await (await admin.ask('GET', `/users?${query.toString()}`)).json())
    found.push(...page.people.map(({ accountId }) => accountId))
    if (page.people.length < 4) break
  }
  expect(found).toEqual([...made].sort())
})
