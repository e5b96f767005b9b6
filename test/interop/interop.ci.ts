/**
 * Other people's WebRTC stacks against the running bridge, in both places: as the display of an Echo Show or a Nest Hub, whose
 * offer goes through the assistant's own door to the doorbell, and as a KVS camera that both assistants look at.
 * What was seen goes to the file that INTEROP names, from which docs/interop.md is made.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readAnswer } from '../../src/simulator/answer.ts'
import { findCamera } from '../../src/simulator/assistant.ts'
import { createHouse, type House } from '../flows/house.ts'
import { transomJson } from './command.ts'
import { assistants, openDoor } from './doors.ts'
import { openKvsMaster } from './kvs-master.ts'
import { record, type Row } from './matrix.ts'
import { buildPeers, stackNames, stacks, untilSeen, type Peer } from './peers.ts'

const rows: Row[] = []
let house: House

beforeAll(async () => {
  await buildPeers()
  house = createHouse()
  await house.start()
})
afterAll(async () => {
  await house.close()
  record('interop', rows)
})

describe.each(stackNames)('%s as a display', (stack) => {
  let peer: Peer | undefined
  afterAll(() => peer?.close())

  test.each(assistants)('of %s sees and hears the doorbell, and is heard', async (name) => {
    await peer?.close()
    peer = await stacks[stack]()
    const door = await openDoor(house, name)
    const assistant = door.open()
    const signal = AbortSignal.timeout(60_000)
    await assistant.prepare(await findCamera(assistant, 'front-door', () => {}, signal), signal)
    const offer = await peer.offer()
    const answer = await assistant.offer(offer, signal)
    expect(readAnswer(offer, answer, assistant.answerRules).audio.takes).toBe(true)
    await peer.accept(answer)
    await untilSeen(peer, ({ connected, pictures, sounds }) => connected && pictures > 10 && sounds > 20)
    await assistant.connected(signal)
    await assistant.hangUp(signal)
    expect(await door.heard(assistant, signal)).toBeGreaterThan(20)
    rows.push({
      stack,
      version: peer.version,
      place: 'display',
      assistant: name,
      works: ['picture', 'sound', 'talk-back'],
      shownBy: `${stack} as a display of ${name}`,
    })
  })
})

describe.each(stackNames)('%s as a KVS camera', (stack) => {
  test('is seen and heard by an Echo Show and a Nest Hub, and hears them', async () => {
    const id = `kvs-${stack.toLowerCase()}`
    const { environment } = await transomJson<{ environment: Record<string, string> }>(house, 'camera', 'add', id)
    // Each display gets a connection of its own; the stack is up before it comes.
    const peers: Peer[] = []
    const ready = async (): Promise<Peer> => {
      const peer = await stacks[stack]()
      peers.push(peer)
      return peer
    }
    let next = await ready()
    const master = await openKvsMaster(environment, id, (offer) => next.answer(offer))
    try {
      for (const assistant of assistants) {
        if (assistant !== assistants[0]) next = await ready()
        const { report } = await house.call('--assistant', assistant, '--camera', id)
        expect([assistant, master.failed, report.cause]).toEqual([assistant, [], null])
        expect(report.video.frames).toBeGreaterThan(5)
        expect(report.audioIn.packets).toBeGreaterThan(5)
        expect((await next.seen()).sounds).toBeGreaterThan(5)
        rows.push({
          stack,
          version: next.version,
          place: 'KVS camera',
          assistant,
          works: ['picture', 'sound', 'talk-back'],
          shownBy: `${stack} as a KVS camera`,
        })
      }
    } finally {
      master.close()
      for (const peer of peers) await peer.close()
    }
  })
})
