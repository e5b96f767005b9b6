/** What was recorded, for players: playlists of HLS and DASH with their fragments, at addresses that open it by themselves. */
import { Router, type Request, type RequestHandler, type Response } from 'express'
import { mayViewRecordings } from '../authority.ts'
import type { AccountId, Camera, CameraId, Clock, Log, ReadFragment, Recording, Recordings } from 'transom-core/ports'
import type { Brand } from '../oauth/pages/markup.ts'
import { clipOf, sendClip } from './clip-file.ts'
import { showClipRefusal } from './clip-page.ts'
import { manifest } from './dash.ts'
import { mediaPlaylist, multivariantPlaylist, targetOf } from './hls.ts'
import type { MediaAddresses, MediaGrant } from './media-address.ts'
import { sendParts } from './ranges.ts'
import { answerError, Refused } from './refusals.ts'
import { liveOf, overlaps, stretchesOf, wholeOf, type Programme } from './stretches.ts'
import { fragmentOfTrack, initOfTrack } from './tracks.ts'

export interface MediaDeps {
  readonly addresses: MediaAddresses
  /** The camera as an account sees it: asked with each request, since a share may end meanwhile. */
  readonly seenBy: (accountId: AccountId, cameraId: CameraId) => Promise<Camera | undefined>
  readonly recordings: Recordings
  /** Somebody looks by a link that the owner has handed on: for the owner's history. */
  readonly noteSharedView: (camera: Camera, at: number) => Promise<void>
  /** Of the page for whoever opens a link that does not work any more. */
  readonly brand: Brand
  readonly clock: Clock
  readonly log: Log
}

interface PlaylistGrant {
  readonly cameraId: CameraId
  readonly use: Exclude<MediaGrant['use'], { readonly kind: 'clip' }>
}

const windowMs = 60_000
/** What was read may be kept by the browser for a moment, never by a proxy: what is deleted is soon gone there, too. */
const shortly = 'private, max-age=60'

