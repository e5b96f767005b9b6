/** Refresh tokens that rotate: which repetition is a lost answer, and which one is a thief. */
import type { AdapterPayload } from 'oidc-provider'
import type { Clock, Collection, Stored } from '../ports.ts'

/**
 * The rule (RFC 9700 section 4.14.2, softened for the networks of real life). All refresh tokens of one link are a family;
 * each exchange makes the next generation. A token is good as long as nobody has used its generation. It stays good
 *
 * - for a grace time after that: parallel requests, and a repetition whose answer was lost;
 * - longer, as often as it likes, while nobody has used the next generation: then the answer never arrived.
 *
 * Otherwise two parties hold tokens of one family, one of them is a thief, and nobody can tell which: the link ends.
 */
export interface RefreshFamilies {
  /** The token's record; `consumed` stands in it exactly if using it again means that it was stolen. */
  judge(token: AdapterPayload): Promise<AdapterPayload>
  /** After a use: lets go of generations long past. */
  tidy(used: AdapterPayload): Promise<void>
}

const refreshGraceS = 60
/** So long a generation that is over is remembered, to recognise its thief. */
const memoryMs = 7 * 24 * 3_600_000

export function createRefreshFamilies(records: Collection<AdapterPayload>, clock: Clock): RefreshFamilies {
  async function family(grantId: string): Promise<readonly Stored<AdapterPayload>[]> {
    const found: Stored<AdapterPayload>[] = []
    for (let after: string | undefined; ;) {
      const page = await records.list(grantId, after === undefined ? {} : { after })
      found.push(...page)
      after = page.at(-1)?.id
      if (after === undefined) return found
    }
  }

  return {
    async judge(token) {
      const { consumed: _, ...clean } = token
      const relatives = isRotating(token) ? await family(token.grantId ?? '') : []
      const uses = relatives.flatMap(({ value }) =>
        typeof value.consumed === 'number' ? [{ generation: generationOf(value), at: value.consumed }] : [],
      )
      const own = uses.filter(({ generation }) => generation === generationOf(token)).map(({ at }) => at)
      if (own.length === 0) return clean
      const usedAt = Math.min(...own)
      const isGrace = Math.floor(clock() / 1000) - usedAt <= refreshGraceS
      const isNextUsed = uses.some(({ generation }) => generation > generationOf(token))
      const isLostAnswer = token.consumed !== undefined && !isNextUsed
      return isGrace || isLostAnswer ? clean : { ...clean, consumed: usedAt }
    },
    async tidy(used) {
      const past = (await family(used.grantId ?? '')).filter(
        ({ value, expiresAt = Infinity }) =>
          generationOf(value) < generationOf(used) && expiresAt > clock() + 2 * memoryMs,
      )
      for (const { id, value, version } of past) {
        const place = { group: used.grantId ?? '', expiresAt: clock() + memoryMs, onlyIf: { version } }
        await records.put(id, value, place)
      }
    },
  }
}

const generationOf = ({ rotations }: AdapterPayload): number => (typeof rotations === 'number' ? rotations : 0)

/** A token of a client that does not rotate is never consumed and has no relatives: not a read more for the assistants. */
const isRotating = ({ consumed, rotations }: AdapterPayload): boolean =>
  consumed !== undefined || generationOf({ rotations }) > 0
