/** Google's two doors on Express, with a store in memory and any way to the camera: for the benchmarks. */
import { createServer, request, type Agent, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import { createBroker } from '../src/bridge/broker/broker.ts'
import { createAfterwards } from '../src/bridge/google/afterwards.ts'
import { createFulfillment } from '../src/bridge/google/fulfillment.ts'
import { createGoogleLinks } from '../src/bridge/google/links.ts'
import { createStatesOf } from '../src/bridge/google/reports.ts'
import { createSignalingDoor } from '../src/bridge/google/signaling.ts'
import { accountId, cameraId, type Camera, type Signaling } from '../src/core/ports.ts'
import { createSqliteStore } from '../src/core/store/sqlite.ts'

const account = accountId('ada')
export const camera: Camera = {
  id: cameraId('front-door'),
  accountId: account,
  name: 'Front door',
  kind: 'doorbell',
  channel: { channelName: 'front-door', road: 'viewer' },
  manufacturer: 'Transom',
  model: 'Bench',
  hasSpeaker: true,
}

/** EXECUTE for that camera. */
export const show = JSON.stringify({
  requestId: '6894439706274654512',
  inputs: [
    {
      intent: 'action.devices.EXECUTE',
      payload: {
        commands: [
          {
            devices: [{ id: camera.id }],
            execution: [
              {
                command: 'action.devices.commands.GetCameraStream',
                params: { StreamToChromecast: true, SupportedStreamProtocols: ['webrtc'] },
              },
            ],
          },
        ],
      },
    },
  ],
})

export const tokenOf = (executed: string) => /"cameraStreamAuthToken":"([^"]+)"/.exec(executed)?.[1] ?? ''

const clock = Date.now
const log = (): void => {}
const stateOf = async () => ({})

/** Routes `/fulfillment` and `/signaling` on `app`. */
export function openDoors(app: Express, signaling: Signaling): void {
  const store = createSqliteStore(':memory:', clock)
  const budgets = { settleCapMs: 1500, quietMs: 200, replyMs: 100, absentMs: 3000, lifetimeMs: 600_000 }
  const broker = createBroker({ signaling, presence: () => undefined, store, budgets, clock, log })
  const cameras = { list: async () => [camera], find: async () => camera }
  const base = { cameras, broker, store, clock, log }
  const fulfillment = createFulfillment({
    ...base,
    stateOf,
    links: createGoogleLinks(base),
    statesOf: createStatesOf(broker, stateOf),
    authorize: async () => ({ accountId: account, clientId: 'google', scopes: ['camera'] }),
    signalingUrl: 'https://bridge.example/google/signaling',
    canNotify: true,
    willReportState: true,
    afterwards: createAfterwards(log),
    unlink: async () => false,
  })
  const door = createSignalingDoor({ ...base, talkBack: true })
  app.post('/fulfillment', express.json({ limit: '256kb' }), async (request, response) => {
    const { status, body } = await fulfillment(request.body, request.headers)
    response.status(status).json(body)
  })
  app.post('/signaling', express.text({ limit: '64kb', type: () => true }), async (request, response) => {
    const { method, headers } = request
    const reply = await door({ method, headers, body: String(request.body) })
    response.status(reply.status).set(reply.headers).end(reply.body)
  })
}

/** Listens on loopback; `post` says nothing but status and text. */
export async function serve(app: Express, agent: Agent) {
  const server = createServer(app as RequestListener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    close: () => server.close(),
    post(path: string, body: string, token: string): Promise<{ status: number; text: string }> {
      const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const sent = request({ port, path, method: 'POST', headers, agent }, (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      })
      sent.on('error', reject)
      sent.end(body)
      return promise
    },
  }
}
