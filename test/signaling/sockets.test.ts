/** The WebSocket plane: masters and viewers on loopback. */
import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { DeleteSignalingChannelCommand } from '@aws-sdk/client-kinesis-video'
import { WebSocket } from 'ws'
import { base64, noRates, refusal, region, run, type Client, type Key, type Running } from './running-service.ts'
import { hold, turns } from '../timers.ts'
import { until } from '../until.ts'

const presence: [string, boolean][] = []
let running: Running
beforeAll(async () => {
  running = await run({
    onPresence: (channelName, online) => presence.push([channelName, online]),
    limits: { viewersPerChannel: 3, rates: noRates },
  })
})
afterAll(() => running.close())

let count = 0
let channelName: string
let arn: string
let cameraKey: Key
beforeEach(async () => {
  channelName = `door-${(count += 1)}`
  arn = await running.service.ensureChannel(channelName)
  cameraKey = await running.service.createCredentials({ kind: 'camera', channelName })
})

const connectMaster = () => running.connect(cameraKey, { 'X-Amz-ChannelARN': arn })
const connectViewer = (clientId: string) =>
  running.connect(running.key, { 'X-Amz-ChannelARN': arn, 'X-Amz-ClientId': clientId })
const offer = base64({ type: 'offer', sdp: 'v=0\r\n' })
const answer = base64({ type: 'answer', sdp: 'v=0\r\n' })
const candidate = base64({ candidate: 'candidate:1 1 udp 1 192.0.2.1 1 typ host', sdpMid: '0', sdpMLineIndex: 0 })

const told = async (client: Client, message: object) => {
  client.send({ ...message, correlationId: 'c.1' })
  return client.next()
}
const status = (type: string) => ({
  messageType: 'STATUS_RESPONSE',
  statusResponse: { correlationId: 'c.1', errorType: type, statusCode: '400', description: expect.any(String) },
})

const refused = async (key: Key, query: Record<string, string>, options = {}) =>
  refusal(await running.presign(key, query, options), running.ca)

describe('relay', () => {
  test('an offer reaches the master with the name of its viewer, the answer the viewer without a name', async () => {
    const [master, viewer] = [await connectMaster(), await connectViewer('echo-1')]
    viewer.send({ action: 'SDP_OFFER', messagePayload: offer, recipientClientId: 'ignored' })
    expect(await master.next()).toEqual({ messageType: 'SDP_OFFER', messagePayload: offer, senderClientId: 'echo-1' })
    master.send({ action: 'SDP_ANSWER', recipientClientId: 'echo-1', messagePayload: answer })
    expect(await viewer.next()).toEqual({ messageType: 'SDP_ANSWER', messagePayload: answer })
    master.send({ action: 'ICE_CANDIDATE', recipientClientId: 'echo-1', messagePayload: candidate })
    expect(await viewer.next()).toEqual({ messageType: 'ICE_CANDIDATE', messagePayload: candidate })
  })

  test('the capital keys of the C SDK are as good, with an empty recipient from a viewer', async () => {
    const [master, viewer] = [await connectMaster(), await connectViewer('v')]
    const capital = { RecipientClientId: '', MessagePayload: offer, CorrelationId: '', IceServerList: [] }
    viewer.send({ action: 'SDP_OFFER', ...capital })
    expect(await master.next()).toMatchObject({ messageType: 'SDP_OFFER', senderClientId: 'v' })
    master.send({ action: 'SDP_ANSWER', RecipientClientId: 'v', MessagePayload: answer, CorrelationId: '1' })
    expect(await viewer.next()).toEqual({ messageType: 'SDP_ANSWER', messagePayload: answer })
  })

  test('a viewer hears what is meant for it and nothing else', async () => {
    const [master, one, two] = [await connectMaster(), await connectViewer('one'), await connectViewer('two')]
    master.send({ action: 'SDP_ANSWER', recipientClientId: 'two', messagePayload: answer })
    master.send({ action: 'ICE_CANDIDATE', recipientClientId: 'one', messagePayload: candidate })
    expect(await two.next()).toMatchObject({ messageType: 'SDP_ANSWER' })
    expect(await one.next()).toMatchObject({ messageType: 'ICE_CANDIDATE' })
    expect([...one.unread, ...two.unread]).toEqual([])
  })

  test('a master that connects later gets the newest offer of each viewer and the candidates that belong to it', async () => {
    const viewer = await connectViewer('early')
    viewer.send({ action: 'SDP_OFFER', messagePayload: base64('older') })
    viewer.send({ action: 'ICE_CANDIDATE', messagePayload: base64('of the older') })
    viewer.send({ action: 'SDP_OFFER', messagePayload: offer })
    viewer.send({ action: 'ICE_CANDIDATE', messagePayload: candidate })
    viewer.send({ action: 'SDP_OFFER', messagePayload: '', correlationId: 'all-taken' })
    await viewer.next()
    const master = await connectMaster()
    expect(await master.next()).toMatchObject({ messageType: 'SDP_OFFER', messagePayload: offer })
    expect(await master.next()).toMatchObject({ messageType: 'ICE_CANDIDATE', messagePayload: candidate })
    expect(master.unread).toEqual([])
  })

  test('a viewer that comes back under its id gets the answer that it missed', async () => {
    const master = await connectMaster()
    master.send({ action: 'SDP_ANSWER', recipientClientId: 'back', messagePayload: answer })
    expect(await (await connectViewer('back')).next()).toMatchObject({ messageType: 'SDP_ANSWER' })
  })
})

