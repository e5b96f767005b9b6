/** The port to a network camera, whatever the protocol of its address. */
import type { Client } from './rtsp/client.ts'

/** How sessions with one camera are opened. All throw `SourceError`. */
export interface Way {
  /** A session in which its media may be played. Its description tells of its loudspeaker, too. */
  open(signal: AbortSignal): Promise<Client>
  /** One in which its loudspeaker may be. */
  openSpeaker(signal: AbortSignal): Promise<Client>
  /** Asks whether it is still there, without a session; absent where a session costs nothing before it plays. */
  readonly ask?: (signal: AbortSignal) => Promise<void>
}
