/** Media files as sources: played in a loop, sound as Opus, and refused with a word that helps when they cannot be used. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { SourceError, type AudioPacket, type VideoUnit } from '../../src/gateway/media.ts'
import { createFileSource } from '../../src/gateway/recorded.ts'
import { makeMovie, movieFrameRate } from './movie.ts'
import { until } from '../until.ts'

const directory = mkdtempSync(join(tmpdir(), 'gateway-movie-'))
const movie = (name: string) => join(directory, name)
const never = new AbortController().signal
const describeFile = (path: string) => createFileSource(path, Date.now, () => undefined).describe(never)

beforeAll(async () => {
  await makeMovie({ path: movie('aac.mp4'), seconds: 1 })
  await makeMovie({ path: movie('opus.mkv'), seconds: 1, audio: 'opus' })
  await makeMovie({ path: movie('mpeg4.mp4'), seconds: 1, video: 'mpeg4' })
})
afterAll(() => rmSync(directory, { recursive: true }))

describe.each(['aac.mp4', 'opus.mkv'])('%s', (name) => {
  test('plays on beyond its end, in time, with Opus and a key frame at each start', async () => {
    const source = createFileSource(movie(name), Date.now, () => undefined)
    expect(await source.describe(never)).toEqual({ profileLevelId: '4d400d', hasSpeaker: false, sound: ['opus'] })
    expect(source.requestKeyFrame()).toBe(false)
    const video: VideoUnit[] = []
    const audio: AudioPacket[] = []
    const end = new AbortController()
    const startedAt = Date.now()
    const playing = source.run(
      { video: (unit) => video.push(unit), audio: (packet) => audio.push(packet), described: () => {} },
      end.signal,
    )
    await until(() => video.length > 2.5 * movieFrameRate)
    end.abort()
    await playing

    expect(Date.now() - startedAt).toBeGreaterThan(2_000)
    expect(video.flatMap(({ isKey }, index) => (isKey ? [index] : []))).toEqual([0, 10, 20])
    // SPS and PPS stand before the key frame though an MP4 keeps them in its header.
    expect(video[10]!.payloads[0]!.readUInt8(3) & 0x1f).toBe(7)
    const gaps = video.slice(1).map(({ at }, index) => Math.round(at - video[index]!.at))
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(90)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(150)
    expect(audio.length).toBeGreaterThan(100)
    expect(Math.abs(audio.at(-1)!.at - video.at(-1)!.at)).toBeLessThan(250)
  })
})

describe('refused', () => {
  test.each([
    ['a codec that no display takes', 'mpeg4.mp4', 'source_codec', /mpeg4\.mp4 sends mpeg4 video.*H\.264.*libx264/],
    ['a file that is not there', 'none.mp4', 'source_not_found', /cannot open none\.mp4: No such file/],
  ])('is %s', async (_name, file, code, message) => {
    const error = await describeFile(movie(file)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(SourceError)
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
  })
})