describe('refused messages', () => {
  test.each([
    ['an unknown action', { action: 'SDP_PRANSWER', messagePayload: offer }],
    ['no payload', { action: 'SDP_OFFER' }],
    ['a payload over 10,000 characters', { action: 'SDP_OFFER', messagePayload: 'A'.repeat(10_001) }],
    ['a recipient that is no id', { action: 'SDP_OFFER', messagePayload: offer, recipientClientId: 'a b' }],
  ])('%s is told to a sender with a correlation id', async (_case, message) => {
    expect(await told(await connectViewer('v'), message)).toEqual(status('InvalidArgumentException'))
  })

  test('a master must name the recipient', async () => {
    const master = await connectMaster()
    expect(await told(master, { action: 'SDP_ANSWER', messagePayload: answer })).toEqual(
      status('InvalidArgumentException'),
    )
  })

  test('a channel keeps only so many messages', async () => {
    const viewer = await connectViewer('v')
    for (let sent = 0; sent < 128; sent += 1) viewer.send({ action: 'ICE_CANDIDATE', messagePayload: candidate })
    expect(await told(viewer, { action: 'ICE_CANDIDATE', messagePayload: candidate })).toEqual(
      status('ClientLimitExceededException'),
    )
  })

  test('without a correlation id there is no reply', async () => {
    const viewer = await connectViewer('v')
    viewer.send({ action: 'SDP_OFFER' })
    viewer.send({ action: 'SDP_OFFER', correlationId: 'second' })
    expect(await viewer.next()).toMatchObject({ statusResponse: { correlationId: 'second' } })
  })
})

