/** Every limit of the service, with its default: AWS's quotas where AWS has one (developer guide, "Service quotas"). */
import type { Rate } from './rates.ts'

/** The limits of the service. Milliseconds where the name ends in `Ms`, bytes where in `Bytes`, else counts. */
export interface SignalingLimits {
  readonly viewersPerChannel: number
  readonly channels: number
  /** Messages that one channel keeps for clients that are not connected. */
  readonly undeliveredPerChannel: number
  /** Bytes that may wait for one reader. */
  readonly queueBytes: number
  /** How long a master that was replaced by a newer one stays connected. */
  readonly replacedMasterMs: number
  /** How long a master may be away before that is news: a camera whose connection was closed is back sooner. */
  readonly offlineDelayMs: number
  /** The same for a master that keeps coming and going. */
  readonly flappingDelayMs: number
  /** Every so often each connection is pinged, and cut if it was silent since the last time. */
  readonly heartbeatMs: number
  /**
   * A viewer that sends nothing for so long is closed: ten that are forgotten would lock everybody out. Answers to our pings
   * do not count, its own pings do. A master may be silent for ever, as long as it answers pings: browsers cannot ping.
   */
  readonly idleMs: number
  /** A connection that lasts so long is closed, give or take a tenth, so that not all come back at once. */
  readonly lifetimeMs: number
  /** Set: GO_AWAY is sent so long before the lifetime ends. The C SDK (1.14.0) hangs for good on it, so it is 0, never. */
  readonly goAwayMs: number
  /** Connections that have not proved who they are, at once; one more ends the oldest. */
  readonly strangers: number
  /** What a TLS handshake and a request, head and body each, may take. */
  readonly requestMs: number
  /** How often the certificate is looked after. */
  readonly certificateCheckMs: number
  /**
   * How often each may be done: `account` by all keys of cameras and viewers together, and by each application's key alone;
   * `channel` by one key for one channel, `socket` on one connection.
   */
  readonly rates: Rates
}

interface Rates {
  /** Changes of channels and tags, listing. */
  readonly accountWrite: Rate
  readonly accountRead: Rate
  readonly channelCall: Rate
  /** Masters and viewers that connect, each. */
  readonly channelConnect: Rate
  /** Everything that the key of a camera or a viewer signs. */
  readonly keyCall: Rate
  /** Requests without a valid signature from one address, until each further refusal is delayed. */
  readonly wrongKey: Rate
  readonly socketDescription: Rate
  readonly socketCandidate: Rate
}

const hourMs = 3_600_000

/** AWS publishes rates without bursts. Ours let ten displays open one camera at once, and a camera send all it gathered. */
export const defaultLimits: SignalingLimits = {
  viewersPerChannel: 10,
  channels: 10_000,
  undeliveredPerChannel: 128,
  queueBytes: 256 * 1_024,
  replacedMasterMs: 30_000,
  offlineDelayMs: 750,
  flappingDelayMs: 10_000,
  heartbeatMs: 20_000,
  idleMs: hourMs / 6,
  lifetimeMs: hourMs,
  goAwayMs: 0,
  strangers: 512,
  requestMs: 10_000,
  certificateCheckMs: 60_000,
  rates: {
    accountWrite: { perSecond: 50, burst: 100 },
    accountRead: { perSecond: 300, burst: 600 },
    channelCall: { perSecond: 5, burst: 20 },
    channelConnect: { perSecond: 3, burst: 20 },
    keyCall: { perSecond: 20, burst: 200 },
    wrongKey: { perSecond: 1, burst: 20 },
    socketDescription: { perSecond: 5, burst: 20 },
    socketCandidate: { perSecond: 20, burst: 100 },
  },
}
