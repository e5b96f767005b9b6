/** What is wrong with an input, as a person reads it. */
import { expect, test } from '@jest/globals'
import { z } from 'zod'
import { faultsOf } from '../../src/core/wire/faults.ts'

const said = (schema: z.ZodType, value: unknown): string => {
  const { error } = schema.safeParse(value)
  return error === undefined ? '' : faultsOf(error)
}

test.each([
  [z.object({ name: z.string() }), {}, 'name: is missing'],
  [z.object({ name: z.string() }), { name: 1 }, 'name: must be text'],
  [
    z.object({ list: z.array(z.object({ on: z.boolean() })) }),
    { list: [{ on: 1 }] },
    'list[0].on: must be true or false',
  ],
  [z.object({ kind: z.enum(['a', 'b']) }), { kind: 'c' }, 'kind: must be a or b'],
  [z.object({ at: z.int().min(5) }), { at: 4 }, 'at: must be at least 5'],
  [z.object({ at: z.int() }), { at: 4.5 }, 'at: must be a whole number'],
  [z.object({ id: z.string().max(2) }), { id: 'abc' }, 'id: must be at most 2 characters'],
  [z.object({ id: z.string().regex(/^a$/, 'one a') }), { id: 'b' }, 'id: one a'],
  [z.object({ id: z.string().regex(/^a$/) }), { id: 'b' }, 'id: is not in the expected form'],
  [z.object({ uri: z.url() }), { uri: 'b' }, 'uri: must be a URL'],
  [z.strictObject({}), { more: 1, yet: 2 }, 'input: has unknown fields: more, yet'],
  [z.union([z.string(), z.number()]), true, 'input: is not in the expected form'],
  [z.object({ a: z.string(), b: z.string() }), {}, 'a: is missing; b: is missing'],
  [z.object({}), 'text', 'input: must be an object'],
])('%# each fault names its field and what it must be', (schema, value, words) => {
  expect(said(schema, value)).toBe(words)
})