describe('connecting', () => {
  test('a signature by another secret, or of an unknown key, is refused with 403', async () => {
    const query = { 'X-Amz-ChannelARN': arn }
    expect(await refused({ ...cameraKey, secretAccessKey: 'x' }, query)).toMatchObject({
      status: 403,
      type: 'InvalidSignatureException',
    })
    expect(await refused({ accessKeyId: 'NOBODY', secretAccessKey: 'x' }, query)).toMatchObject({
      status: 403,
      type: 'UnrecognizedClientException',
    })
    const unsigned = `${running.service.endpoint.replace('https', 'wss')}/?X-Amz-ChannelARN=${arn}`
    expect(await refusal(unsigned, running.ca)).toMatchObject({ status: 403 })
  })

  test.each([
    ['older than it claims to hold', { at: Date.now() - 60_000, expiresIn: 30 }, 'Signature expired: '],
    ['of the future', { at: Date.now() + 330_000 }, 'Signature not yet current: '],
  ])('a URL %s is refused with 403', async (_case, options, text) => {
    const told = await refused(cameraKey, { 'X-Amz-ChannelARN': arn }, options)
    expect(told).toMatchObject({ status: 403, message: expect.stringContaining(text) })
  })

  test('a URL of a camera whose clock is an hour slow holds as long as it says', async () => {
    const slow = { at: Date.now() - 3_600_000, expiresIn: 604_800 }
    const socket = new WebSocket(await running.presign(cameraKey, { 'X-Amz-ChannelARN': arn }, slow), {
      ca: running.ca,
    })
    await once(socket, 'open')
    socket.terminate()
  })

  test("a camera's key opens neither another channel nor its own as viewer", async () => {
    const other = await running.service.ensureChannel('somebody-else')
    const denied = { status: 403, type: 'AccessDeniedException' }
    expect(await refused(cameraKey, { 'X-Amz-ChannelARN': other })).toMatchObject(denied)
    const asViewer = { 'X-Amz-ChannelARN': arn, 'X-Amz-ClientId': 'v' }
    expect(await refused(cameraKey, asViewer, { path: '/viewer' })).toMatchObject(denied)
  })

  test.each([
    ["with a camera's key", '/', () => cameraKey],
    ["with an application's key, at the endpoint for masters", '/master', () => running.key],
  ])('a master that sends a client id is a master %s', async (_case, path, key) => {
    const master = await running.connect(key(), { 'X-Amz-ChannelARN': arn, 'X-Amz-ClientId': 'MASTER' }, { path })
    const viewer = await connectViewer('v')
    viewer.send({ action: 'SDP_OFFER', messagePayload: offer })
    expect(await master.next()).toMatchObject({ messageType: 'SDP_OFFER', senderClientId: 'v' })
  })

  test('the endpoint for viewers admits nobody without a client id', async () => {
    expect(await refused(running.key, { 'X-Amz-ChannelARN': arn }, { path: '/viewer' })).toMatchObject({
      status: 400,
      type: 'InvalidArgumentException',
    })
  })

  test.each(['AWS_viewer', 'aws_viewer', 'a b', 'x'.repeat(257), ''])('the client id "%s" is refused', async (id) => {
    expect(await refused(running.key, { 'X-Amz-ChannelARN': arn, 'X-Amz-ClientId': id })).toMatchObject({
      status: 400,
      type: 'InvalidArgumentException',
    })
  })

  test('a missing or malformed ARN is refused with 400, an unknown channel with 404', async () => {
    expect(await refused(running.key, {})).toMatchObject({ status: 400 })
    expect(await refused(running.key, { 'X-Amz-ChannelARN': 'door' })).toMatchObject({ status: 400 })
    const unknown = `arn:aws:kinesisvideo:${region}:000000000000:channel/nowhere/1795345896263`
    expect(await refused(running.key, { 'X-Amz-ChannelARN': unknown })).toMatchObject({
      status: 404,
      type: 'ResourceNotFoundException',
    })
  })

  test('the viewer that finds no room is refused, and let in when another one leaves', async () => {
    const viewers = [await connectViewer('1'), await connectViewer('2'), await connectViewer('3')]
    const query = { 'X-Amz-ChannelARN': arn, 'X-Amz-ClientId': '4' }
    expect(await refused(running.key, query)).toMatchObject({ status: 400, type: 'ClientLimitExceededException' })
    await connectViewer('3')
    expect(await viewers[2]?.closed).toMatchObject({ code: 4001 })
    const before = running.service.openSockets()
    viewers[0]?.socket.close()
    await until(() => running.service.openSockets() < before)
    await connectViewer('4')
  })

  test('the subprotocol wss is echoed when it is asked for, and no other', async () => {
    const url = await running.presign(cameraKey, { 'X-Amz-ChannelARN': arn })
    const protocolOf = async (asked: string[]) => {
      const socket = new WebSocket(url, asked, { ca: running.ca })
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
      socket.terminate()
      return socket.protocol
    }
    expect(await protocolOf(['wss'])).toBe('wss')
    expect(await protocolOf([])).toBe('')
  })

  test('a deleted channel lets everybody go', async () => {
    const [master, viewer] = [await connectMaster(), await connectViewer('v')]
    await running.control().send(new DeleteSignalingChannelCommand({ ChannelARN: arn }))
    expect([await master.closed, await viewer.closed]).toMatchObject([{ code: 4004 }, { code: 4004 }])
    expect(running.service.presence(channelName)?.online).toBe(false)
  })
})

