/** One doorbell call, end to end: the bridge and the simulator as separate processes, over the network of this machine. */
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { sign } from '../../src/bridge/signature.ts'
import { createHouse } from './house.ts'

const assistants = ['alexa', 'google'] as const
/** An address of RFC 5737 that never replies. */
const deadStun = JSON.stringify([{ urls: 'stun:192.0.2.1:3478' }])

describe('with the embedded defaults', () => {
  const house = createHouse()
  beforeAll(() => house.start())
  afterAll(() => house.close())

  test.each(assistants)('%s links, discovers, shows the door, talks back and hangs up', async (assistant) => {
    const { code, report } = await house.call('--assistant', assistant)
    expect(report).toMatchObject({
      ok: true,
      cameraId: 'front-door',
      video: { codec: 'H264', profileLevelId: expect.stringMatching(/^42e0/) },
      audioIn: { codec: 'opus' },
      cause: null,
    })
    expect(code).toBe(0)
    expect(report.video.frames).toBeGreaterThan(5)
    expect(report.audioIn.packets).toBeGreaterThan(20)
    expect(report.audioOut.heardByCamera).toBeGreaterThan(20)
    expect(report.bridgeTimeline.map(({ step }) => step)).toEqual(
      expect.arrayContaining(['offer-received', 'camera-answered', 'answer-sent', 'talk-back-heard', 'ended']),
    )
  })

  test.each(assistants)('a ring is announced to %s, and the picture opens after it', async (assistant) => {
    const { report } = await house.call('--assistant', assistant, '--ring')
    expect(report).toMatchObject({ ok: true, cause: null })
    expect(report.ring?.announcedMs).toBeGreaterThan(0)
    expect(report.ring?.firstFrameMs).toBeGreaterThan(report.ring?.announcedMs ?? Infinity)
  })

  test('a camera may sign what it says instead of showing its key', async () => {
    const settings = readFileSync(join(house.dataDir, 'simulator.json'), 'utf8')
    const { bridge, cameraKeys } = JSON.parse(settings) as { bridge: string; cameraKeys: Record<string, string> }
    const key = createHash('sha256').update(cameraKeys['front-door']!).digest()
    const say = async (signedWith: Uint8Array) => {
      const body = JSON.stringify({ kind: 'battery', level: 50, at: Date.now() })
      const timestamp = `${Math.floor(Date.now() / 1000)}`
      const headers = { 'x-transom-timestamp': timestamp, 'x-transom-signature': sign(signedWith, timestamp, body) }
      const response = await fetch(`${bridge}/cameras/front-door/events`, { method: 'POST', headers, body })
      return response.status
    }
    expect([await say(key), await say(Buffer.alloc(32))]).toEqual([202, 401])
  })

  test('a directive that is larger than any is refused in words that Alexa knows', async () => {
    const settings = readFileSync(join(house.dataDir, 'simulator.json'), 'utf8')
    const { bridge } = JSON.parse(settings) as { bridge: string }
    const response = await fetch(`${bridge}/alexa`, { method: 'POST', body: 'x'.repeat(300_000) })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({
      event: { header: { namespace: 'Alexa', name: 'ErrorResponse' }, payload: { type: 'INVALID_DIRECTIVE' } },
    })
  })

  test('stopped by Ctrl-C it ends cleanly, and started again it still knows its cameras and users', async () => {
    expect(await house.stop()).toBe(0)
    await house.start()
    const { report } = await house.call('--assistant', 'google', '--camera', 'front-door')
    expect(report).toMatchObject({ ok: true, cause: null })
  })

  test('a camera that does not exist is a failed call with its cause', async () => {
    const { code, report } = await house.call('--assistant', 'alexa', '--camera', 'back-door')
    expect(code).toBe(1)
    expect(report.ok).toBe(false)
    expect(report.cause?.message).toContain('back-door')
  })
})

describe('with a forwarder secret, which closes the unsigned door of directives', () => {
  const house = createHouse()
  const forwarderSecret = 'only the forwarder and we know it'
  beforeAll(() => house.start({ TRANSOM_FORWARDER_SECRET: forwarderSecret }))
  afterAll(() => house.close())

  test('alexa links, hears a ring, shows the door and talks back, and nobody prints the secret', async () => {
    const { code, report } = await house.call('--assistant', 'alexa', '--ring')
    expect(report).toMatchObject({ ok: true, cause: null })
    expect(code).toBe(0)
    expect(JSON.stringify(report) + house.printed()).not.toContain(forwarderSecret)
    expect(statSync(join(house.dataDir, 'simulator.json')).mode & 0o777).toBe(0o600)
  })
})

describe('with a STUN server that never replies', () => {
  const house = createHouse()
  beforeAll(() => house.start({ TRANSOM_ICE_SERVERS: deadStun }))
  afterAll(() => house.close())

  test.each(['alexa', 'google'])('%s gets a complete answer inside its budget', async (assistant) => {
    const { report } = await house.call('--assistant', assistant)
    expect(report).toMatchObject({ ok: true, cause: null })
  })
})

describe('with the doorbell stopped', () => {
  const house = createHouse()
  beforeAll(() => house.start({ TRANSOM_DOORBELL: 'off' }))
  afterAll(() => house.close())

  test('alexa is told ENDPOINT_UNREACHABLE, and the session says why', async () => {
    const { code, report } = await house.call('--assistant', 'alexa')
    expect(code).toBe(1)
    expect(report.cause?.code).toMatch(/^camera_(offline|silent)$/)
    expect(JSON.stringify(report)).toContain('ENDPOINT_UNREACHABLE')
  })

  test('google is told that the camera is offline', async () => {
    const { code, report } = await house.call('--assistant', 'google')
    expect(code).toBe(1)
    expect(JSON.stringify(report.cause)).toMatch(/deviceOffline|offline/)
  })
})
