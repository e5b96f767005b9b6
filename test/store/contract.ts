/** The contract of the `Store` port: what every store must do, run by the test file of each. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import type { Clock, Collection, Store, Stored } from '../../src/core/ports.ts'

const minute = 60_000

/** Declares the contract's tests in the running `describe`. `modelRuns` is the number of random walks. */
export function storeContract(openStore: (clock: Clock) => Promise<Store>, modelRuns: number): void {
  // Near the real time: where time to live is on, it must not delete what a test still looks for.
  let now = Date.now()
  let kinds = 0
  let store: Store
  let records: Collection<unknown>

  /** A kind that nobody has written to, even in a table that outlives the run. */
  const freshKind = () => `test-${process.pid}-${Date.now()}-${(kinds += 1)}`

  beforeAll(async () => {
    store = await openStore(() => now)
  })
  beforeEach(() => {
    records = store.collection(freshKind())
  })
  afterAll(async () => {
    await store.close()
  })

  test.each([
    ['null', null],
    ['false', false],
    ['an empty string', ''],
    ['an empty object', {}],
    ['an empty list', []],
    ['numbers', [0, -1, 0.1, 1e308, 5e-324, 9007199254740991, 1700000000000]],
    ['strings of every script', ['Türklingel', '玄関', '🔔', '\u0000', '\ud800', '"\\/\r\n']],
    ['something nested', { a: [{ b: { '': [null, ''], c: [[[]]] } }], ключ: { __proto__x: 1 } }],
    ['390,000 characters', 'v'.repeat(390_000)],
  ])('%s comes back equal', async (_, value) => {
    expect(await records.put('id', value, { group: 'all' })).toBe(1)
    expect(await records.get('id')).toEqual({ id: 'id', value, version: 1 })
    await seesList(records, 'all', [{ id: 'id', value, version: 1 }])
    expect(await records.take('id')).toEqual({ id: 'id', value, version: 1 })
  })

  test('what was never put is absent for every verb', async () => {
    expect(await records.get('id')).toBeUndefined()
    expect(await records.take('id')).toBeUndefined()
    await records.remove('id')
    expect(await records.list('group')).toEqual([])
    expect(await records.put('id', 1, { onlyIf: { version: 1 } })).toBeUndefined()
    expect(await records.get('id')).toBeUndefined()
  })

  test('the version is 1 at the first put and one more at each write', async () => {
    expect(await records.put('id', 'a')).toBe(1)
    expect(await records.put('id', 'b')).toBe(2)
    expect(await records.put('id', 'c', { onlyIf: { version: 2 } })).toBe(3)
    expect(await records.get('id')).toEqual({ id: 'id', value: 'c', version: 3 })
  })

  test('a put whose condition does not hold writes nothing', async () => {
    await records.put('id', 'kept', { group: 'kept' })
    expect(await records.put('id', 'lost', { onlyIf: 'absent', group: 'lost' })).toBeUndefined()
    expect(await records.put('id', 'lost', { onlyIf: { version: 2 }, group: 'lost' })).toBeUndefined()
    expect(await records.get('id')).toEqual({ id: 'id', value: 'kept', version: 1 })
    expect(await records.list('lost')).toEqual([])
  })

  test('a put replaces the whole record: group and expiry go when they are not given again', async () => {
    await records.put('id', 'a', { group: 'old', expiresAt: now + minute })
    await records.put('id', 'b')
    await seesList(records, 'old', [])
    now += 2 * minute
    expect(await records.get('id')).toEqual({ id: 'id', value: 'b', version: 2 })
  })

  test('a record is there until its expiry and gone from that millisecond on, for every verb', async () => {
    const expiresAt = now + minute
    for (const id of ['got', 'listed', 'put', 'replaced', 'taken'])
      await records.put(id, id, { expiresAt, group: 'all' })
    now = expiresAt - 1
    expect(await records.get('got')).toEqual({ id: 'got', value: 'got', version: 1, expiresAt })
    expect(await records.put('put', 'early', { onlyIf: 'absent' })).toBeUndefined()

    now = expiresAt
    expect(await records.get('got')).toBeUndefined()
    expect(await records.take('taken')).toBeUndefined()
    expect(await records.put('replaced', 'late', { onlyIf: { version: 1 } })).toBeUndefined()
    expect(await records.list('all')).toEqual([])
    expect(await records.put('put', 'late', { onlyIf: 'absent' })).toBe(2)
    expect((await records.get('put'))?.value).toBe('late')
  })

  test('a record that is put after its own expiry was never there', async () => {
    await records.put('id', 'a')
    expect(await records.put('id', 'b', { expiresAt: 0, group: 'all' })).toBe(2)
    expect(await records.get('id')).toBeUndefined()
    expect(await records.list('all')).toEqual([])
    expect(await records.put('id', 'c')).toBe(3)
  })

  test.each(['taken', 'removed', 'expired'])('a version does not come back after the record was %s', async (how) => {
    await records.put('id', 'first', { expiresAt: now + minute })
    if (how === 'taken') await records.take('id')
    if (how === 'removed') await records.remove('id')
    if (how === 'expired') now += minute
    expect(await records.put('id', 'second', { onlyIf: 'absent' })).toBe(2)
    // Somebody read the first and has slept through all of it.
    expect(await records.put('id', 'stale', { onlyIf: { version: 1 } })).toBeUndefined()
    expect((await records.get('id'))?.value).toBe('second')
  })

  test('a record can be taken once', async () => {
    await records.put('id', { code: 'x' }, { group: 'all', expiresAt: now + minute })
    expect(await records.take('id')).toEqual({ id: 'id', value: { code: 'x' }, version: 1, expiresAt: now + minute })
    expect(await records.take('id')).toBeUndefined()
    expect(await records.get('id')).toBeUndefined()
    await seesList(records, 'all', [])
  })

  test('a removed record is gone, and removing it again is no error', async () => {
    await records.put('id', 1, { group: 'all' })
    await records.remove('id')
    await records.remove('id')
    expect(await records.get('id')).toBeUndefined()
    await seesList(records, 'all', [])
  })

  test('kinds and groups do not see each other', async () => {
    const other = store.collection(freshKind())
    await records.put('id', 'here', { group: 'g' })
    await other.put('id', 'there', { group: 'g' })
    await records.put('id2', 'elsewhere', { group: 'g2' })
    await seesList(records, 'g', [{ id: 'id', value: 'here', version: 1 }])
    await other.remove('id')
    expect((await records.get('id'))?.value).toBe('here')
  })

  test('a list comes in order of id and in pages, without what has expired', async () => {
    const ids = ['', 'a', 'aa', 'B', 'b', 'ä', '\uffee', '🔔'].flatMap((stem) => [`${stem}-1`, `${stem}-2`])
    for (const id of ids) {
      await records.put(`x${id}`, null, { group: 'all', expiresAt: now + minute })
      await records.put(id, null, { group: 'all' })
    }
    now += minute
    const inOrder = ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    await seesList(
      records,
      'all',
      inOrder.map((id) => ({ id, value: null, version: 1 })),
    )
    for (const limit of [1, 3, ids.length]) {
      const walked: string[] = []
      for (;;) {
        const after = walked.at(-1)
        const page = await records.list('all', after === undefined ? { limit } : { limit, after })
        if (page.length === 0) break
        expect(page.length).toBeLessThanOrEqual(limit)
        walked.push(...page.map(({ id }) => id))
      }
      expect(walked).toEqual(inOrder)
    }
  })

  test('a list gives a hundred records when no limit is asked for', async () => {
    for (const n of range(101)) await records.put(`${1000 + n}`, n, { group: 'all' })
    await seesList(
      records,
      'all',
      range(100).map((n) => ({ id: `${1000 + n}`, value: n, version: 1 })),
    )
    expect((await records.list('all', { after: '1099' })).map(({ id }) => id)).toEqual(['1100'])
  })

  test('of many who put at once only if absent, one wins', async () => {
    const versions = await Promise.all(range(20).map((n) => records.put('id', n, { onlyIf: 'absent' })))
    expect(versions.filter((version) => version !== undefined)).toEqual([1])
    expect((await records.get('id'))?.value).toBe(versions.indexOf(1))
  })

  test('of many who put at once at a version, one wins', async () => {
    await records.put('id', 'start')
    const versions = await Promise.all(range(20).map((n) => records.put('id', n, { onlyIf: { version: 1 } })))
    expect(versions.filter((version) => version !== undefined)).toEqual([2])
    expect((await records.get('id'))?.value).toBe(versions.indexOf(2))
  })

  test('of many who take at once, one gets it', async () => {
    await records.put('id', 'the only one')
    const taken = await Promise.all(range(20).map(() => records.take('id')))
    expect(taken.filter((record) => record !== undefined)).toEqual([{ id: 'id', value: 'the only one', version: 1 }])
  })

  test('many unconditional puts at once count every write', async () => {
    const versions = await Promise.all(range(20).map((n) => records.put('id', n)))
    expect(versions.toSorted((a, b) => Number(a) - Number(b))).toEqual(range(20).map((n) => n + 1))
  })

  test('of many who change at once, every change counts', async () => {
    const written = await Promise.all(
      range(20).map(() => records.change('id', (stored) => ({ value: Number(stored?.value ?? 0) + 1 }))),
    )
    expect(written.map((record) => record?.version)).toEqual(range(20).map((n) => n + 1))
    expect(await records.get('id')).toEqual({ id: 'id', value: 20, version: 20 })
  })

  test('a change among plain writes loses none of them and is made of the last one', async () => {
    await records.put('id', [])
    await Promise.all([
      ...range(10).map((n) => records.change('id', (stored) => ({ value: [...toList(stored?.value), n] }))),
      records.put('id', ['plain']),
    ])
    const kept = toList((await records.get('id'))?.value)
    expect(kept).toEqual(['plain', ...range(10).slice(11 - kept.length)])
  })

  test('a change writes the whole record, and nothing where there is nothing to change', async () => {
    const expiresAt = now + minute
    expect(await records.change('id', () => undefined)).toBeUndefined()
    expect(await records.get('id')).toBeUndefined()
    expect(await records.change('id', () => ({ value: 'a', group: 'all', expiresAt }))).toEqual({
      id: 'id',
      value: 'a',
      version: 1,
      expiresAt,
    })
    await seesList(records, 'all', [{ id: 'id', value: 'a', version: 1, expiresAt }])
    const refusal = new Error('not so')
    const refused = records.change('id', () => {
      throw refusal
    })
    await expect(refused).rejects.toBe(refusal)
    expect(await records.change('id', () => undefined)).toBeUndefined()
    expect(await records.get('id')).toEqual({ id: 'id', value: 'a', version: 1, expiresAt })
    expect(await records.change('id', (stored) => ({ value: `${String(stored?.value)}b` }))).toMatchObject({
      version: 2,
    })
    await seesList(records, 'all', [])
    now = expiresAt
    expect(await records.get('id')).toEqual({ id: 'id', value: 'ab', version: 2 })
  })

  test('a change sees no record that has expired or was taken, and counts its version on', async () => {
    await records.put('expired', 'old', { expiresAt: now + minute })
    await records.put('taken', 'old')
    await records.take('taken')
    now += minute
    for (const id of ['expired', 'taken']) {
      const made = await records.change(id, (stored) => ({ value: stored === undefined ? 'new' : 'old' }))
      expect(made).toEqual({ id, value: 'new', version: 2 })
    }
  })

  test('all records of a group come in order, however many, also while they are removed', async () => {
    const ids = range(650).map((n) => `${1000 + n}`)
    // Each has the few seconds of a call: not all at once, on a slow machine.
    for (let from = 0; from < ids.length; from += 50) {
      await Promise.all(ids.slice(from, from + 50).map((id) => records.put(id, null, { group: 'all' })))
    }
    await seesList(
      records,
      'all',
      ids.map((id) => ({ id, value: null, version: 1 })),
      { limit: 700 },
    )
    expect((await collect(records.all('all'))).map((record) => record.id)).toEqual(ids)
    expect((await collect(records.all('all', { after: '1600' }))).map((record) => record.id)).toEqual(ids.slice(601))
    expect(await collect(records.all('none'))).toEqual([])
    for await (const record of records.all('all')) await records.remove(record.id)
    await seesList(records, 'all', [])
  })

  test('ids and groups of 512 characters are kept; of longer, empty and broken ones nothing is there or is written', async () => {
    const longest = 'k'.repeat(512)
    expect(await records.put(longest, 1, { group: longest })).toBe(1)
    await seesList(records, longest, [{ id: longest, value: 1, version: 1 }])
    expect(await records.put('é'.repeat(512), 1, { group: '玄'.repeat(512) })).toBe(1)
    for (const bad of ['', 'k'.repeat(513), 'half \ud83d']) {
      expect(await records.get(bad)).toBeUndefined()
      await expect(records.put(bad, 1)).rejects.toThrow(TypeError)
      expect(await records.take(bad)).toBeUndefined()
      expect(await records.remove(bad)).toBeUndefined()
      expect(await records.change(bad, () => undefined)).toBeUndefined()
      await expect(records.change(bad, () => ({ value: 1 }))).rejects.toThrow(TypeError)
      expect(await collect(records.all(bad))).toEqual([])
      await expect(records.put('id', 1, { group: bad })).rejects.toThrow(TypeError)
      expect(await records.list(bad)).toEqual([])
      await expect(records.list('all', { after: bad })).rejects.toThrow(TypeError)
    }
    await expect(records.put('玄'.repeat(342), 1)).rejects.toThrow('an id is at most 1024 bytes of UTF-8')
    expect(await records.get('玄'.repeat(342))).toBeUndefined()
    expect(await records.get('id')).toBeUndefined()
  })

  test('what is no record is refused and nothing is written', async () => {
    await expect(records.put('id', undefined)).rejects.toThrow(TypeError)
    await expect(records.put('id', 1n)).rejects.toThrow(TypeError)
    await expect(records.put('id', 1, { expiresAt: now + 0.5 })).rejects.toThrow(TypeError)
    await expect(records.put('id', 1, { expiresAt: Infinity })).rejects.toThrow(TypeError)
    await expect(records.list('all', { limit: 0 })).rejects.toThrow(TypeError)
    await expect(records.put('id', 'é'.repeat(200_000))).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('400002 bytes is over the 400000'),
    })
    expect(() => store.collection('')).toThrow(TypeError)
    expect(() => store.collection('a#b')).toThrow(TypeError)
    expect(await records.get('id')).toBeUndefined()
  })

  test('the longest keys and the largest value fit together', async () => {
    const id = 'é'.repeat(512)
    const value = 'v'.repeat(399_998)
    expect(await records.put(id, value, { group: '玄'.repeat(512), expiresAt: now + minute })).toBe(1)
    expect((await records.get(id))?.value).toBe(value)
  })

  test('any walk of verbs does what a Map does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(verb, { maxLength: 40 }), async (verbs) => {
        const kind = freshKind()
        const walked = store.collection<unknown>(kind)
        const model = createModel()
        for (const each of verbs) {
          if (each.verb === 'wait') now += each.ms
          else if (each.verb === 'list')
            await seesList(walked, each.group, model.list(each.group, each.page, now), each.page)
          else expect(await act(walked, each, now)).toEqual(await act(model.at(now), each, now))
        }
      }),
      { numRuns: modelRuns, seed: 2211 },
    )
  })

  test('a closed store can be closed again and does nothing else', async () => {
    const closed = await openStore(() => now)
    const left = closed.collection('left')
    await closed.close()
    await closed.close()
    await expect(left.get('id')).rejects.toThrow()
    await expect(left.put('id', 1)).rejects.toThrow()
  })
}