test('presence follows the master, and a second master changes nothing', async () => {
  expect(running.service.presence(channelName)).toMatchObject({ online: false, sinceAt: expect.any(Number) })
  const master = await connectMaster()
  const before = Date.now()
  expect(running.service.presence(channelName)?.online).toBe(true)
  const newer = await connectMaster()
  newer.socket.close()
  await newer.closed
  master.socket.terminate()
  await until(() => running.service.presence(channelName)?.online === false)
  expect(running.service.presence(channelName)?.sinceAt).toBeGreaterThanOrEqual(before)
  expect(presence.filter(([name]) => name === channelName)).toEqual([
    [channelName, true],
    [channelName, false],
  ])
})

test('a connection that answers no ping is cut, one that does stays', async () => {
  hold('setInterval')
  const strict = await run({ limits: { heartbeatMs: 60_000 } })
  try {
    const query = { 'X-Amz-ChannelARN': await strict.service.ensureChannel('beat') }
    const alive = await strict.connect(strict.key, { ...query, 'X-Amz-ClientId': 'alive' })
    let pings = 0
    alive.socket.on('ping', () => (pings += 1))
    const deaf = new WebSocket(await strict.presign(strict.key, query), { ca: strict.ca, autoPong: false })
    const cut = new Promise((resolve) => deaf.once('close', resolve))
    for (let beats = 1; beats <= 4; beats += 1) {
      jest.advanceTimersByTime(60_000)
      await until(() => pings === beats)
      // Its answer is with the service some turns of the event loop later: both are in this process.
      await turns(100)
    }
    expect(await cut).toBe(1006)
    expect(strict.service.openSockets()).toBe(1)
  } finally {
    await strict.close()
    jest.useRealTimers()
  }
})

test('closing tells every client, is quick, and may be done twice', async () => {
  const brief = await run()
  const query = { 'X-Amz-ChannelARN': await brief.service.ensureChannel('brief') }
  const master = await brief.connect(brief.key, query)
  const stuck = await brief.connect(brief.key, { ...query, 'X-Amz-ClientId': 'stuck' })
  stuck.socket.pause()
  const startedAt = performance.now()
  await Promise.all([brief.service.close(), brief.service.close()])
  // `ws` would wait half a minute for the one that does not read.
  expect(performance.now() - startedAt).toBeLessThan(10_000)
  expect(await master.closed).toEqual({ code: 1001, reason: 'the service is stopping' })
  await until(() => brief.service.openSockets() === 0)
  await brief.close()
})

test('a port that is taken is an error of the start, and a presence listener that throws harms nobody', async () => {
  const port = Number(new URL(running.service.endpoint).port)
  await expect(run({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  const listened = await run({
    onPresence() {
      throw new Error('the fault of the listener')
    },
  })
  const arn = await listened.service.ensureChannel('listened')
  const master = await listened.connect(listened.key, { 'X-Amz-ChannelARN': arn })
  expect(listened.logged.at(-1)).toMatchObject({ level: 'error', event: 'signaling.presence-listener-failed' })
  expect(master.socket.readyState).toBe(WebSocket.OPEN)
  await listened.close()
})
