/** The fast part of the attacks: some hundred bent inputs for every parser. `npm run attack` throws millions. */
import { expect, test } from '@jest/globals'
import { createMutator } from './mutate.ts'
import { attackParser, parsers } from './parsers.ts'

test.each(parsers.map((parser) => [parser.name, parser] as const))(
  'whatever is said to be a(n) %s is read or refused, and breaks nothing',
  async (_name, parser) => {
    const { inputs, broken } = await attackParser(parser, 1, (count) => count === 400)
    expect(broken).toEqual([])
    expect(inputs).toBe(400)
  },
)

test('a parser that breaks is found', async () => {
  const fragile = { name: 'fragile', samples: ['abc'], read: (text: string) => JSON.parse(`"${text}"`) as unknown }
  const { broken } = await attackParser(fragile, 1, (count) => count === 400)
  expect(broken.length).toBeGreaterThan(0)
})

function inputs(seed: number): readonly string[] {
  const mutator = createMutator(seed)
  return Array.from({ length: 50 }, () => mutator.next(['v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n']))
}

test('the same seed makes the same inputs, another one others', () => {
  expect(inputs(7)).toEqual(inputs(7))
  expect(inputs(8)).not.toEqual(inputs(7))
})
