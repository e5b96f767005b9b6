/** Server-sent events, however the network cuts them. */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readEvents, type ServerSent } from '../../src/console/server-sent.ts'

async function* chunks(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  for (const [index, place] of places.slice(0, -1).entries()) yield bytes.subarray(place, places[index + 1])
}

async function read(text: string, cuts: readonly number[] = []): Promise<readonly ServerSent[]> {
  const events: ServerSent[] = []
  for await (const event of readEvents(chunks(new TextEncoder().encode(text), cuts))) events.push(event)
  return events
}

test('events have a name and data; comments and unknown fields pass unseen', async () => {
  const text = ':\n\nevent: press\ndata: {"at":1}\nid: 7\n\ndata: first\ndata:second\n\nevent: without data\n\n'
  expect(await read(text)).toEqual([
    { event: 'press', data: '{"at":1}' },
    { event: 'message', data: 'first\nsecond' },
  ])
})

test('an event that the stream did not finish is dropped', async () => {
  expect(await read('event: press\ndata: 1\n')).toEqual([])
})

test('where the network cuts it does not matter, whatever the line ends', async () => {
  const events = fc.array(
    fc.string({ unit: 'grapheme' }).filter((data) => !/[\r\n]/.test(data)),
    { maxLength: 5 },
  )
  await fc.assert(
    fc.asyncProperty(events, fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat(200)), async (all, end, cuts) => {
      const text = all.map((data) => `event: one${end}data: ${data}${end}${end}`).join('')
      // A lone CR may be half of a line end until something follows.
      expect(await read(`${text}:${end === '\r' ? '\r:' : end}`, cuts)).toEqual(
        all.map((data) => ({ event: 'one', data })),
      )
    }),
  )
})
