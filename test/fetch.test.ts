/** The one way out over HTTP, towards servers that mean harm. What each caller asks for is in outbound.test.ts. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { boundedFetch, whyFailed } from '../src/core/fetch.ts'
import { openHostileServer } from './hostile-server.ts'

afterEach(() => void jest.restoreAllMocks())

/** A deadline that is over when the test says so, so that no test waits for one. */
function deadlineAtWill() {
  const deadline = new AbortController()
  const asked: number[] = []
  jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    asked.push(ms)
    return deadline.signal
  })
  return { asked, pass: () => deadline.abort(new DOMException('the deadline is over', 'TimeoutError')) }
}

async function openServer(answer: RequestListener) {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

describe('a hostile server is left', () => {
  test.each(['silence', 'stalled body'] as const)('at the deadline: %s', async (harm) => {
    await using server = await openHostileServer(harm)
    const deadline = deadlineAtWill()
    server.whenAsked(deadline.pass)
    await expect(boundedFetch({ ms: 1234 })(server.url)).rejects.toThrow('deadline')
    expect(deadline.asked).toEqual([1234])
  })

  test.each(['silence', 'stalled body'] as const)('when its caller gives up: %s', async (harm) => {
    await using server = await openHostileServer(harm)
    const caller = new AbortController()
    server.whenAsked(() => caller.abort(new Error('given up')))
    await expect(boundedFetch({ ms: 60_000 })(server.url, { signal: caller.signal })).rejects.toThrow('given up')
  })

  test('when its body grows too large', async () => {
    await using server = await openHostileServer('endless body')
    await expect(boundedFetch({ ms: 60_000 })(server.url)).rejects.toThrow('larger than 65536 bytes')
  })

  test('when it sends us elsewhere, whatever the caller wished', async () => {
    await using server = await openHostileServer('redirect')
    await expect(boundedFetch({ ms: 60_000 })(server.url, { redirect: 'follow' })).rejects.toThrow()
    expect(server.asked).toEqual(['/'])
  })
})

describe('a reply', () => {
  test('of exactly the bound is read whole, of one byte more not', async () => {
    using server = await openServer((_request, response) => void response.end('x'.repeat(100)))
    const reply = await boundedFetch({ ms: 60_000, maxBytes: 100 })(server.url)
    expect(await reply.text()).toHaveLength(100)
    await expect(boundedFetch({ ms: 60_000, maxBytes: 99 })(server.url)).rejects.toThrow('larger')
  })

  test('whose success is enough is one without its body, a refusal is not', async () => {
    using server = await openServer(
      ({ url }, response) => void response.writeHead(url === '/yes' ? 202 : 403).end('x'.repeat(100)),
    )
    const ask = boundedFetch({ ms: 60_000, maxBytes: 99, isStatusEnough: true })
    const reply = await ask(`${server.url}/yes`)
    expect([reply.status, await reply.text()]).toEqual([202, ''])
    await expect(ask(`${server.url}/no`)).rejects.toThrow('larger')
  })

  test('counts as it is when unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000))
    using server = await openServer(
      (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    )
    await expect(boundedFetch({ ms: 60_000 })(server.url)).rejects.toThrow('larger')
  })

  test.each([201, 202, 204, 304, 404, 500])('of status %i keeps status and header', async (status) => {
    using server = await openServer((_request, response) => void response.writeHead(status, { 'x-y': 'z' }).end())
    const reply = await boundedFetch({ ms: 60_000 })(server.url)
    expect([reply.status, reply.headers.get('x-y'), await reply.text()]).toEqual([status, 'z', ''])
  })
})

test('what failed is said with its cause', async () => {
  const thrown = await boundedFetch({ ms: 60_000 })('http://127.0.0.1:1').catch((error: unknown) => error)
  expect(whyFailed(thrown)).toMatch(/fetch failed: .*(ECONNREFUSED|bad port)/)
  expect(whyFailed('text')).toBe('text')
})
