/** Refresh tokens that rotate: which repetition is a lost answer, and which one is a thief. */
import type { AdapterPayload } from 'oidc-provider'
import type { Clock, Collection } from 'transom-core/ports'

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
  /** After a use: notes it, and lets go of the tokens used before. `key` and `expiresAt`: of the token's record. */
  used(token: AdapterPayload, key: string, expiresAt: number | undefined): Promise<void>
  /** The link has ended. */
  forget(grantId: string): Promise<void>
}

/** What is kept of a family beside its tokens, so that no rotation reads them all. */
interface Uses {
  /** By generation, when it was first used, in epoch seconds: the latest one, and those that still have their grace. */
  readonly at: Readonly<Record<string, number>>
  /** The records of the latest generation's tokens that were used. */
  readonly keys: readonly string[]
}

const refreshGraceS = 60
/** Requests at once with one generation's tokens; what is used beyond is forgotten with its link. */
const mostKeys = 20
/** So long a generation that is over is remembered, to recognise its thief. */
const memoryMs = 7 * 24 * 3_600_000

export function createRefreshFamilies(
  records: Collection<AdapterPayload>,
  families: Collection<Uses>,
  clock: Clock,
): RefreshFamilies {
  const nowS = () => Math.floor(clock() / 1000)

  async function usesOf(grantId: string): Promise<Uses> {
    const stored = await families.get(grantId)
    return stored?.value ?? fromTokens(grantId)
  }

  /** Of a link from before there was a record of its family: from the tokens themselves, once. */
  async function fromTokens(grantId: string): Promise<Uses> {
    const at: Record<string, number> = {}
    for await (const { value } of records.all(grantId)) {
      const generation = generationOf(value)
      if (typeof value.consumed === 'number') at[generation] = Math.min(value.consumed, at[generation] ?? Infinity)
    }
    return { at, keys: [] }
  }

  return {
    async judge(token) {
      const { consumed: own, ...clean } = token
      if (!isRotating(token)) return clean
      const { at } = await usesOf(token.grantId ?? '')
      const generation = generationOf(token)
      const isNextUsed = latestOf(at) > generation
      // A process may have died between the two records. A generation that is not noted any more is long over.
      const usedAt = at[generation] ?? (typeof own === 'number' ? own : isNextUsed ? 1 : undefined)
      if (usedAt === undefined) return clean
      const isGrace = nowS() - usedAt <= refreshGraceS
      const isLostAnswer = own !== undefined && !isNextUsed
      return isGrace || isLostAnswer ? clean : { ...clean, consumed: usedAt }
    },
    async used(token, key, expiresAt) {
      const grantId = token.grantId ?? ''
      const generation = generationOf(token)
      const before = await usesOf(grantId)
      let past: readonly string[] = []
      await families.change(grantId, (stored) => {
        const { at, keys } = stored?.value ?? before
        const latest = latestOf(at)
        past = generation > latest ? keys : []
        const noted: Record<string, number> = {
          ...at,
          [generation]: Math.min(at[generation] ?? Infinity, Number(token.consumed)),
        }
        const kept = Object.entries(noted).filter(
          ([each, usedAt]) => Number(each) >= Math.max(latest, generation) || nowS() - usedAt <= 2 * refreshGraceS,
        )
        const fresh = generation > latest ? [key] : generation === latest ? [...keys, key].slice(-mostKeys) : keys
        return { value: { at: Object.fromEntries(kept), keys: fresh }, ...(expiresAt !== undefined && { expiresAt }) }
      })
      await Promise.all(past.map((each) => forgetLater(grantId, each)))
    },
    forget: (grantId) => families.remove(grantId),
  }

  async function forgetLater(grantId: string, key: string): Promise<void> {
    const stored = await records.get(key)
    if (stored === undefined || (stored.expiresAt ?? Infinity) <= clock() + memoryMs) return
    const place = { group: grantId, expiresAt: clock() + memoryMs, onlyIf: { version: stored.version } }
    await records.put(key, stored.value, place)
  }
}

const latestOf = (at: Uses['at']): number => Math.max(-1, ...Object.keys(at).map(Number))

const generationOf = ({ rotations }: AdapterPayload): number => (typeof rotations === 'number' ? rotations : 0)

/** A token of a client that does not rotate is never consumed and has no relatives: not a read more for the assistants. */
const isRotating = ({ consumed, rotations }: AdapterPayload): boolean =>
  consumed !== undefined || generationOf({ rotations }) > 0