/** To be mounted at `/media`. */
export function createMediaRoutes(deps: MediaDeps): Router {
  const { addresses, seenBy, recordings, noteSharedView, brand, clock, log } = deps
  const router = Router()
  router.use(anyPlayer)

  const sendFile =
    (isSilent: boolean): RequestHandler =>
    async (request, response) => {
      const { camera, use } = await openedClip(request)
      const clip = await clipOf(recordings, camera, use, { isSilent })
      if (use.isShared) await noteSharedView(camera, use.from)
      response.set('x-robots-tag', 'noindex')
      sendClip(request, response, camera, clip, request.query['download'] === undefined ? 'inline' : 'attachment')
    }
  router.get('/:token/clip.mp4', sendFile(false))
  // An Echo Show takes AAC beside pictures, or nothing, and what is recorded is Opus (videoapp-interface-reference.html).
  router.get('/:token/silent.mp4', sendFile(true))

  router.get('/:token/thumbnail.jpg', async (request, response) => {
    const { camera, use } = await openedClip(request)
    const [recording] = await recordings.list(camera.id, { from: use.from, to: use.to, limit: 1 })
    const picture = recording && (await recordings.picture(recording))
    if (picture === undefined) throw noMedia()
    response.set({ 'cache-control': 'private, no-store', 'x-robots-tag': 'noindex' }).type('image/jpeg').send(picture)
  })

  router.get('/:token/playlist.m3u8', async (request, response) => {
    const { programme, target } = await programmeOf(await grantOf(request))
    sendText(response, hlsType, multivariantPlaylist(programme, target, 'media.m3u8'))
  })

  router.get('/:token/media.m3u8', async (request, response) => {
    const grant = await grantOf(request)
    const { programme, target } = await programmeOf(grant)
    sendText(response, hlsType, mediaPlaylist(programme, target, grant.use.kind))
  })

  router.get('/:token/manifest.mpd', async (request, response) => {
    const grant = await grantOf(request)
    const { use } = grant
    const { programme, target } = await programmeOf(grant)
    const live = use.kind === 'live' ? { from: use.from, now: clock(), windowMs } : undefined
    sendText(response, 'application/dash+xml', manifest(programme, target, live))
  })

  router.get('/:token/:recording/:track/:segment', async (request, response) => {
    const { recording: start, track, segment } = request.params
    const wanted = /^(?:init\.mp4|(\d{1,9})\.m4s)$/.exec(segment)
    if (wanted === null) throw noMedia()
    const { cameraId, use } = await grantOf(request)
    const recording = await recordings.find(cameraId, Number(start))
    const { from, to } = use.kind === 'live' ? { from: use.from, to: Infinity } : use
    if (recording === undefined || recording.startAt >= to || recording.endAt <= from) throw noMedia()
    const data = await dataOf(recording, Number(wanted[1] ?? 0), track, use)
    if (data === undefined) throw noMedia()
    response.set('cache-control', shortly).type(track === 'audio' ? 'audio/mp4' : 'video/mp4')
    sendParts(request, response, data)
  })

  router.use(() => {
    throw noMedia()
  })
  router.use(showClipRefusal(brand))
  router.use(answerError(log))
  return router

  async function opened(request: Request): Promise<{ readonly camera: Camera; readonly use: MediaGrant['use'] }> {
    const { accountId, cameraId, use } = addresses.open(String(request.params['token']))
    const camera = await seenBy(accountId, cameraId)
    if (camera === undefined || !mayViewRecordings(camera))
      throw new Refused('forbidden', 'the camera was removed, or its recordings are no longer shared')
    return { camera, use }
  }

  async function openedClip(request: Request) {
    const { camera, use } = await opened(request)
    if (use.kind !== 'clip') throw noMedia()
    return { camera, use }
  }

  /** Who was given one file gets no playlist for it. */
  async function grantOf(request: Request): Promise<PlaylistGrant> {
    const { camera, use } = await opened(request)
    if (use.kind === 'clip') throw noMedia()
    return { cameraId: camera.id, use }
  }

  async function programmeOf({
    cameraId,
    use,
  }: PlaylistGrant): Promise<{ readonly programme: Programme; readonly target: number }> {
    if (use.kind === 'recorded') {
      const programme = wholeOf(await stretchesOf(recordings, cameraId, use))
      return { programme, target: targetOf(programme) }
    }
    const { from, target } = use
    const since = { from, to: Infinity }
    const stretches = await stretchesOf(recordings, cameraId, since, ({ at }) => at >= from)
    const isOpen = (await recordings.list(cameraId, since)).some((one) => one.isOpen)
    // A duration rounds to the target (RFC 8216bis section 4.4.3.1).
    const longestMs = target * 1_000 + 499
    return { programme: liveOf(stretches, { windowMs, longestMs, isOpen, now: clock() }), target }
  }

  /** `undefined` for a track that it has not, or of which there is none. */
  async function dataOf(
    recording: Recording,
    number: number,
    track: string,
    use: PlaylistGrant['use'],
  ): Promise<Buffer | undefined> {
    const isWanted = use.kind === 'live' ? ({ at }: { readonly at: number }) => at >= use.from : overlaps(use)
    const fragment = await recordings.fragment(recording, number)
    if (fragment === undefined || (number > 0 && !isWanted(fragment))) throw noMedia()
    const whole = wholeDataOf(recording, fragment)
    if (track === 'all') return whole
    if (track !== 'video' && track !== 'audio') return undefined
    if (number === 0) return initOfTrack(whole, track)
    const init = await recordings.fragment(recording, 0)
    if (init === undefined) throw noMedia()
    return fragmentOfTrack(wholeDataOf(recording, init), whole, track)
  }

  function wholeDataOf({ cameraId, startAt }: Recording, fragment: ReadFragment): Buffer {
    if (fragment.kind === 'whole') return fragment.data
    log('error', 'recordings.damaged', { cameraId, startAt, failed: 1 })
    throw new Refused('not_found', `this part of the recording cannot be read: ${fragment.fault}`)
  }
}

const hlsType = 'application/vnd.apple.mpegurl'
const noMedia = () => new Refused('not_found', 'there is no such media')

function sendText(response: Response, type: string, text: string): void {
  // What is live changes, and what was recorded may be deleted.
  response.set('cache-control', 'private, no-cache').type(type).send(text)
}

/** The address is the authority, and no cookie counts here: a player on any origin may ask, also for parts. */
const anyPlayer: RequestHandler = (request, response, next) => {
  response.set({
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'content-range, date',
    'cross-origin-resource-policy': 'cross-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  })
  if (request.method !== 'OPTIONS') return next()
  response.set({
    'access-control-allow-methods': 'GET',
    'access-control-allow-headers': 'range',
    'access-control-max-age': '600',
  })
  response.status(204).end()
}
