/** SendAlexaOfferToMaster: a viewer that exists for one offer and one answer. */
import type { Channel } from './channels.ts'
import type { Hub } from './hub.ts'
import { ServiceError } from './service-error.ts'

/**
 * Sends the offer to the master, or keeps it for the master, and returns the payload of the answer. The call takes a viewer's
 * place in the channel while it waits; it waits for the life of a message of the channel, or until the signal is aborted.
 * Throws `ClientLimitExceededException`, `MasterNotAnsweringException`.
 */
export function sendAlexaOffer(
  hub: Hub,
  channel: Channel,
  clientId: string,
  offer: string,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const giveUp = (why: string) => {
      leave()
      reject(new ServiceError('MasterNotAnsweringException', why))
    }
    const hangUp = () => giveUp('The caller hung up.')
    // What an earlier call of this id left behind is neither this call's offer nor its answer.
    hub.forget(channel.name, clientId)
    const seat = hub.joinAsViewer(channel, clientId, {
      deliver({ type, payload }) {
        // The call has room for one answer: candidates that a camera sends after it have nowhere to go.
        if (type === 'SDP_ANSWER') {
          leave()
          resolve(payload)
        }
        return true
      },
      close: (_code, reason) => giveUp(`The offer was given up: ${reason}.`),
    })
    const timer = setTimeout(
      () => giveUp(`The master did not answer the offer within ${channel.messageTtlS} seconds.`),
      channel.messageTtlS * 1_000,
    )
    signal.addEventListener('abort', hangUp, { once: true })
    function leave() {
      clearTimeout(timer)
      signal.removeEventListener('abort', hangUp)
      seat.leave()
      // An offer that is still waiting has nobody left to answer to.
      hub.forget(channel.name, clientId)
    }
    if (signal.aborted) return hangUp()
    try {
      seat.post({ type: 'SDP_OFFER', payload: offer })
    } catch (error) {
      leave()
      reject(error)
    }
  })
}
