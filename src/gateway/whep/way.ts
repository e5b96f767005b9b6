/** WHEP as a way to a camera. go2rtc speaks it, too, and takes our sound besides (`/api/webrtc?src=NAME`). */
import * as z from 'zod'
import type { IceServer } from 'transom-core/ports'
import { hasFfmpeg } from '../ffmpeg.ts'
import type { Client } from '../rtsp/client.ts'
import type { CameraAddress } from '../rtsp/address.ts'
import type { Track } from '../rtsp/description.ts'
import type { Trust } from '../trust.ts'
import type { Way } from '../way.ts'
import { openWhepClient } from './client.ts'
import { openEndpoint, type Endpoint } from './endpoint.ts'

/** `GET /api/streams?src=NAME` of go2rtc: what the sources of a stream have, as `audio, sendonly, PCMU/8000`. */
const stream = z.object({ producers: z.array(z.object({ medias: z.array(z.string()).optional() })) })

export function createWhepWay(address: CameraAddress, trust: Trust): Way {
  const { pathname, searchParams } = new URL(address.url)
  const name = pathname.endsWith('/api/webrtc') ? searchParams.get('src') : null
  let iceServers: readonly IceServer[] | undefined
  /** The way to its loudspeaker; `undefined` until it was looked for. */
  let speaker: Track | 'none' | undefined = name === null ? 'none' : undefined

  const endpointOf = () => openEndpoint(address, trust, iceServers)
  async function openClient(wants: { readonly media: boolean; readonly microphone: boolean }, signal: AbortSignal) {
    const endpoint = endpointOf()
    // Before the offer, whose candidates come of them; whoever names none here may do so with the answer.
    if (iceServers === undefined) await endpoint.ask(signal)
    const client = await openWhepClient(endpoint, { ...wants, h265: await hasFfmpeg() }, trust, signal)
    iceServers = endpoint.iceServers()
    return { client, endpoint }
  }
  /** Its answer accepts our sound for a stream without any loudspeaker, so its list of what the camera has is asked. */
  async function findSpeaker(
    { description }: Client,
    endpoint: Endpoint,
    signal: AbortSignal,
  ): Promise<Track | 'none'> {
    const offered = description.tracks.find(({ isBackChannel }) => isBackChannel)
    const read = stream.safeParse(await endpoint.get(`streams?src=${encodeURIComponent(name ?? '')}`, signal))
    const medias = read.data?.producers.flatMap((each) => each.medias ?? []) ?? []
    return offered !== undefined && medias.some((media) => /^audio, *sendonly/.test(media)) ? offered : 'none'
  }

  return {
    async open(signal) {
      const { client, endpoint } = await openClient({ media: true, microphone: speaker === undefined }, signal)
      try {
        speaker ??= await findSpeaker(client, endpoint, signal)
      } catch (error) {
        await client.close()
        throw error
      }
      const { tracks, url } = client.description
      const media = tracks.filter(({ isBackChannel }) => !isBackChannel)
      // A session that plays leaves the loudspeaker alone: an open one blocks the vendor's app.
      return { ...client, description: { url, tracks: speaker === 'none' ? media : [...media, speaker] } }
    },
    openSpeaker: async (signal) => (await openClient({ media: false, microphone: true }, signal)).client,
    ask: (signal) => endpointOf().ask(signal),
  }
}
