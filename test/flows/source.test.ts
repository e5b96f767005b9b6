/** What is said of a camera behind the gateway is true: at the start, on the command line, to both assistants, in the session. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { makeMovie } from '../gateway/movie.ts'
import { createHouse, doorbellIsOnline } from './house.ts'

describe('a camera without a speaker', () => {
  const house = createHouse()
  const directory = mkdtempSync(join(tmpdir(), 'flow-movie-'))
  const movie = join(directory, 'movie.mp4')
  beforeAll(async () => {
    await makeMovie({ path: movie, seconds: 2 })
    await house.start({ TRANSOM_SOURCE: movie })
    await house.untilPrinted(doorbellIsOnline)
  })
  afterAll(async () => {
    await house.close()
    rmSync(directory, { recursive: true })
  })

  test.each(['alexa', 'google'])(
    'is shown by %s without talk-back, and the report says why nothing was sent',
    async (assistant) => {
      const { code, report } = await house.call('--assistant', assistant)
      expect(report).toMatchObject({ ok: true, cause: null, audioOut: { packets: 0, heardByCamera: null } })
      expect(report.audioOut.reason).toContain('no speaker')
      expect(report.bridgeTimeline.map(({ step }) => step)).not.toContain('talk-back-heard')
      expect(code).toBe(0)
    },
  )
})

describe('a camera that cannot be reached', () => {
  const house = createHouse()
  beforeAll(async () => {
    const port = await freePort()
    await house.start({ TRANSOM_SOURCE: `rtsp://me:s3cret@127.0.0.1:${port}/door` })
    // The gateway, a process of its own, has looked at it by then; the start does not wait for that.
    await house.untilPrinted('source_refused')
  })
  afterAll(() => house.close())

  test.each([
    ['alexa', 'ENDPOINT_UNREACHABLE'],
    ['google', 'deviceOffline'],
  ])(
    'does not keep the bridge from starting, and %s and the session say why it is offline',
    async (assistant, word) => {
      const { code, report } = await house.call('--assistant', assistant)
      expect(code).toBe(1)
      expect(JSON.stringify(report)).toContain(word)
      expect(house.printed()).toContain('source_refused')
      expect(house.printed()).not.toContain('s3cret')
      if (assistant === 'alexa') expect(report.cause?.code).toBe('source_refused')
    },
  )
})

/** A port at which nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
