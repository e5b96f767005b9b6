/** What hears one viewer, as sources give it to viewers. */

/** What one viewer has said so far. */
export interface Heard {
  /** Packets that the camera has accepted. */
  readonly packets: number
  /** RMS, 0 silent to 1 full scale. */
  readonly level?: number
  /** From packet in to packet out, once the camera has opened its loudspeaker: 95 % of the latest stay below, milliseconds. */
  readonly delayMs?: number
  /** It talks, and somebody else has the floor. */
  readonly isWaiting?: true
}

/** One viewer's way to the loudspeaker, or what only measures it. */
export interface Ear {
  /** One RTP payload, in the order it came. */
  hear(payload: Buffer): void
  /** Packets so far, and the RMS level (0 silent, 1 full scale) of what came since the last time this was asked, where it can be decoded. */
  heard(): Heard
  close(): void
}
