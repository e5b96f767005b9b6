/** The frames that a client sends: read, counted against its limits, carried; the same for a socket and in process. */
import type { Clock, Log } from 'transom-core/ports'
import type { Seat } from './hub.ts'
import type { SignalingLimits } from './limits.ts'
import { readFrame, writeStatus, type MessageType } from './message.ts'
import { createBucket } from './rates.ts'
import { ServiceError, toServiceError } from './service-error.ts'

/** What a client has left of its rates. Made with its first message: most connections of a quiet day send none. */
export interface Allowance {
  description?: () => boolean
  candidate?: () => boolean
}

export interface FrameDeps {
  readonly limits: SignalingLimits
  readonly clock: Clock
  readonly log: Log
}

/**
 * Takes a frame of the client that has this seat. A failure is told to a sender that gave a correlation id, by `tell`.
 * False when the frame is no message as the protocol has them.
 */
export function takeFrame(
  deps: FrameDeps,
  text: string,
  seat: Seat,
  allowance: Allowance,
  tell: (status: string) => unknown,
): boolean {
  const frame = readFrame(text)
  if (!frame) return false
  try {
    if (frame.kind === 'fault') throw frame.error
    takeTurn(deps, allowance, frame.posting.type)
    seat.post(frame.posting)
    return true
  } catch (thrown) {
    const error = toServiceError(thrown)
    if (error.type === 'InternalFailure') deps.log('error', 'signaling.message-failed', { error: error.cause })
    if (frame.correlationId !== undefined) tell(writeStatus(frame.correlationId, error))
    return frame.kind === 'posting'
  }
}

/** Throws `ClientLimitExceededException` when the client sends more than it may. */
function takeTurn({ limits, clock }: FrameDeps, allowance: Allowance, type: MessageType): void {
  const { socketCandidate, socketDescription } = limits.rates
  const isFree =
    type === 'ICE_CANDIDATE'
      ? (allowance.candidate ??= createBucket(socketCandidate, clock))()
      : (allowance.description ??= createBucket(socketDescription, clock))()
  if (!isFree) throw new ServiceError('ClientLimitExceededException', `Rate exceeded for ${type}.`)
}
