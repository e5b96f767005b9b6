/** Attacks on what a player says on the data channel of a recording. */
import { playbackCommand, type PlaybackState } from '../../src/core/wire/playback.ts'
import { parseJson } from '../../src/bridge/http.ts'
import { createPlayback } from '../../src/gateway/playback/playback.ts'
import type { Parser } from './parsers.ts'

const latest = Number.MAX_SAFE_INTEGER

export const playbackParsers: readonly Parser[] = [
  {
    name: 'playback command',
    samples: [
      '{"id":1,"at":1700000000000}',
      '{"id":2,"isPaused":true,"speed":0.5}',
      '{"id":3,"step":-1}',
      '{"id":4,"step":1,"speed":4}',
    ],
    async read(input) {
      const told: PlaybackState[] = []
      const faults: unknown[] = []
      const playback = createPlayback({
        span: { from: 1_700_000_000_000 },
        read: async () => undefined,
        tell: (state) => void told.push(state),
        onFault: (error) => void faults.push(error),
      })
      const leave = playback.join({ video: () => undefined, audio: () => undefined })
      const { data } = playbackCommand.safeParse(parseJson(input))
      if (data) playback.follow(data)
      playback.follow({ id: latest, isPaused: true })
      leave()
      await Promise.resolve()
      const isHeard = told.at(-1)?.id === latest || data?.id === latest
      if (faults.length > 0 || !isHeard) throw new TypeError('what comes after it is not followed')
    },
  },
]