// ── The model ────────────────────────────────────────────────────────────────────────────────────────────────────────

const id = fc.constantFrom('a', 'b', 'ä', '🔔', '\uffee')
const group = fc.constantFrom('g', 'g#', 'a')
// -0 is written as 0 in JSON.
const value = fc.jsonValue({ maxDepth: 2 }).map((made): unknown => JSON.parse(JSON.stringify(made)))
const verb = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      verb: fc.constant('put' as const),
      id,
      value,
      group: fc.option(group),
      onlyIf: fc.oneof(
        fc.constant(undefined),
        fc.constant('absent' as const),
        fc.record({ version: fc.integer({ min: 1, max: 5 }) }),
      ),
      livesMs: fc.option(fc.integer({ min: -5, max: 30 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ verb: fc.constantFrom('get' as const, 'take' as const, 'remove' as const), id }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      verb: fc.constant('list' as const),
      group,
      page: fc.record({ limit: fc.integer({ min: 1, max: 4 }), after: id }, { requiredKeys: [] }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20 }) }) },
)
type Verb = typeof verb extends fc.Arbitrary<infer T> ? T : never
type Acts = Exclude<Verb, { verb: 'wait' | 'list' }>

function act(records: Pick<Collection<unknown>, 'get' | 'put' | 'take' | 'remove'>, it: Acts, now: number) {
  if (it.verb !== 'put') return records[it.verb](it.id)
  return records.put(it.id, it.value, {
    ...(it.group === null ? {} : { group: it.group }),
    ...(it.onlyIf === undefined ? {} : { onlyIf: it.onlyIf }),
    ...(it.livesMs === null ? {} : { expiresAt: now + it.livesMs }),
  })
}

