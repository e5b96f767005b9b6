/** A stop in the middle of everything: the whole process ends by itself, at once, and says that all is well. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { linkAccount } from '../../src/simulator/link.ts'
import { readSettings } from '../../src/simulator/settings.ts'
import { createHouse, type House } from './house.ts'

/** What a browser hides its addresses behind (RFC 8828): nobody answers to these names. */
const hidden = Array.from(
  { length: 10 },
  (_, n) => `a=candidate:${n + 1} 1 udp ${2113937151 - n} ${randomUUID()}.local ${50_000 + n} typ host generation 0`,
)
const offer = readFileSync(join(import.meta.dirname, '../broker/fixtures/chromium-offer.sdp'), 'utf8')
  .replaceAll(/a=candidate:.*\r?\n/g, '')
  .replaceAll(/(a=mid:\S+)\r?\n/g, `$1\r\n${hidden.join('\r\n')}\r\n`)

let house: House
beforeEach(async () => {
  house = createHouse()
  await house.start()
})
afterEach(() => house.close())

/** Asks for a view as Alexa does. */
async function view(): Promise<Response> {
  const { bridge, clients, user } = readSettings(house.dataDir)
  const link = { assistant: 'alexa', bridge, client: clients.alexa, user } as const
  const { accessToken: token } = await linkAccount(link, AbortSignal.timeout(60_000))
  const header = {
    namespace: 'Alexa.RTCSessionController',
    name: 'InitiateSessionWithOffer',
    messageId: randomUUID(),
    correlationToken: 'c',
    payloadVersion: '3',
  }
  const endpoint = { scope: { type: 'BearerToken', token }, endpointId: 'front-door', cookie: {} }
  const payload = { sessionId: randomUUID(), offer: { format: 'SDP', value: offer } }
  const body = JSON.stringify({ directive: { header, endpoint, payload } })
  return fetch(`${bridge}/alexa`, { method: 'POST', body })
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s after the call of a browser that hides its addresses ends the process with 0',
  async (signal) => {
    expect(JSON.stringify(await (await view()).json())).toContain('AnswerGeneratedForSession')
    expect(await house.stop(signal)).toBe(0)
  },
)
