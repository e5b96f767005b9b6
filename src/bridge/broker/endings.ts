/** Views that end from outside: what is still negotiated is refused, what is kept is closed. */
import type { AccountId, Clock, SessionId } from 'transom-core/ports'
import type { Attempts } from './attempts.ts'
import type { History } from './history.ts'
import type { Facts } from './story.ts'

/** Both resolve when nothing of it goes on and the records say so. */
export interface Endings {
  endOne(id: SessionId, reason: string): Promise<void>
  /** Every view of this account that is meant. */
  endWhere(
    accountId: AccountId,
    isMeant: (view: Pick<Facts, 'assistant' | 'cameraId'>) => boolean,
    reason: string,
  ): Promise<void>
}

export function createEndings(deps: {
  readonly attempts: Pick<Attempts, 'latest' | 'unfinished'>
  readonly history: Pick<History, 'all' | 'update'>
  readonly clock: Clock
}): Endings {
  const { attempts, history, clock } = deps

  async function endOne(id: SessionId, reason: string): Promise<void> {
    const running = attempts.latest(id)
    running?.end(reason)
    await running?.done
    await history.update(id, { kind: 'ended', reason, at: clock() })
  }

  return {
    endOne,
    async endWhere(accountId, isMeant, reason) {
      const ours = attempts
        .unfinished()
        .filter(
          ({ request: { camera, ...request } }) =>
            request.accountId === accountId && isMeant({ ...request, cameraId: camera.id }),
        )
      for (const running of ours) running.end(reason)
      await Promise.all(ours.map(({ done }) => done))
      const open = (await history.all(accountId)).filter(({ facts, phase }) => phase !== 'closed' && isMeant(facts))
      await Promise.all(open.map(({ facts }) => endOne(facts.id, reason)))
    },
  }
}
