/** What a player and the gateway say to each other while a recording is played: JSON on the data channel of the view. */
import * as z from 'zod'

/** The label of the data channel, which the player opens. */
export const playbackLabel = 'transom-playback'

/** How fast a recording may be played. */
export const playbackSpeeds = { least: 0.5, most: 4 } as const

/** From the player: what is left out stays as it is. */
export const playbackCommand = z.object({
  /** One more for each command of a view: what the gateway says of its state names the last one that it knew. */
  id: z.int().nonnegative(),
  /** Go to this instant of the recording, or to the first picture after it. Epoch milliseconds. */
  at: z.int().nonnegative().max(1e15).exactOptional(),
  isPaused: z.boolean().exactOptional(),
  speed: z.number().min(playbackSpeeds.least).max(playbackSpeeds.most).exactOptional(),
  /** Show the next picture, or the one before, and pause. */
  step: z.literal([1, -1]).exactOptional(),
})
export type PlaybackCommand = z.infer<typeof playbackCommand>

/** From the gateway: after each command, at the end, and four times a second while it plays. */
export const playbackState = z.object({
  /** The last command that it follows; 0 before the first. */
  id: z.int().nonnegative(),
  /** The instant of the picture that was sent last, epoch milliseconds by the camera's clock. */
  at: z.int().nonnegative(),
  isPaused: z.boolean(),
  speed: z.number(),
  /** There is nothing after this picture. */
  isOver: z.boolean(),
})
export type PlaybackState = z.infer<typeof playbackState>

/** Which part of what was recorded a view shows: until `to`, or as far as there is something. Epoch milliseconds. */
export const recordedSpan = z
  .object({
    from: z.int().nonnegative().max(1e15),
    to: z.int().nonnegative().max(1e15).exactOptional(),
  })
  .refine(({ from, to }) => to === undefined || to > from, 'ends before it begins')
export type RecordedSpan = z.infer<typeof recordedSpan>

/** The header fields that a fragment comes with: the start of its recording, from which its media is timed, and when it ends. */
export const fragmentHeaders = { recording: 'transom-recording', until: 'transom-until' } as const
