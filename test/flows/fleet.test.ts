/** The packaged Lambda functions as a fleet runs them: frozen between requests, with stores and vendors that have quotas. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { accountId } from '../../src/core/ports.ts'
import { initiateSession } from '../alexa/directives.ts'
import { echoOffer } from '../broker/fixtures.ts'
import { createFleet, httpEvent, press, report, type Fleet, type Reply } from '../fleet/fleet.ts'

const restCalls = (): readonly string[] => fleet.kvs.log.filter((call) => call !== 'upgrade')
const announced = () => fleet.amazon.events.filter(({ event }) => event.header.name === 'DoorbellPress').length
const statuses = (replies: readonly Reply[]) => [...new Set(replies.map(({ statusCode }) => statusCode))]

/** Google wants to show a camera. */
function showCamera(id: string): object {
  const params = { StreamToChromecast: true, SupportedStreamProtocols: ['webrtc'] }
  const execution = [{ command: 'action.devices.commands.GetCameraStream', params }]
  return {
    requestId: '1',
    inputs: [{ intent: 'action.devices.EXECUTE', payload: { commands: [{ devices: [{ id }], execution }] } }],
  }
}

let fleet: Fleet
beforeAll(async () => {
  fleet = await createFleet(['http', 'alexa', 'sweep'])
})
afterAll(async () => fleet.close())
beforeEach(() => {
  fleet.kvs.log.length = 0
  fleet.dynamo.calls.length = 0
  fleet.dynamo.indexWrites.clear()
})

test('a press asks KVS nothing, and one of an account that is linked with nobody asks no vendor at all', async () => {
  const [linked, alone] = [accountId('linked'), accountId('alone')]
  await fleet.addCamera(linked, 'linked-door')
  await fleet.addCamera(alone, 'lonely-door')
  await fleet.link(linked)
  const requests = fleet.amazon.requests.length
  const http = fleet.environment('http')
  expect(await http.invoke(press('lonely-door'))).toMatchObject({ statusCode: 202 })
  expect([fleet.amazon.requests.length - requests, fleet.google.calls.length]).toEqual([0, 0])
  expect(await http.invoke(press('linked-door'))).toMatchObject({ statusCode: 202 })
  expect([announced(), fleet.google.reports.length]).toEqual([1, 1])
  expect(fleet.kvs.log).toEqual([])
})

test('a view in a new environment makes one REST call to KVS, for ICE servers, once the channel is known', async () => {
  const ada = accountId('ada')
  await fleet.addCamera(ada, 'front-door')
  const [google, alexa] = [await fleet.token(ada, 'google'), await fleet.token(ada, 'alexa')]
  const body = showCamera('front-door')
  const execute = async () => {
    const reply = await fleet.environment('http').invoke(httpEvent('POST', '/google/fulfillment', google, body))
    expect(reply.body).toContain('cameraStreamSignalingUrl')
    expect(reply.body).toContain('turn:192.0.2.1:443')
  }
  await execute()
  expect(restCalls()).toHaveLength(3)
  fleet.kvs.log.length = 0
  await execute()
  // No line is opened ahead: frozen, it would keep a viewer's place until AWS ends it.
  expect(fleet.kvs.log).toEqual(['/v1/get-ice-server-config'])
  fleet.kvs.log.length = 0
  const offer = initiateSession({ format: 'SDP', value: echoOffer }, { token: alexa })
  const answered = await fleet.environment('alexa').invoke(offer)
  expect(JSON.stringify(answered)).toContain('AnswerGeneratedForSession')
  expect([...fleet.kvs.log].sort()).toEqual(['/v1/get-ice-server-config', 'upgrade'])
})

test('48 presses at once are announced, each once, where a key of the index takes half of what all of them write', async () => {
  const owner = accountId('estate')
  for (let bell = 0; bell < 8; bell += 1) await fleet.addCamera(owner, `bell-${bell}`)
  await fleet.link(owner)
  const before = announced()
  fleet.dynamo.indexWrites.clear()
  fleet.dynamo.script.writesPerKey = 96
  const environments = [fleet.environment('http'), fleet.environment('http')]
  const replies = await Promise.all(
    environments.map(async (http, index) => {
      const all: Reply[] = []
      for (let turn = 0; turn < 24; turn += 1) all.push(await http.invoke(press(`bell-${(turn % 4) + 4 * index}`)))
      return all
    }),
  )
  expect(statuses(replies.flat())).toEqual([202])
  expect(announced() - before).toBe(48)
  const outbox = [...fleet.dynamo.indexWrites].filter(([key]) => key.startsWith('outbox#press'))
  // Two for each of two assistants.
  expect(outbox.reduce((sum, [, writes]) => sum + writes, 0)).toBe(48 * 4)
  expect(Math.max(...outbox.map(([, writes]) => writes))).toBeLessThan(24)
  expect(fleet.dynamo.script.throttled).toBe(0)
})

