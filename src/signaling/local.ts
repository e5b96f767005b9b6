/** The door for the bridge in the same process: a viewer's place in a channel without a socket, by the same rules and limits. */
import { sendAlexaOffer } from './alexa-offer.ts'
import type { Channels } from './channels.ts'
import { takeFrame, type FrameDeps } from './frames.ts'
import type { Hub } from './hub.ts'
import type { KvsIceServer } from './ice-servers.ts'
import { writeDelivery } from './message.ts'
import type { Rates } from './rates.ts'
import type { RoomChannel } from './rooms.ts'

export interface LocalDeps extends FrameDeps {
  readonly channels: Channels
  readonly hub: Hub
  readonly rates: Rates
  readonly iceServers: (clientId: string) => readonly KvsIceServer[]
}

/** What a viewer in this process gets, as the text frames that a socket would bring. */
export interface LocalViewer {
  readonly onFrame: (text: string) => void
  /** The service ends the connection, with a WebSocket close code. */
  readonly onClose: (code: number, reason: string) => void
}

export interface LocalDoor {
  /** Takes a viewer's place until `leave`. Throws `ServiceError` as the WebSocket door refuses. */
  connect(
    channelName: string,
    clientId: string,
    viewer: LocalViewer,
  ): Promise<{ send(text: string): void; leave(): void }>
  /** SendAlexaOfferToMaster: the payload of the answer. Throws `ServiceError`. */
  sendAlexaOffer(channelName: string, clientId: string, payload: string, signal: AbortSignal): Promise<string>
  /** GetIceServerConfig. */
  iceServers(clientId: string): readonly KvsIceServer[]
}

/** The caller's name among those whose rates are counted: it has, as every application, its own. */
const caller = 'bridge'

export function createLocalDoor({ channels, hub, rates, iceServers, ...deps }: LocalDeps): LocalDoor {
  // A channel that somebody is connected to is known without the store.
  const find = async (channelName: string): Promise<RoomChannel> =>
    hub.channel(channelName) ?? (await channels.get({ name: channelName }))
  return {
    iceServers,
    async connect(channelName, clientId, viewer) {
      rates.take(`ConnectAsViewer ${channelName} ${caller}`, deps.limits.rates.channelConnect)
      const seat = hub.joinAsViewer(await find(channelName), clientId, {
        deliver(message) {
          viewer.onFrame(writeDelivery(message))
          return true
        },
        close: viewer.onClose,
      })
      const allowance = {}
      return {
        send: (text) => void takeFrame(deps, text, seat, allowance, viewer.onFrame),
        leave: seat.leave,
      }
    },
    async sendAlexaOffer(channelName, clientId, payload, signal) {
      rates.take(`SendAlexaOfferToMaster ${channelName} ${caller}`, deps.limits.rates.channelCall)
      return sendAlexaOffer(hub, await find(channelName), clientId, payload, signal)
    },
  }
}
