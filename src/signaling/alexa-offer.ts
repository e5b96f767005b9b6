/** SendAlexaOfferToMaster: a viewer that exists for one offer and one answer. */
import { foldCandidates, isLastCandidate, isUnfinished } from './fold-candidates.ts'
import type { Hub } from './hub.ts'
import type { RoomChannel } from './rooms.ts'
import type { Delivery } from './message.ts'
import { ServiceError } from './service-error.ts'

/** How long after a camera's last word, and after its answer, candidates are waited for; Alexa allows 6 s for everything. */
export interface Settling {
  readonly quietMs: number
  readonly capMs: number
}

const defaultSettling: Settling = { quietMs: 300, capMs: 1_500 }
/** A camera gathers a few candidates for each of its addresses; whoever sends more is no camera. */
const maxCandidates = 200

/**
 * Sends the offer to the master, or keeps it for the master, and returns the payload of the answer; the candidates that a
 * trickling camera sends besides are put into it. The call takes a viewer's place in the channel while it waits; it waits for
 * the life of a message of the channel, or until the signal is aborted.
 * Throws `ClientLimitExceededException`, `MasterNotAnsweringException`.
 */
export function sendAlexaOffer(
  hub: Hub,
  channel: RoomChannel,
  clientId: string,
  offer: string,
  signal: AbortSignal,
  settling: Settling = defaultSettling,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const candidates: string[] = []
    let answer: string | undefined
    let quiet: NodeJS.Timeout | undefined
    let cap: NodeJS.Timeout | undefined

    const giveUp = (why: string) => {
      leave()
      reject(new ServiceError('MasterNotAnsweringException', why))
    }
    const finish = () => {
      leave()
      // An answer that nothing was added to goes through as it came.
      if (answer !== undefined) resolve(candidates.length > 0 ? foldCandidates(answer, candidates) : answer)
    }
    const settle = () => {
      clearTimeout(quiet)
      quiet = setTimeout(finish, settling.quietMs)
    }
    const take = ({ type, payload }: Delivery) => {
      if (type === 'SDP_ANSWER' && answer === undefined) {
        answer = payload
        if (!isUnfinished(payload)) return finish()
        cap = setTimeout(finish, settling.capMs)
        settle()
      } else if (type === 'ICE_CANDIDATE') {
        if (candidates.length < maxCandidates) candidates.push(payload)
        if (answer === undefined) return
        if (isLastCandidate(payload)) return finish()
        settle()
      }
    }
    const hangUp = () => giveUp('The caller hung up.')
    // What an earlier call of this id left behind is neither this call's offer nor its answer.
    hub.forget(channel.name, clientId)
    const seat = hub.joinAsViewer(channel, clientId, {
      deliver(message) {
        take(message)
        return true
      },
      // With an answer in hand a master that hangs up has said all that it will.
      close: (_code, reason) => (answer === undefined ? giveUp(`The offer was given up: ${reason}.`) : finish()),
    })
    const timer = setTimeout(
      () => giveUp(`The master did not answer the offer within ${channel.messageTtlS} seconds.`),
      channel.messageTtlS * 1_000,
    )
    signal.addEventListener('abort', hangUp, { once: true })
    function leave() {
      for (const running of [timer, quiet, cap]) clearTimeout(running)
      signal.removeEventListener('abort', hangUp)
      seat.leave()
      // An offer that is still waiting has nobody left to answer to.
      hub.forget(channel.name, clientId)
    }
    if (signal.aborted) return hangUp()
    try {
      seat.post({ type: 'SDP_OFFER', payload: offer, isPlain: true })
    } catch (error) {
      leave()
      reject(error)
    }
  })
}
