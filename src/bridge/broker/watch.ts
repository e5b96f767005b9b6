/** A session after its answer: what display and camera say of it, how it ends, and why the display may have seen nothing. */
import { errorCodes, isSourceFault } from 'transom-core/errors'
import { hasStep, note, type Answered, type Assistant, type Cause, type Closed, type SessionEvent } from './story.ts'

type Reported = Extract<SessionEvent, { readonly kind: 'camera-reported' }>

const lifetimeOver = 'its lifetime is over'

/** Connected for so long without a single packet of the picture, a camera has none. */
const darkMs = 5_000

/** A display that leaves sooner has not waited for a connection: somebody pressed a button, or asked for another camera. */
const patienceMs = 2_000

/**
 * Displays that say when they are connected: Alexa by SessionConnected, our player by its POST. Of Google's, which say
 * nothing, silence says nothing either, unless the camera is one that would have said it.
 */
const saysConnected: Record<Assistant, boolean> = { alexa: true, google: false, console: true }

/** After the verdict only the story is kept; nothing comes out of here. */
export function watch(session: Answered, event: SessionEvent): Answered | Closed {
  const { at } = event
  switch (event.kind) {
    case 'display-connected':
      // answered + display-connected -> connected
      return session.phase === 'answered' ? note({ ...session, phase: 'connected' }, at, 'display-connected') : session
    case 'camera-reported': {
      const told = look(session, event)
      // answered|connected + camera-reported connected, after its lifetime -> closed
      if (event.state === 'connected' && at >= session.endsBy) return close(told, at, lifetimeOver)
      if (event.state === 'connected') return prolong(told, at)
      if (event.state === 'busy') return told
      // answered|connected + camera-reported failed|left|silent -> closed
      if (event.state === 'left') return close(told, at, 'the camera saw the display leave')
      if (event.state === 'silent') return close(told, at, 'nothing came from the display any more')
      return close({ ...told, cause: failureOf(told, event) }, at, 'media failed')
    }
    case 'ended':
      // answered|connected + ended -> closed
      return presumed(close(session, at, event.reason), at)
    case 'woke':
      return at >= session.endsBy ? presumed(close(session, at, lifetimeOver), at) : session
    case 'camera-answered':
    case 'camera-candidate':
    case 'camera-gathered':
    case 'camera-garbled':
    case 'camera-gone':
    case 'signaling-ended':
    case 'signaling-failed':
    case 'servers-known':
      return session
  }
}

/** What the camera says of its viewer, also when the session is closed already: the same object where that is no news. */
export function look<S extends Answered | Closed>(session: S, event: SessionEvent): S {
  if (event.kind !== 'camera-reported') return session
  const told = learnSilence(learnFault(seePicture(hear(session, event), event), event), event)
  if (told.phase !== 'closed') return told
  // closed + camera-reported failed -> closed, with the camera's own word for it
  const isMissing = told.cause === undefined || told.isPresumed === true
  if (event.state === 'failed' && isMissing && !isConnected(told))
    return { ...told, cause: failureOf(told, event), isPresumed: undefined, isUnconfirmed: undefined }
  // closed + camera-reported connected|left|silent -> closed: it was connected after all
  const isThere = event.state !== 'failed' && event.state !== 'busy'
  if (isThere && told.isPresumed === true) return { ...told, cause: undefined, isPresumed: undefined }
  return isThere && told.isUnconfirmed === true ? { ...told, isUnconfirmed: undefined } : told
}

function hear<S extends Answered | Closed>(session: S, { state, heard, at }: Reported): S {
  // The same words again are no change: what is connected is said every few seconds.
  const isSame = (['packets', 'level', 'delayMs', 'isWaiting'] as const).every(
    (name) => heard?.[name] === session.heard?.[name],
  )
  const told = heard === undefined || isSame ? session : { ...session, heard }
  const linked =
    state === 'connected' && !hasStep(session, 'camera-connected') ? note(told, at, 'camera-connected') : told
  return heard !== undefined && heard.packets > 0 && !hasStep(session, 'talk-back-heard')
    ? note(linked, at, 'talk-back-heard')
    : linked
}

/** While the source of the camera fails, that is the cause; pictures that come back take it away. */
function learnFault<S extends Answered | Closed>(session: S, { state, cause, at }: Reported): S {
  const known = session.cause && isSourceFault(session.cause.code) ? session.cause.code : undefined
  if (cause && isSourceFault(cause.code) && cause.code !== known)
    return note({ ...session, cause }, at, 'source-failed', cause.code)
  const isGood = cause === undefined || !isSourceFault(cause.code)
  return known !== undefined && isGood && state === 'connected'
    ? note({ ...session, cause: undefined }, at, 'source-back')
    : session
}

/** The camera's own word for why the display gets no sound, where nothing worse is known. */
function learnSilence<S extends Answered | Closed>(session: S, { cause, at }: Reported): S {
  const { cause: known } = session
  if (cause?.code !== 'no_sound' || known?.message === cause.message) return session
  if (known !== undefined && known.code !== 'no_sound') return session
  const told = { ...session, cause }
  return hasStep(session, 'no-sound') ? told : note(told, at, 'no-sound')
}

/** A connected camera that promised a picture and sends none; one that comes late takes the cause away again. */
function seePicture<S extends Answered | Closed>(session: S, { sent, at }: Reported): S {
  if (sent === undefined || session.hasPicture !== true) return session
  if (sent.videoPackets > 0) return session.cause?.code === 'no_picture' ? { ...session, cause: undefined } : session
  const since = session.timeline.find(({ step }) => step === 'camera-connected')?.at ?? Infinity
  if (at - since < darkMs || session.cause !== undefined) return session
  const cause = { code: 'no_picture', message: 'the camera is connected and sends no picture' } as const
  return note({ ...session, cause }, at, 'no-picture')
}

/** Seen alive in the second half of its time; sooner it is not worth a write. */
function prolong(session: Answered, at: number): Answered {
  const { lifetimeMs } = session.facts.budgets
  return session.endsBy - at < lifetimeMs / 2 ? { ...session, endsBy: at + lifetimeMs } : session
}

function close(session: Answered, at: number, reason: string): Closed {
  const { phase: _phase, answer: _answer, endsBy: _endsBy, ...kept } = session
  return note({ ...kept, phase: 'closed', reason }, at, 'ended', reason)
}

/** Where nobody has said that media ever flowed: with a cause if somebody would have, else as what nobody knows. */
function presumed(session: Closed, at: number): Closed {
  const { answeredAt = at, cause, facts } = session
  if (cause !== undefined || isConnected(session) || at - answeredAt < patienceMs) return session
  if (!saysConnected[facts.assistant] && facts.hasReports !== true) return { ...session, isUnconfirmed: true }
  const seconds = ((at - answeredAt) / 1_000).toFixed(1)
  const message = `neither camera nor display reported a connection in the ${seconds} s after the answer`
  return { ...session, cause: { code: 'media_failed', message: withRelay(session, message) }, isPresumed: true }
}

/** The camera's own word, or what is known besides. */
function failureOf(session: Answered | Closed, { cause }: Reported): Cause {
  return cause ?? { code: 'media_failed', message: withRelay(session, errorCodes.media_failed) }
}

function withRelay({ noRelayOf }: Answered | Closed, message: string): string {
  return noRelayOf === undefined
    ? message
    : `${message}; the camera got no relay address from ${noRelayOf.join(', ')}, which refused or did not reply`
}

function isConnected(session: Answered | Closed): boolean {
  return hasStep(session, 'display-connected', 'camera-connected', 'talk-back-heard')
}
