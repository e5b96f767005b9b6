/**
 * Other people's WebRTC stacks against the running bridge, in both places: as the display of an Echo Show or a Nest Hub, whose
 * offer goes through the assistant's own door to the doorbell, and as a KVS camera that both assistants look at.
 * What was seen goes to the file that INTEROP names, from which docs/interop.md is made.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createAlexa } from '../../src/simulator/alexa.ts'
import { readAnswer } from '../../src/simulator/answer.ts'
import { findCamera } from '../../src/simulator/assistant.ts'
import { createGoogle } from '../../src/simulator/google.ts'
import { linkAccount } from '../../src/simulator/link.ts'
import { settledSession } from '../../src/simulator/sessions.ts'
import { readSettings } from '../../src/simulator/settings.ts'
import { createHouse, type House } from '../flows/house.ts'
import { openKvsMaster } from './kvs-master.ts'
import { record, type Row } from './matrix.ts'
import { stacks, untilSeen, type Peer } from './peers.ts'

const assistants = ['alexa', 'google'] as const
const names = Object.keys(stacks)
const rows: Row[] = []
let house: House

beforeAll(async () => {
  house = createHouse()
  await house.start()
}, 30_000)
afterAll(async () => {
  await house.close()
  record(rows)
})

async function linkedAssistant(name: (typeof assistants)[number]) {
  const { bridge, clients, user } = readSettings(house.dataDir)
  const options = { assistant: name, bridge, client: clients[name], user }
  const { accessToken } = await linkAccount(options, AbortSignal.timeout(10_000))
  const tools = { bridge, accessToken, note: () => {} }
  const assistant = name === 'alexa' ? createAlexa(tools) : createGoogle(tools)
  const matches = (row: { readonly reference: string }) => row.reference === assistant.reference()
  /** How many packets the doorbell says that it heard of this call. */
  const heard = async (signal: AbortSignal): Promise<number> => {
    const session = await settledSession({ bridge, accessToken, matches }, 20, 10_000, signal)
    return session?.heard?.packets ?? 0
  }
  return { assistant, heard }
}

describe.each(names)('%s as a display', (stack) => {
  let peer: Peer | undefined
  afterAll(() => peer?.close())

  test.each(assistants)(
    'of %s sees and hears the doorbell, and is heard',
    async (name) => {
      await peer?.close()
      peer = await stacks[stack]!()
      const { assistant, heard } = await linkedAssistant(name)
      const signal = AbortSignal.timeout(30_000)
      await assistant.prepare(await findCamera(assistant, 'front-door', () => {}, signal), signal)
      const offer = await peer.offer()
      const answer = await assistant.offer(offer, signal)
      expect(readAnswer(offer, answer, assistant.answerRules).audio.takes).toBe(true)
      await peer.accept(answer)
      await untilSeen(peer, ({ connected, pictures, sounds }) => connected && pictures > 10 && sounds > 20)
      await assistant.connected(signal)
      await assistant.hangUp(signal)
      expect(await heard(signal)).toBeGreaterThan(20)
      rows.push({
        stack,
        version: peer.version,
        place: 'display',
        assistant: name,
        works: ['picture', 'sound', 'talk-back'],
      })
    },
    60_000,
  )
})

async function addCamera(id: string): Promise<Readonly<Record<string, string>>> {
  const child = spawn(process.execPath, ['src/transom/cli.ts', 'camera', 'add', id, '--json'], {
    cwd: join(import.meta.dirname, '..', '..'),
    env: { ...process.env, NODE_OPTIONS: '', TRANSOM_DATA: house.dataDir },
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await once(child, 'close')
  return (JSON.parse(said) as { environment: Record<string, string> }).environment
}

describe.each(names)('%s as a KVS camera', (stack) => {
  test('is seen and heard by an Echo Show and a Nest Hub, and hears them', async () => {
    const id = `kvs-${stack.toLowerCase()}`
    const environment = await addCamera(id)
    // Each display gets a connection of its own; the stack is up before it comes.
    const peers: Peer[] = []
    const ready = async (): Promise<Peer> => {
      const peer = await stacks[stack]!()
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
        })
      }
    } finally {
      master.close()
      for (const peer of peers) await peer.close()
    }
  }, 90_000)
})
