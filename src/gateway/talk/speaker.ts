/** The port to a camera's loudspeaker: opened for each talk anew, since an open one blocks the vendor's app and some call buttons. */
import type { SourceError } from '../media.ts'

export interface Speaker {
  /** Opens the way to it. Throws `SourceError`; aborting the signal ends it, and closes what was opened. */
  open(signal: AbortSignal): Promise<Line>
}

export interface Line {
  /**
   * Plays 20 ms of sound, 16 bit at 8 kHz. `slot` counts 20 ms since the line was opened: where it does not go on from the one
   * before, there was silence. False when the camera does not accept it.
   */
  play(samples: Int16Array, slot: number): boolean
  /** Resolves with the reason when the camera has ended it. */
  readonly ended: Promise<SourceError>
  /** Says goodbye and lets go. Never rejects; may be called again. */
  close(): Promise<void>
}

const brands = ['axis', 'dahua', 'doorbird', 'hikvision'] as const
export type Brand = (typeof brands)[number]

/** How a camera is spoken to. */
export interface TalkBack {
  /** `onvif`: by the back channel of its RTSP stream; a brand: by its audio API over HTTP. */
  readonly by: 'onvif' | 'off' | Brand
  /** Of the HTTP API. */
  readonly port: number
  /** It cannot listen while it speaks: its own sound is silent meanwhile, and not fed back. */
  readonly isHalfDuplex: boolean
}

/**
 * The setting in the fragment of a camera's address: `rtsp://…/live#talk-back=dahua:8080&duplex=half`. Without one it is
 * ONVIF's back channel, both ways at once. `undefined` for a value that is not known.
 */
export function readTalkBack(address: string): TalkBack | undefined {
  const fragment = /#([\w-]+=[\w:&=-]+)$/.exec(address.trim())?.[1]
  const parameters = new URLSearchParams(fragment)
  const [name = 'onvif', digits] = (parameters.get('talk-back') ?? 'onvif').toLowerCase().split(':')
  const duplex = parameters.get('duplex') ?? 'full'
  const by = name === 'amcrest' ? 'dahua' : (['onvif', 'off', ...brands] as const).find((known) => known === name)
  const port = Number(digits ?? 80)
  if (by === undefined || !['half', 'full'].includes(duplex) || !(port > 0 && port <= 65_535)) return undefined
  return { by, port, isHalfDuplex: duplex === 'half' }
}
