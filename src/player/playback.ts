/** How a player commands a recording: JSON on a data channel to the gateway that plays it. */
import type { PlaybackCommand, PlaybackState } from 'transom-core/wire/playback'

/** As in `transom-core/wire/playback`, of which the player takes the types alone. */
const label = 'transom-playback'

/** What is wished of a recording; what is left out stays as it is. */
export interface PlaybackWish {
  /** Epoch milliseconds, by the camera's clock. */
  readonly at?: number
  readonly isPaused?: boolean
  readonly speed?: number
  readonly step?: 1 | -1
}

/** How a recording is played: `at` is when the picture that is shown was taken, `isOver` that nothing comes after it. */
export interface PlaybackNow {
  readonly at: number
  readonly isPaused: boolean
  readonly speed: number
  readonly isOver: boolean
}

/** The line to what plays the recording. */
export interface PlaybackLink {
  /** Goes out as soon as the line is open, after that at once. */
  send(wish: PlaybackWish): void
}

/** Opens it, before the offer is made. `onState` gets nothing that is older than what was sent last. */
export function openPlayback(
  peer: Pick<RTCPeerConnection, 'createDataChannel'>,
  onState: (now: PlaybackNow) => void,
): PlaybackLink {
  const channel = peer.createDataChannel(label)
  let id = 0
  let waiting: PlaybackWish | undefined
  const post = (wish: PlaybackWish): void => {
    id += 1
    channel.send(JSON.stringify({ id, ...wish } satisfies PlaybackCommand))
  }
  channel.addEventListener('open', () => {
    if (waiting) post(waiting)
    waiting = undefined
  })
  channel.addEventListener('message', ({ data }) => {
    const state = JSON.parse(String(data)) as PlaybackState
    if (state.id >= id) onState(state)
  })
  return {
    send(wish) {
      if (channel.readyState === 'open') post(wish)
      else waiting = { ...waiting, ...wish }
    },
  }
}
