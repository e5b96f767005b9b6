/** What a viewer goes through, step by step: no clock, no connection. */
import { describe, expect, test } from '@jest/globals'
import {
  beginViewing,
  stepViewing,
  type Viewing,
  type ViewingEffect,
  type ViewingEvent,
} from '../../src/gateway/viewing.ts'

type Happened =
  | Pick<Extract<ViewingEvent, { kind: 'ended' }>, 'kind' | 'reason' | 'how' | 'cause'>
  | { readonly kind: 'connected' | 'looked' }
type Row = Happened & Partial<Omit<ViewingEvent, 'kind'>> & { readonly at: number }

/** Goes through the events from a fresh view at 0, that is reported every ten seconds. */
function walk(...rows: readonly Row[]): { readonly viewing: Viewing; readonly effects: readonly ViewingEffect[] } {
  let viewing = beginViewing(0, 10_000)
  const all: ViewingEffect[] = []
  for (const row of rows) {
    // Something new has come from it each time, where a row does not say otherwise.
    const seen = { received: row.at + 1, heard: undefined, fault: undefined, failures: [] }
    const [next, effects] = stepViewing(viewing, { ...seen, ...row })
    viewing = next
    all.push(...effects)
  }
  return { viewing, effects: all }
}
const report = (state: 'connected' | 'failed' | 'left' | 'silent') => ({ kind: 'report', state })
const connected = { kind: 'connected', at: 500 } as const
const looked = (at: number, seen: Partial<Row> = {}): Row => ({ ...seen, kind: 'looked', at })

describe('a view', () => {
  test('connecting + connected -> connected: it is fed and reported', () => {
    const { viewing, effects } = walk(connected)
    expect(viewing.phase).toBe('connected')
    expect(effects).toEqual([{ kind: 'feed' }, report('connected')])
  })

  test('connected + connected again changes nothing: it is not fed twice', () => {
    expect(walk(connected, { ...connected, at: 900 }).effects).toHaveLength(2)
  })

  test('connecting + looked, too late -> gone: it has failed, and the silent servers are named', () => {
    expect(walk(looked(14_999)).effects).toEqual([])
    const { viewing, effects } = walk(looked(15_000, { failures: ['turn:a (no reply)'] }))
    expect(effects).toEqual([report('failed'), expect.objectContaining({ kind: 'release' })])
    expect(viewing).toMatchObject({
      cause: { code: 'media_failed', message: 'it did not connect within 15000 ms; turn:a (no reply)' },
    })
  })

  test('connecting + ended with a cause -> gone: the cause is the given one', () => {
    const cause = { code: 'no_common_codec', message: 'no H.264' } as const
    const { viewing, effects } = walk({ kind: 'ended', at: 3, reason: 'its offer could not be answered', cause })
    expect(effects[0]).toEqual(report('failed'))
    expect(viewing).toMatchObject({ cause })
  })

  test('connected + looked, nothing new for more than ten seconds -> gone, silent', () => {
    const frozen = { received: 7 }
    const { effects } = walk(connected, looked(1_000, frozen), looked(11_000, frozen))
    expect(effects.at(-1)).not.toMatchObject({ kind: 'release' })
    const after = walk(connected, looked(1_000, frozen), looked(11_001, frozen))
    expect(after.effects.slice(-2)).toEqual([report('silent'), expect.objectContaining({ kind: 'release' })])
    expect(after.viewing).not.toHaveProperty('cause.code')
  })

  test('is reported every ten seconds, not at each look', () => {
    const looks = [1, 2, 5, 10, 10.5, 11, 15, 20, 21].map((second) => looked(second * 1_000))
    expect(walk(connected, ...looks).effects.filter(({ kind }) => kind === 'report')).toHaveLength(3)
  })

  test('is reported at each look while it talks, and when it begins or ends to wait for the floor', () => {
    const talk = (at: number, packets: number, level: number) => looked(at, { heard: { packets, level } })
    const waiting = looked(4_000, { heard: { packets: 90, level: 0.2, isWaiting: true } })
    const { effects, viewing } = walk(
      connected,
      talk(1_000, 50, 0.3),
      talk(2_000, 90, 0.4),
      talk(3_000, 90, 0),
      waiting,
    )
    expect(effects.filter(({ kind }) => kind === 'report')).toHaveLength(1 + 2 + 1)
    expect(viewing.heard).toMatchObject({ isWaiting: true })
  })

  test('keeps the level of its last words when it ends, with the packets until then', () => {
    const heard = { packets: 50, level: 0.3 }
    const { viewing, effects } = walk(connected, looked(1_000, { heard }), {
      kind: 'ended',
      at: 2_000,
      reason: 'it said goodbye',
      heard: { packets: 60, level: 0 },
    })
    expect(viewing.heard).toEqual({ packets: 60, level: 0.3 })
    expect(effects.slice(-2)).toEqual([report('left'), { kind: 'release', reason: 'it said goodbye' }])
  })

  test('is reported when the source breaks, once, and when it is back', () => {
    const broken = { fault: 'source_stopped' } as const
    const { effects } = walk(connected, looked(1_000, broken), looked(2_000, broken), looked(3_000))
    expect(effects.filter(({ kind }) => kind === 'report')).toHaveLength(3)
  })

  test('gone stays gone, whatever comes after', () => {
    const end = { kind: 'ended', at: 600, reason: 'the camera is stopped' } as const
    const { viewing, effects } = walk(connected, end, { ...end, how: 'silent', at: 700 }, looked(99_000), {
      ...connected,
      at: 99_500,
    })
    expect(viewing.phase).toBe('gone')
    expect(effects).toHaveLength(4)
  })
})
