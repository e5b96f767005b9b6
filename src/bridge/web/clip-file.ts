/** What was recorded in a time, as one MP4 file, of which a player may ask for parts. */
import type { Request, Response } from 'express'
import type { Camera, Clip, Recordings } from 'transom-core/ports'
import { sendParts } from './ranges.ts'
import { Refused } from './refusals.ts'

export const noRecording = () => new Refused('not_found', 'there is no such recording')

/** Throws `Refused` `not_found` where nothing was recorded. */
export async function clipOf(
  recordings: Recordings,
  { id }: Camera,
  span: { readonly from: number; readonly to: number },
  options?: { readonly isSilent?: boolean },
): Promise<Clip> {
  const clip = await recordings.clip(id, span, options)
  if (clip === undefined) throw noRecording()
  return clip
}

/** Also an attachment has a name: that of the camera, and when it begins. */
export function sendClip(
  request: Request,
  response: Response,
  { id }: Camera,
  clip: Clip,
  as: 'attachment' | 'inline' = 'attachment',
): void {
  response.set('cache-control', 'private, no-store').type('video/mp4')
  if (as === 'attachment') response.attachment(`${id}-${new Date(clip.from).toISOString().replace(/[:.]/g, '-')}.mp4`)
  sendParts(request, response, clip.mp4)
}
