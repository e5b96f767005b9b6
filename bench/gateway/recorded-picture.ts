/** From the page's request to the first whole picture of what was recorded, beside that of a live view in the same run. */
import { setTimeout as wait } from 'node:timers/promises'
import type { RecordingList, View, ViewAnswer } from '../../src/core/wire/api.ts'
import { readAnswer } from '../../src/simulator/answer.ts'
import { createDisplay } from '../../src/simulator/display.ts'
import { pageToken } from '../../test/web/house.ts'
import { startHouse } from './house.ts'

const rounds = 9
const seconds = 12
const limits = { gatherMs: 700, iceMs: 10_000, dtlsMs: 10_000 }
const { signal } = new AbortController()

/** Medians of some rounds, milliseconds; what was recorded is seen from anywhere in it. */
export async function measureRecordedPictures(): Promise<{ readonly recorded: number; readonly live: number }> {
  const house = await startHouse('synthetic')
  try {
    const { bridge, camera, publicUrl } = house.embedded
    const token = await pageToken(bridge, publicUrl, camera.accountId)
    const ask = async <T>(method: string, path: string, body?: object): Promise<T> => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const reply = await fetch(`${publicUrl}/api${path}`, {
        method,
        headers,
        ...(body && { body: JSON.stringify(body) }),
      })
      if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${await reply.text()}`)
      return (reply.status === 204 ? undefined : await reply.json()) as T
    }
    const firstPicture = async (wanted: object): Promise<number> => {
      const { promise: shown, resolve } = Promise.withResolvers<number>()
      const onStep = (step: string) => (step === 'first-frame' ? resolve(performance.now()) : undefined)
      const display = await createDisplay({ style: 'hub', iceServers: [], limits, onStep })
      try {
        const begunAt = performance.now()
        const { reference } = await ask<View>('POST', `/cameras/${camera.id}/views`, wanted)
        const sdp = await display.offer(signal)
        const answer = await ask<ViewAnswer>('POST', `/views/${reference}/offer`, {
          cameraId: camera.id,
          sdp,
          ...wanted,
        })
        await display.connect(readAnswer(sdp, answer.sdp, { ipv4Only: false }), signal)
        const ms = (await shown) - begunAt
        await ask('POST', `/views/${reference}/end`, {})
        return ms
      } finally {
        await display.close()
      }
    }
    await ask('PATCH', `/cameras/${camera.id}`, { record: 'always' })
    let kept = { from: 0, to: 0 }
    while (kept.to - kept.from < seconds * 1_000) {
      await wait(250)
      kept = (await ask<RecordingList>('GET', `/cameras/${camera.id}/recordings`)).recordings.at(-1) ?? kept
    }
    const recorded: number[] = []
    const live: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      const from = kept.from + Math.floor(Math.random() * (kept.to - kept.from))
      recorded.push(await firstPicture({ recording: { from } }))
      live.push(await firstPicture({}))
    }
    return { recorded: median(recorded), live: median(live) }
  } finally {
    await house.close()
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