test('at three times the quota of Home Graph no press is lost, and reports of all environments keep to what is left', async () => {
  const owner = accountId('street')
  const bells = Array.from({ length: 8 }, (_, index) => `street-${index}`)
  for (const bell of bells) await fleet.addCamera(owner, bell)
  await fleet.link(owner)
  const told = fleet.google.reports.length
  fleet.google.calls.length = 0
  fleet.google.quota.perMinute = 60
  const environments = [0, 1].map(() => fleet.environment('http', { TRANSOM_HOME_GRAPH_PER_MINUTE: '60' }))
  await Promise.all(
    environments.map(async (http, index) => {
      for (let turn = 0; turn < 20; turn += 1) {
        const bell = bells[index * 4 + (turn % 4)]!
        for (let person = 0; person < 3; person += 1)
          await http.invoke(report(bell, { kind: 'person', eventId: randomUUID(), at: Date.now() }))
        expect(await http.invoke(press(bell, `rang-${index}-${turn}`))).toMatchObject({ statusCode: 202 })
      }
    }),
  )
  fleet.google.quota.perMinute = Infinity
  const ids = fleet.google.reports.slice(told).map(({ eventId = '' }) => eventId)
  expect(new Set(ids.filter((id) => id.includes('rang-'))).size).toBe(40)
  expect(fleet.google.quota.refused).toBe(0)
  expect(ids.filter((id) => id.startsWith('google-person')).length).toBeGreaterThan(5)
})

test('a battery event and a view cost the same calls to DynamoDB in an account of forty cameras as in one of two', async () => {
  // What another test has used up of Home Graph's quota.
  await fleet.store.collection('google-quota').remove('home-graph')
  const spent = async (owner: string, count: number) => {
    const account = accountId(owner)
    for (let at = 0; at < count; at += 1) await fleet.addCamera(account, `${owner}-${at}`, { hasBattery: true })
    await fleet.link(account)
    const token = await fleet.token(account, 'google')
    const http = fleet.environment('http')
    await http.invoke(report(`${owner}-0`, { kind: 'battery', level: 50, at: Date.now() }))
    const calls: string[][] = []
    for (const event of [
      report(`${owner}-1`, { kind: 'battery', level: 12, at: Date.now() }),
      httpEvent('POST', '/google/fulfillment', token, showCamera(`${owner}-1`)),
    ]) {
      fleet.dynamo.calls.length = 0
      expect(await http.invoke(event)).not.toHaveProperty('error')
      // Where the channel is, the first view of all finds out.
      const made = fleet.dynamo.calls.filter(({ kind }) => kind !== 'kvs-channel')
      calls.push(made.map(({ operation, kind }) => `${operation} ${kind}`.replaceAll(owner, 'x')).sort())
    }
    return calls
  }
  const few = await spent('flat', 2)
  expect(await spent('hotel', 40)).toEqual(few)
  expect(few.flat().filter((call) => call.startsWith('Query camera#'))).toEqual([])
  const { states } = fleet.google.reports.at(-1)!.payload.devices
  expect(Object.keys(states ?? {})).toEqual(['hotel-1'])
})

test('a request to DynamoDB that is never answered is made again in time, and the log holds nothing but JSON', async () => {
  await fleet.addCamera(accountId('grace'), 'slow-door')
  const http = fleet.environment('http')
  await http.invoke(press('slow-door'))
  fleet.dynamo.calls.length = 0
  fleet.dynamo.script.hang.set('GetItem', 1)
  expect(await http.invoke(press('slow-door'))).toMatchObject({ statusCode: 202 })
  const [first, second] = fleet.dynamo.calls.filter(({ operation }) => operation === 'GetItem')
  expect(second).toEqual(first)
  expect(http.lines.filter((line) => !/^\{"(at|_aws)":/.test(line))).toEqual([])
})