/** What the port says, in the fewest words: a Map that never forgets a version. */
function createModel() {
  interface Entry {
    stored: Stored<unknown>
    group: string | undefined
    gone: boolean
  }
  const entries = new Map<string, Entry>()
  const live = (id: string, now: number) => {
    const entry = entries.get(id)
    return entry === undefined || entry.gone || (entry.stored.expiresAt ?? Infinity) <= now ? undefined : entry
  }
  return {
    at: (now: number): Pick<Collection<unknown>, 'get' | 'put' | 'take' | 'remove'> => ({
      get: async (id) => live(id, now)?.stored,
      async put(id, value, { onlyIf, expiresAt, group } = {}) {
        const found = live(id, now)
        if (onlyIf === 'absent' && found !== undefined) return undefined
        if (typeof onlyIf === 'object' && found?.stored.version !== onlyIf.version) return undefined
        const version = (entries.get(id)?.stored.version ?? 0) + 1
        const stored = { id, value, version, ...(expiresAt === undefined ? {} : { expiresAt }) }
        entries.set(id, { stored, group, gone: false })
        return version
      },
      async take(id) {
        const found = live(id, now)
        if (found !== undefined) found.gone = true
        return found?.stored
      },
      async remove(id) {
        const found = live(id, now)
        if (found !== undefined) found.gone = true
      },
    }),
    list: (group: string, { limit = 100, after = '' }: { limit?: number; after?: string }, now: number) =>
      [...entries.keys()]
        .filter((id) => live(id, now)?.group === group && compare(id, after) > 0)
        .sort(compare)
        .slice(0, limit)
        .flatMap((id) => live(id, now)?.stored ?? []),
  }
}

/** Stores order ids by their UTF-8, which JavaScript's own order is not. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** A list may be a moment behind the writes (DynamoDB's indexes are), so it is asked again until it is right. */
async function seesList(
  records: Collection<unknown>,
  group: string,
  expected: readonly Stored<unknown>[],
  page?: { limit?: number; after?: string },
): Promise<void> {
  const giveUpAt = performance.now() + 30_000
  for (;;) {
    const seen = await records.list(group, page)
    try {
      expect(seen).toEqual(expected)
      return
    } catch (error) {
      if (performance.now() > giveUpAt) throw error
    }
  }
}

async function collect<T>(records: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const record of records) found.push(record)
  return found
}

function toList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function range(length: number): number[] {
  return Array.from({ length }, (_, n) => n)
}
