/** What happened at cameras and what was recorded: the same below `/api`, for owners, and below `/operator`. */
import * as z from 'zod'
import * as api from '../wire/api.ts'
import { binary, byId, pathsOf, type Door, type Route } from './parts.ts'

const recordingPath = z.object({ id: z.string(), recording: z.string() })

const formats = [
  { name: 'Playlist', format: 'HLS', file: 'playlist.m3u8' },
  { name: 'Manifest', format: 'DASH', file: 'manifest.mpd' },
]
const addressed =
  'The answer leads to an address below /media which players open without a token, for a limited time. Do not publish it.'

/** `more`: what all routes there have. */
export function recordingPaths(
  tag: string,
  base: '/api' | '/operator',
  readers: readonly Door[],
  owners: readonly Door[],
  more: Partial<Route> = {},
) {
  const nameOf = (name: string) => (base === '/api' ? name : `${name}AsOperator`)
  const routes: Readonly<Record<string, Route>> = {
    [`GET ${base}/cameras/{id}/events`]: {
      operationId: nameOf('listEvents'),
      summary: 'What happened at a camera',
      description: 'The last day, if no time is given. Events are kept for 30 days.',
      doors: readers,
      path: byId,
      query: api.wantedSpan,
      answer: { status: 200, body: api.moments },
      refusals: [400, 401, 403, 404],
    },
    [`GET ${base}/cameras/{id}/recordings`]: {
      operationId: nameOf('listRecordings'),
      summary: 'What was recorded of a camera, for its owner and for guests who may see it',
      description: 'The last day, if no time is given.',
      doors: readers,
      path: byId,
      query: api.wantedSpan,
      answer: { status: 200, body: api.recordings },
      refusals: [400, 401, 403, 404, 501],
    },
    [`DELETE ${base}/cameras/{id}/recordings`]: {
      operationId: nameOf('removeRecordings'),
      summary: 'Deletes what was recorded in a time; without a time, everything',
      doors: owners,
      path: byId,
      query: api.wantedSpan,
      answer: { status: 204 },
      refusals: [400, 401, 403, 404, 501],
    },
    [`PUT ${base}/cameras/{id}/recording/pause`]: {
      operationId: nameOf('pauseRecording'),
      summary: 'Records nothing of a camera, whatever happens there, until it is told to go on',
      description: 'Kept over restarts. The same again changes nothing.',
      doors: owners,
      path: byId,
      answer: { status: 204 },
      refusals: [400, 401, 403, 404],
    },
    [`DELETE ${base}/cameras/{id}/recording/pause`]: {
      operationId: nameOf('resumeRecording'),
      summary: 'Goes on recording a camera',
      doors: owners,
      path: byId,
      answer: { status: 204 },
      refusals: [400, 401, 403, 404],
    },
    [`GET ${base}/cameras/{id}/recordings/clip.mp4`]: {
      operationId: nameOf('readClip'),
      summary: 'What was recorded in a time, as one file',
      description: 'Begins with the key frame before the time. Gaps are left out.',
      doors: readers,
      path: byId,
      query: api.wantedSpan,
      answer: { status: 200, body: { 'video/mp4': binary } },
      refusals: [400, 401, 403, 404, 501],
    },
    ...Object.fromEntries(
      formats.map(({ name, format, file }) => [
        `GET ${base}/cameras/{id}/recordings/${file}`,
        {
          operationId: nameOf(`find${name}`),
          summary: `What was recorded in a time, as ${format}`,
          description: `At most a day. ${addressed}`,
          doors: readers,
          path: byId,
          query: api.wantedSpan,
          answer: { status: 303 },
          refusals: [400, 401, 404, 501],
        } satisfies Route,
      ]),
    ),
    ...Object.fromEntries(
      formats.map(({ name, format, file }) => [
        `GET ${base}/cameras/{id}/live/${file}`,
        {
          operationId: nameOf(`findLive${name}`),
          summary: `What is recorded now, as ${format}`,
          description: `Some seconds behind the camera; opens for an hour. ${addressed}`,
          doors: readers,
          path: byId,
          answer: { status: 303 },
          refusals: [401, 404, 501],
        } satisfies Route,
      ]),
    ),
    [`GET ${base}/cameras/{id}/recordings/{recording}`]: {
      operationId: nameOf('readRecording'),
      summary: 'One recording',
      doors: readers,
      path: recordingPath,
      answer: { status: 200, body: api.recording },
      refusals: [401, 403, 404, 501],
    },
    [`DELETE ${base}/cameras/{id}/recordings/{recording}`]: {
      operationId: nameOf('removeRecording'),
      summary: 'Deletes a recording',
      doors: owners,
      path: recordingPath,
      answer: { status: 204 },
      refusals: [401, 403, 404, 501],
    },
    [`GET ${base}/cameras/{id}/recordings/{recording}/clip.mp4`]: {
      operationId: nameOf('readRecordingClip'),
      summary: 'A recording as one file',
      doors: readers,
      path: recordingPath,
      answer: { status: 200, body: { 'video/mp4': binary } },
      refusals: [401, 403, 404, 501],
    },
    [`POST ${base}/cameras/{id}/recordings/{recording}/address`]: {
      operationId: nameOf('addressRecording'),
      summary: 'An address of a recording for a player that sends no token, or to give to somebody else',
      description:
        'Works for three hours, or for as many days as an owner asks for; no longer than the recording is kept.',
      doors: readers,
      path: recordingPath,
      body: api.wantedAddress,
      answer: { status: 201, body: api.clipAddress },
      refusals: [400, 401, 403, 404, 501],
    },
    [`GET ${base}/cameras/{id}/recordings/{recording}/thumbnail.jpg`]: {
      operationId: nameOf('readThumbnail'),
      summary: 'A picture that stands for a recording',
      doors: readers,
      path: recordingPath,
      answer: { status: 200, body: { 'image/jpeg': binary } },
      refusals: [401, 403, 404, 501],
    },
  }
  return pathsOf(tag, Object.fromEntries(Object.entries(routes).map(([name, route]) => [name, { ...route, ...more }])))
}
