/** Other projects' WebRTC stacks as the media server behind a WHEP endpoint, read as a camera. Needs the packages in `.ci/run`. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeAll, expect, test } from '@jest/globals'
import type { AudioPacket, VideoUnit } from '../../src/gateway/media.ts'
import { createNetworkSource } from '../../src/gateway/network-source.ts'
import { until } from '../until.ts'
import { buildPeers, stackNames, stacks, type Peer, type StackName } from './peers.ts'

const closing: (() => Promise<void>)[] = []
beforeAll(buildPeers)
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** Its port, and what was asked. */
async function serve(stack: StackName) {
  const asked: string[] = []
  const peers = new Map<string, Peer>()
  async function take(method: string, url: string, body: string) {
    asked.push(`${method} ${url}`)
    if (method === 'DELETE') {
      await peers.get(url)?.close()
      return { status: peers.delete(url) ? 200 : 404 }
    }
    if (method !== 'POST') return { status: 204 }
    const peer = await stacks[stack]()
    const location = `/sessions/${asked.length}`
    peers.set(location, peer)
    return { status: 201, headers: { location, 'content-type': 'application/sdp' }, sdp: await peer.answer(body) }
  }
  const server = createServer((request, response) => {
    text(request)
      .then((body) => take(request.method ?? '', request.url ?? '', body))
      .then(({ status, headers, sdp }) => response.writeHead(status, headers).end(sdp))
      .catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    server.close()
    await Promise.all([...peers.values()].map((peer) => peer.close()))
  })
  return { port: (server.address() as AddressInfo).port, asked }
}

test.each(stackNames)('%s sends pictures and sound, and its session is deleted', async (stack) => {
  const { port, asked } = await serve(stack)
  const source = createNetworkSource(`whep://127.0.0.1:${port}/door/whep`, Date.now, () => undefined)
  closing.push(() => source.close())
  const end = new AbortController()
  const video: VideoUnit[] = []
  const audio: AudioPacket[] = []
  const running = source.run(
    { video: (unit) => video.push(unit), audio: (packet) => audio.push(packet), described: () => undefined },
    end.signal,
  )
  await Promise.race([running, until(() => video.some(({ isKey }) => isKey) && video.length > 10 && audio.length > 10)])
  end.abort()
  await running
  expect(audio[0]?.codec).toBe('opus')
  expect(asked.at(-1)).toMatch(/^DELETE /)
})
