/**
 * What displays of the field offer, made live: each shape is the own offer of a foreign stack, rewritten, through both
 * assistants' doors to the built-in doorbell. The answer is read as strictly as the simulator reads one, and then the stack
 * has to see the picture and hear the sound.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readAnswer } from '../../src/simulator/answer.ts'
import { findCamera } from '../../src/simulator/assistant.ts'
import { createHouse, type House } from '../flows/house.ts'
import { assistants, openDoor, type AssistantName, type Door } from './doors.ts'
import { record, type OfferRow } from './matrix.ts'
import { offerCases, type OfferCase } from './offers.ts'
import { buildPeers, stackNames, stacks, untilSeen, type StackName } from './peers.ts'

const rows: OfferRow[] = []
let house: House
let doors: Readonly<Record<AssistantName, Door>>

beforeAll(async () => {
  await buildPeers()
  house = createHouse()
  await house.start({ TRANSOM_VIEWS_NEGOTIATING: '8', TRANSOM_VIEWS_CONNECTED: '8' })
  doors = { alexa: await openDoor(house, 'alexa'), google: await openDoor(house, 'google') }
})
afterAll(async () => {
  await house.close()
  record('offers', [], rows)
})

async function view(one: OfferCase, stack: StackName, name: AssistantName): Promise<void> {
  const peer = await stacks[stack]()
  const assistant = doors[name].open()
  try {
    const signal = AbortSignal.timeout(60_000)
    await assistant.prepare(await findCamera(assistant, 'front-door', () => {}, signal), signal)
    const own = await peer.offer(one.password)
    const offer = one.rewrite(own)
    const answer = await assistant.offer(offer, signal)
    readAnswer(offer, answer, assistant.answerRules)
    await peer.accept(one.undo?.(answer, own) ?? answer)
    await untilSeen(peer, ({ pictures, sounds }) => sounds > 10 && (pictures > 3 || one.isSoundOnly === true))
  } finally {
    await assistant.hangUp(AbortSignal.timeout(60_000))
    await peer.close()
  }
}

describe.each(offerCases)('an offer with $name', (one) => {
  // Both doors get each shape, and each stack takes each shape once.
  const views = stackNames
    .filter((stack) => one.except?.[stack] === undefined)
    .map((stack, index) => ({ stack, name: assistants[(index + offerCases.indexOf(one)) % 2]! }))

  test('shows the doorbell on each stack', async () => {
    const outcomes = await Promise.allSettled(views.map(({ stack, name }) => view(one, stack, name)))
    const failures = outcomes.flatMap((outcome, index) =>
      outcome.status === 'rejected' ? [{ ...views[index], reason: String(outcome.reason) }] : [],
    )
    expect(failures).toEqual([])
    const seen = Object.fromEntries(views.map(({ stack, name }) => [stack, name]))
    rows.push({ shape: one.name, views: seen, except: one.except ?? {} })
  })
})
