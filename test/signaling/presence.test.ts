/** The presence of a channel's master: what others are told, and when. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { stepPresence, unseen, type Presence, type PresenceEvent } from '../../src/signaling/presence.ts'

const limits = { offlineDelayMs: 3_000, flappingDelayMs: 30_000 }
const after = (start: Presence, ...events: readonly (readonly [PresenceEvent['kind'], number])[]) => {
  let presence = start
  const effects = events.map(([kind, at]) => {
    const [next, follows] = stepPresence(presence, { kind, at }, limits)
    presence = next
    return follows
  })
  return { presence, last: effects.at(-1) }
}
const wake = (afterMs: number) => ({ kind: 'wake', afterMs })
const announce = (online: boolean, at: number) => ({ kind: 'announce', online, at })

test.each([
  ['the first master is announced', [['came', 5]], [announce(true, 5)]],
  [
    'a master that replaces another is no news',
    [
      ['came', 5],
      ['came', 6],
    ],
    [],
  ],
  [
    'one that leaves is waited for',
    [
      ['came', 5],
      ['left', 9],
    ],
    [wake(3_000)],
  ],
  [
    'one that comes back in time is no news',
    [
      ['came', 5],
      ['left', 9],
      ['came', 10],
    ],
    [{ kind: 'rest' }],
  ],
  [
    'one that stays away has been away since it left',
    [
      ['came', 5],
      ['left', 9],
      ['stayed-away', 3_009],
    ],
    [announce(false, 9)],
  ],
  [
    'a wake that comes late changes nothing',
    [
      ['came', 5],
      ['left', 9],
      ['came', 10],
      ['stayed-away', 3_009],
    ],
    [],
  ],
  [
    'the third to leave within a minute is flapping',
    [
      ['came', 0],
      ['left', 1],
      ['came', 2],
      ['left', 3],
      ['came', 4],
      ['left', 60_000],
    ],
    [wake(30_000)],
  ],
  [
    'but not when the first time was a minute ago',
    [
      ['came', 0],
      ['left', 1],
      ['came', 2],
      ['left', 3],
      ['came', 4],
      ['left', 60_001],
    ],
    [wake(3_000)],
  ],
  [
    'a deleted channel is offline at once',
    [
      ['came', 5],
      ['deleted', 9],
    ],
    [{ kind: 'rest' }, announce(false, 9)],
  ],
  ['and says nothing where nobody was', [['deleted', 9]], [{ kind: 'rest' }]],
] as const)('%s', (_name, events, effects) => {
  expect(after(unseen(0), ...events).last).toEqual(effects)
})

describe('in any order of events', () => {
  test('the news alternate, and every absence is either waited for or known', () => {
    const kinds = fc.constantFrom<PresenceEvent['kind']>('came', 'left', 'stayed-away', 'deleted')
    fc.assert(
      fc.property(fc.array(fc.tuple(kinds, fc.integer({ min: 0, max: 20_000 }))), (moves) => {
        let presence = unseen(0)
        let told = false
        let isWaking = false
        let at = 0
        for (const [kind, ms] of moves) {
          at += ms
          const [next, effects] = stepPresence(presence, { kind, at }, limits)
          for (const effect of effects) {
            if (effect.kind === 'announce') {
              expect(effect.online).toBe(!told)
              told = effect.online
            } else isWaking = effect.kind === 'wake'
          }
          if (kind === 'stayed-away') isWaking = false
          expect(next.online).toBe(told)
          expect(next.isUnseen).toBe(presence.isUnseen && !told)
          expect(next.leftAt !== undefined).toBe(isWaking)
          if (kind === 'came') expect(next).toMatchObject({ online: true })
          presence = next
        }
      }),
    )
  })
})
