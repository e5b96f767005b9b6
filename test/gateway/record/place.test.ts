/** Recordings are left with the bridge in their order, again where it was away, and given up where it refuses them. */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRecordingPlace } from '../../../src/gateway/record/place.ts'

let server: Server
let asked: string[]
let answer: (path: string) => number
let url: string

beforeEach(async () => {
  asked = []
  answer = () => 204
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const path = request.url ?? ''
      asked.push(`${request.method} ${path} ${Buffer.concat(chunks).toString()} ${request.headers.authorization}`)
      response.writeHead(answer(path)).end()
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/recordings`
})
afterEach(() => new Promise((resolve) => void server.close(resolve)))

const segment = (number: number) => ({
  number,
  at: 1_000 + number,
  durationMs: 2_000.4,
  data: Buffer.from(`s${number}`),
})
const open = () => {
  let isLost = false
  const place = createRecordingPlace({ url, key: 'a-key', log: () => undefined, pauseMs: async () => undefined })
  const post = place.begin(1_000, 'avc1.42e01f,opus', () => (isLost = true))
  return { place, post, isLost: () => isLost }
}

test('fragments go out one after the other, a picture behind the first of them, the end last', async () => {
  const { place, post } = open()
  post.picture(Buffer.from('jpeg'))
  post.segment(segment(0))
  post.segment(segment(1))
  post.end()
  await place.settled()
  expect(asked).toEqual([
    'PUT /recordings/1000/fragments/0?at=1000&durationMs=2000&codecs=avc1.42e01f%2Copus s0 Bearer a-key',
    'PUT /recordings/1000/picture jpeg Bearer a-key',
    'PUT /recordings/1000/fragments/1?at=1001&durationMs=2000 s1 Bearer a-key',
    'POST /recordings/1000/end {} Bearer a-key',
  ])
})

test('of a recording without a fragment nothing is said', async () => {
  const { place, post } = open()
  post.picture(Buffer.from('jpeg'))
  post.end()
  await place.settled()
  expect(asked).toEqual([])
})

test('a bridge that was away gets the fragment again', async () => {
  let failures = 2
  answer = () => ((failures -= 1) >= 0 ? 503 : 204)
  const { place, post, isLost } = open()
  post.segment(segment(0))
  await place.settled()
  expect(asked).toHaveLength(3)
  expect(isLost()).toBe(false)
})

test('what the bridge refuses is not sent on', async () => {
  answer = (path) => (path.includes('/fragments/1') ? 400 : 204)
  const { place, post, isLost } = open()
  for (const number of [0, 1, 2]) post.segment(segment(number))
  post.end()
  await place.settled()
  expect(asked).toHaveLength(2)
  expect(isLost()).toBe(true)
})

test('a picture that the bridge refuses costs no recording', async () => {
  answer = (path) => (path.includes('/picture') ? 400 : 204)
  const { place, post, isLost } = open()
  post.segment(segment(0))
  post.picture(Buffer.from('jpeg'))
  post.segment(segment(1))
  await place.settled()
  expect(asked).toHaveLength(3)
  expect(isLost()).toBe(false)
})

test('a bridge that takes more slowly than the camera sends is given up before the memory is full', async () => {
  const { place, post, isLost } = open()
  const large = { ...segment(0), data: Buffer.alloc(12 * 1_024 * 1_024) }
  for (const number of [0, 1, 2]) post.segment({ ...large, number })
  expect(isLost()).toBe(true)
  await place.settled()
})
