/** Directives of the page's Echo Show, on their way to a bridge that accepts signed ones alone. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from '@jest/globals'
import express from 'express'
import { createAlexaDoors } from '../../src/bridge/doors/alexa-doors.ts'
import { createSignatures } from '../../src/bridge/signature.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createAlexa } from '../../src/simulator/alexa.ts'
import { createEchoSessions } from '../../src/simulator/echo-sessions.ts'
import { sendDirective } from '../../src/simulator/directive.ts'
import { createTimeline } from '../../src/simulator/timeline.ts'

const forwarderSecret = 's'.repeat(40)

/** The bridge's own door, with nothing behind it but a note of what came. */
async function openDoor() {
  const came: { readonly event: unknown; readonly region: string | undefined }[] = []
  const entry = async (event: unknown, region?: string) => (came.push({ event, region }), {})
  const store = createSqliteStore(':memory:', Date.now)
  const signatures = createSignatures({ store, clock: Date.now })
  const app = express().use(createAlexaDoors({ alexa: { entry } }, { forwarderSecret, signatures, clock: Date.now }))
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bridge = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    bridge,
    came,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await store.close()
    },
  }
}

test('a directive is signed, and two of one second do not count as one', async () => {
  await using door = await openDoor()
  const send = (secret: string) =>
    sendDirective({ bridge: door.bridge, forwarderSecret: secret }, { header: {} }, AbortSignal.timeout(60_000))
  const replies = await Promise.all([send(forwarderSecret), send(forwarderSecret)])
  expect(replies.map(({ status }) => status)).toEqual([200, 200])
  const arrived = { event: { directive: { header: {} } }, region: '' }
  expect(door.came).toEqual([arrived, arrived])
  expect((await send('x'.repeat(40))).status).not.toBe(200)
})

test('every Echo of the simulator uses that door', async () => {
  await using door = await openDoor()
  const { bridge } = door
  const signal = AbortSignal.timeout(60_000)
  const tools = { bridge, forwarderSecret, accessToken: 'token', note: () => {} }
  // The reply is none that Alexa accepts; that it came shows that the request did.
  const notDiscovered = { code: 'discovery_invalid', message: expect.not.stringContaining('HTTP status') }
  await expect(createAlexa(tools).discover(signal)).rejects.toMatchObject(notDiscovered)
  const sessions = createEchoSessions({ bridge, forwarderSecret, log: () => {} })
  const viewer = { account: 'ada', accessToken: 'token', timeline: createTimeline() }
  await expect(sessions.open(viewer, 'bell-1', signal)).rejects.toMatchObject(notDiscovered)
  expect(door.came).toHaveLength(2)
})
