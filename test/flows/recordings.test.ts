/** A press is recorded with what came before it, survives the end of everything, and is played and deleted. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny'
import { conforming } from '../wire/conform.ts'
import { createHouse, type House } from './house.ts'
import { until } from '../until.ts'

let house: House
beforeAll(async () => {
  house = createHouse()
  await house.start()
})
afterAll(() => house.close())

const read = (name: string) => JSON.parse(readFileSync(join(house.dataDir, name), 'utf8'))

async function operator(method: string, path: string, body?: object): Promise<Response> {
  const { url, token } = read('operator.json')
  const response = await fetch(`${url}/cameras/front-door${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  await conforming(method, response)
  return response
}

async function press(): Promise<void> {
  const { url } = read('operator.json')
  const { status } = await fetch(new URL('/cameras/front-door/events', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${read('secrets.json').demo.cameraKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'press', eventId: `p${Date.now()}`, at: Date.now() }),
  })
  expect(status).toBe(202)
}

interface Row {
  readonly id: number
  readonly from: number
  readonly to: number
  readonly isOpen: boolean
  readonly events: readonly { readonly kind: string; readonly at: number }[]
}

/** Waits until a recording is so. */
async function recorded(claim: (row: Row) => boolean): Promise<Row> {
  let recordings: readonly Row[] = []
  return until(
    async () => {
      ;({ recordings } = (await (await operator('GET', '/recordings')).json()) as { recordings: readonly Row[] })
      return recordings.find(claim)
    },
    () => `${JSON.stringify(recordings)}\n${house.printed()}`,
  )
}

async function picturesOf(response: Response): Promise<number> {
  const input = new Input({
    formats: ALL_FORMATS,
    source: new BufferSource(Buffer.from(await response.arrayBuffer())),
  })
  let pictures = 0
  for await (const _packet of new EncodedPacketSink((await input.getPrimaryVideoTrack())!).packets()) pictures += 1
  return pictures
}

test('a press is recorded, and what was kept is there after everything was killed', async () => {
  expect((await operator('PATCH', '', { record: 'events' })).status).toBe(204)
  await press()
  const open = await recorded(({ isOpen, to, from }) => isOpen && to - from >= 2_000)
  expect(open.events.map(({ kind }) => kind)).toEqual(['press'])
  await house.kill()
  await house.start()
  const row = await recorded(({ id, isOpen }) => id === open.id && !isOpen)
  expect(row.to).toBeGreaterThanOrEqual(open.to)
  const clip = await operator('GET', `/recordings/${row.id}/clip.mp4`)
  expect(await picturesOf(clip)).toBeGreaterThan(20)
  expect((await operator('DELETE', `/recordings/${row.id}`)).status).toBe(204)
  expect((await operator('GET', `/recordings/${row.id}`)).status).toBe(404)
})
