/** Google's flows through the whole house in one process: presence and presses to Home Graph, and each surface's way to a picture. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Embedded } from '../../src/transom/embedded.ts'
import { startCamera } from '../../src/gateway/camera.ts'
import { call } from '../../src/simulator/call.ts'
import { linkAccount } from '../../src/simulator/link.ts'
import { readSettings } from '../../src/simulator/settings.ts'
import { startFakeGoogle } from '../google/fake-google.ts'
import { until } from '../until.ts'
import { embedHouse } from './embedded-house.ts'

const patience = 60_000

async function openHouse(env: Record<string, string>) {
  const dataDir = mkdtempSync(join(tmpdir(), 'transom-google-'))
  const house = await embedHouse(dataDir, env)
  return {
    house,
    dataDir,
    settings: readSettings(dataDir),
    async close() {
      await house.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

describe('a bridge with a service account', () => {
  let google: Awaited<ReturnType<typeof startFakeGoogle>>
  let open: Awaited<ReturnType<typeof openHouse>>
  let house: Embedded
  let link: () => Promise<(intent: string) => Promise<unknown>>
  let cleanUp: (() => Promise<void>) | undefined

  beforeAll(async () => {
    google = await startFakeGoogle(Date.now)
    const keyFile = join(mkdtempSync(join(tmpdir(), 'transom-key-')), 'key.json')
    writeFileSync(keyFile, JSON.stringify(google.keyFile))
    open = await openHouse({
      TRANSOM_DOORBELL: 'off',
      TRANSOM_GOOGLE_SERVICE_ACCOUNT: keyFile,
      TRANSOM_HOME_GRAPH_URL: google.url,
    })
    house = open.house
    const { bridge, clients, user } = open.settings
    link = async () => {
      const options = { assistant: 'google', bridge, client: clients.google, user } as const
      const { accessToken } = await linkAccount(options, AbortSignal.timeout(60_000))
      return async (intent) => {
        const response = await fetch(`${bridge}/google/fulfillment`, {
          method: 'POST',
          headers: { authorization: `Bearer ${accessToken}` },
          body: JSON.stringify({ requestId: '1', inputs: [{ intent: `action.devices.${intent}` }] }),
        })
        return response.json()
      }
    }
  })
  afterAll(async () => {
    await cleanUp?.()
    await open.close()
    await google.close()
  })

  test('tells Home Graph by itself that a camera came and went, announces its bell, and forgets at DISCONNECT', async () => {
    const ask = await link()
    const { payload } = (await ask('SYNC')) as { payload: { agentUserId: string; devices: { id: string }[] } }
    google.devices.set(payload.agentUserId, payload.devices)
    const believed = () => google.states.get(payload.agentUserId)?.['front-door']?.['online']
    await until(() => believed() === false)

    const secrets = JSON.parse(readFileSync(join(open.dataDir, 'secrets.json'), 'utf8')) as {
      credentials: { camera: { accessKeyId: string; secretAccessKey: string } }
    }
    const camera = await startCamera({
      access: {
        region: 'local',
        endpoint: house.signalingEndpoint,
        ca: readFileSync(join(open.dataDir, 'certificates', 'ca.pem'), 'utf8'),
        credentials: secrets.credentials.camera,
      },
      channelName: house.camera.channel.channelName,
      source: 'synthetic',
      report: async () => false,
      clock: Date.now,
      log: () => {},
    })
    cleanUp = () => camera.close()
    await until(() => believed() === true)

    const { cameraKeys, bridge } = open.settings
    const key = cameraKeys?.['front-door'] ?? ''
    const press = await fetch(`${bridge}/cameras/front-door/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ kind: 'press', eventId: 'e1', at: Date.now() }),
    })
    expect(press.status).toBe(202)
    await until(() => google.reports.some(({ payload }) => payload.devices.notifications))

    // A camera that is given a battery is announced anew, and what it says of it is reported.
    const gifts = { hasBattery: true, hasSwitch: true, sensors: [{ name: 'SmokeLevel', unit: 'PERCENTAGE' }] }
    await house.bridge.cameras.put({ ...house.camera, ...gifts }, key)
    await until(() => google.calls.some(({ call }) => call === 'requestSync'))
    for (const event of [
      { kind: 'battery', level: 42 },
      { kind: 'switch', isOn: true },
      { kind: 'sensor', name: 'SmokeLevel', value: 7 },
    ]) {
      await fetch(`${bridge}/cameras/front-door/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify({ ...event, at: Date.now() }),
      })
    }
    const state = {
      online: true,
      descriptiveCapacityRemaining: 'MEDIUM',
      capacityRemaining: [{ rawValue: 42, unit: 'PERCENTAGE' }],
      on: true,
      currentSensorStateData: [{ name: 'SmokeLevel', rawValue: 7 }],
    }
    const told = () => google.states.get(payload.agentUserId)?.['front-door']
    await until(() => told()?.['currentSensorStateData'] !== undefined)
    expect(told()).toEqual(state)

    await camera.close()
    await until(() => believed() === false)
    // It was told, not found out by reconciling.
    expect(google.calls.map(({ call }) => call)).not.toContain('query')

    expect(await ask('DISCONNECT')).toEqual({})
    const before = google.calls.length
    await house.bridge.events.receive(house.camera, { kind: 'online', isOnline: true, at: Date.now() })
    await house.bridge.settled()
    expect(google.calls.length).toBe(before)
    expect(google.complaints).toEqual([])
  })

  test('lets one member of a household go, and the other hears on; with the last one Google is forgotten', async () => {
    const [one, other] = [await link(), await link()]
    await one('SYNC')
    expect(await one('DISCONNECT')).toEqual({})
    expect(await one('SYNC')).toMatchObject({ payload: { errorCode: 'authFailure' } })
    const { payload } = (await other('SYNC')) as { payload: { devices: unknown[] } }
    expect(payload.devices).toHaveLength(1)
    const reported = async () => {
      const before = google.reports.length
      await house.bridge.events.receive(house.camera, { kind: 'press', eventId: randomUUID(), at: Date.now() })
      await house.bridge.settled()
      return google.reports.length > before
    }
    expect(await reported()).toBe(true)
    expect(await other('DISCONNECT')).toEqual({})
    expect(await reported()).toBe(false)
    expect(google.complaints).toEqual([])
  })
})

describe('the simulator', () => {
  let open: Awaited<ReturnType<typeof openHouse>>
  const files = createServer((_request, response) => {
    response.writeHead(200, { 'access-control-allow-origin': '*' }).end('#EXTM3U\n#EXT-X-VERSION:3\n')
  })

  beforeAll(async () => {
    await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve))
    open = await openHouse({})
  })
  afterAll(async () => {
    await open.close()
    files.close()
  })

  const google = (more: Partial<Parameters<typeof call>[0]>) =>
    call({ assistant: 'google', settings: open.settings, seconds: 1, ...more })

  test('rings the bell, hears the announcement as Home Graph, and shows who is there', async () => {
    const { report } = await google({ ring: true })
    expect(report).toMatchObject({ ok: true, cause: null, ring: { announcedMs: expect.any(Number) } })
    expect(report.ring?.announcedMs).toBeGreaterThan(0)
    expect(report.ring?.firstFrameMs).toBeGreaterThan(0)
  })

  test(
    'is a phone too',
    async () =>
      expect((await google({ surface: 'phone' })).report).toMatchObject({ ok: true, display: 'Phone', cause: null }),
    patience,
  )

  test('as a Chromecast is told honestly that nothing can be shown, and is shown HLS where the camera has it', async () => {
    const { report } = await google({ surface: 'chromecast' })
    expect(report).toMatchObject({ ok: false, cause: { code: 'not_supported' } })
    const uri = `http://localhost:${(files.address() as AddressInfo).port}/index.m3u8`
    const stream = { uri, protocol: 'HLS', width: 1280, height: 720, audioCodec: 'AAC' } as const
    await open.house.bridge.cameras.put({ ...open.house.camera, streams: [stream] }, 'another key')
    expect((await google({ surface: 'chromecast' })).report).toMatchObject({ ok: true, cause: null })
  })
})
