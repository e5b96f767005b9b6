/** Those who have no valid signature: they are slowed down and noted, and nobody else is. */
import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { createStrangers } from '../../src/core/admission.ts'
import { createIdentify } from '../../src/signaling/identify.ts'
import { defaultLimits } from '../../src/signaling/limits.ts'
import { createRates } from '../../src/signaling/rates.ts'
import { openReplayMemory } from '../../src/signaling/replay.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

async function open() {
  const logged: Readonly<Record<string, unknown>>[] = []
  const clock = Date.now
  const log = (_level: string, event: string, fields = {}) => logged.push({ event, ...fields })
  const store = createSqliteStore(':memory:', clock)
  const identify = createIdentify({
    find: async () => undefined,
    strangers: createStrangers(10),
    rates: createRates(clock),
    replay: await openReplayMemory(store, clock, log),
    limits: { ...defaultLimits, rates: { ...defaultLimits.rates, wrongKey: { perSecond: 0.001, burst: 2 } } },
    clock,
    log,
  })
  const ask = (remoteAddress: string) => {
    const socket = Object.assign(new EventEmitter(), { remoteAddress, remotePort: 1 })
    const at = new Date(clock()).toISOString().replace(/[-:]|\.\d{3}/g, '')
    const authorization = `AWS4-HMAC-SHA256 Credential=TRSMWRONG/${at.slice(0, 8)}/local/kinesisvideo/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`
    const headers = { authorization: [authorization], 'x-amz-date': [at], host: ['kvs.example'] }
    const request = { method: 'POST', url: '/', headersDistinct: headers, socket } as unknown as IncomingMessage
    let isTold = false
    const answer = identify(request, Buffer.alloc(0)).catch((error: Error) => {
      isTold = true
      return error
    })
    return { socket, answer, isTold: () => isTold }
  }
  return { ask, logged }
}

test('an address that keeps failing waits for each refusal, and the log names the key that it claims', async () => {
  const { ask, logged } = await open()
  for (let tries = 0; tries < 2; tries += 1)
    expect(await ask('192.0.2.1').answer).toMatchObject({ type: 'UnrecognizedClientException' })
  const late = ask('192.0.2.1')
  await jest.advanceTimersByTimeAsync(900)
  expect(late.isTold()).toBe(false)
  await jest.advanceTimersByTimeAsync(200)
  expect(await late.answer).toMatchObject({ type: 'UnrecognizedClientException', status: 403 })
  const line = { event: 'signaling.key-refused', accessKeyId: 'TRSMWRONG', code: 'UnrecognizedClientException' }
  expect(logged).toEqual([line, line])
})

test('another address is answered at once', async () => {
  const { ask } = await open()
  for (let tries = 0; tries < 3; tries += 1) void ask('192.0.2.1')
  expect(await ask('192.0.2.2').answer).toMatchObject({ status: 403 })
})

test('the addresses of one IPv6 network are one', async () => {
  const { ask } = await open()
  await ask('2001:db8::1').answer
  await ask('2001:db8::2:0:0:1').answer
  const late = ask('2001:db8:0:0:ffff::3')
  await jest.advanceTimersByTimeAsync(900)
  expect(late.isTold()).toBe(false)
  expect(await ask('2001:db8:0:1::1').answer).toMatchObject({ status: 403 })
  await jest.advanceTimersByTimeAsync(200)
  await late.answer
})

test('nobody is waited for who has hung up', async () => {
  const { ask } = await open()
  for (let tries = 0; tries < 2; tries += 1) await ask('192.0.2.1').answer
  const late = ask('192.0.2.1')
  await jest.advanceTimersByTimeAsync(1)
  late.socket.emit('close')
  expect(await late.answer).toMatchObject({ status: 403 })
  expect(jest.getTimerCount()).toBe(0)
})
