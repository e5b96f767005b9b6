/** `/media`: what was recorded, for players. */
import * as z from 'zod'
import { binary, pathsOf, type Route } from './parts.ts'

const token = z.string().describe('From the address to which `findPlaylist` and the like lead.')
const segmentPath = z.object({
  token,
  recording: z.string(),
  track: z.enum(['all', 'video', 'audio']),
  segment: z.string().describe('init.mp4, or the number of a fragment with the ending m4s.'),
})
const text = (operationId: string, summary: string, type: string): Route => ({
  operationId,
  summary,
  doors: [],
  path: z.object({ token }),
  answer: { status: 200, body: { [type]: z.string() } },
  refusals: [403],
})
const hls = 'application/vnd.apple.mpegurl'

export const mediaPaths = pathsOf('Players', {
  'GET /media/{token}/clip.mp4': {
    operationId: 'readSharedClip',
    summary: 'One recording as a file, at the address from `addressRecording`; with byte ranges',
    doors: [],
    path: z.object({ token }),
    query: z.object({ download: z.string().exactOptional().describe('As an attachment.') }),
    answer: { status: 200, body: { 'video/mp4': binary } },
    refusals: [403, 404],
  },
  'GET /media/{token}/silent.mp4': {
    operationId: 'readSilentClip',
    summary: 'The same without sound, for displays that take no Opus; with byte ranges',
    doors: [],
    path: z.object({ token }),
    answer: { status: 200, body: { 'video/mp4': binary } },
    refusals: [403, 404],
  },
  'GET /media/{token}/thumbnail.jpg': {
    operationId: 'readSharedThumbnail',
    summary: 'The still of the same recording',
    doors: [],
    path: z.object({ token }),
    answer: { status: 200, body: { 'image/jpeg': binary } },
    refusals: [403, 404],
  },
  'GET /media/{token}/playlist.m3u8': text('readPlaylist', 'The multivariant playlist of HLS', hls),
  'GET /media/{token}/media.m3u8': text('readMediaPlaylist', 'The media playlist of HLS', hls),
  'GET /media/{token}/manifest.mpd': text('readManifest', 'The manifest of DASH', 'application/dash+xml'),
  'GET /media/{token}/{recording}/{track}/{segment}': {
    operationId: 'readSegment',
    summary: 'A fragment of a recording as it was recorded, or one track of it; with byte ranges',
    doors: [],
    path: segmentPath,
    answer: { status: 200, body: { 'video/mp4': binary, 'audio/mp4': binary } },
    refusals: [403, 404],
  },
})
