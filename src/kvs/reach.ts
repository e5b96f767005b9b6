/** How a signaling service is reached, as far as a viewer needs it: over the network, or in this process. */
import type { IceServer } from 'transom-core/ports'
import type { ChannelConnection } from './channel.ts'

export interface Reach {
  /**
   * Connects to a channel as this viewer. The signal owns the connection for its whole life. Throws `BridgeError`, or the
   * signal's reason.
   */
  open(channelName: string, viewerId: string, signal: AbortSignal): Promise<ChannelConnection>
  /** A connection of this viewer that was opened ahead, given away once; whoever takes it closes it. */
  prepared?(viewerId: string): Promise<ChannelConnection | undefined> | undefined
  /** SendAlexaOfferToMaster: the payload of the answer; undefined or empty when there was none. Throws as `open` does. */
  sendAlexaOffer(
    channelName: string,
    viewerId: string,
    payload: string,
    signal: AbortSignal,
  ): Promise<string | undefined>
  iceServers(channelName: string, signal: AbortSignal): Promise<readonly IceServer[]>
  /** Fetches ahead what will be needed, with a `viewerId` also its connection. Never throws. */
  warm(channelName: string, viewerId?: string): void
  /** Frees everything, once the connections, which their own signals have ended, are gone. */
  close(): Promise<void>
}
