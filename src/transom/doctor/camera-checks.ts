/** `transom doctor`: each camera: whether it is connected, and what a network camera sends. */
import { createSecretKey } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { advice, isSourceFault } from 'transom-core/errors'
import { createSqliteStore } from 'transom-core/store/sqlite'
import type { Clock } from 'transom-core/ports'
import { listedCameras } from 'transom-core/wire/registration'
import type { StreamProbe } from 'transom-core/wire/source'
import { passesThrough } from 'transom-gateway/advice'
import { probeCamera } from 'transom-gateway/probe'
import { readAddress } from 'transom-gateway/rtsp/address'
import type { OperatorAccess } from 'transom-bridge/operator/operator'
import { callOperator } from '../operator-client.ts'
import { secretsShape } from '../secrets.ts'
import { createSources, homeGateway, unreadable, type Source } from '../sources.ts'
import { bad, codeOf, good, reasonOf, type Check, type Finding } from './check.ts'

/** A stream is played for two key frames. */
const probeMs = 25_000
/** Longer, and a display that comes late waits for its first picture. */
const longestKeyFrameMs = 4_000

/** Checks of the cameras that the gateway here reads, and with a running bridge of all. */
export async function cameraChecks(
  dataDir: string,
  source: string,
  access: OperatorAccess | undefined,
  clock: Clock,
): Promise<readonly Check[]> {
  const sources = await sourcesHere(dataDir, clock).catch(() => [])
  const builtIn = /^rtsps?:/i.test(source) ? [{ cameraId: 'front-door', address: source }] : []
  return [
    ...[...builtIn, ...sources].map(({ cameraId, address }): Check => ({
      id: `camera-source:${cameraId}`,
      ms: probeMs + 5_000,
      run: (signal) => checkSource(cameraId, address, signal),
    })),
    ...(access === undefined ? [] : [{ id: 'cameras', run: () => checkPresence(access) }]),
  ]
}

/** The addresses are sealed in the store, and this user may unseal them. */
async function sourcesHere(dataDir: string, clock: Clock): Promise<readonly Pick<Source, 'cameraId' | 'address'>[]> {
  const database = join(dataDir, 'transom.db')
  if (!existsSync(database)) return []
  const { keys } = secretsShape.parse(JSON.parse(readFileSync(join(dataDir, 'secrets.json'), 'utf8')))
  const store = createSqliteStore(database, clock, 'read')
  try {
    const found: Source[] = []
    for await (const source of createSources(store, createSecretKey(keys.sealing, 'base64')).of(homeGateway))
      found.push(source)
    return found
  } finally {
    await store.close()
  }
}

async function checkSource(
  cameraId: string,
  address: string | undefined,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const id = `camera-source:${cameraId}`
  if (address === undefined)
    return [bad(id, unreadable, `Give it again: transom camera change ${cameraId} --url rtsp://… --user USER`)]
  try {
    const { login, url } = readAddress(address)
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(probeMs)])
    const { best } = await probeCamera(url, login, bounded)
    if (best === undefined) return [bad(id, 'it sends no video', 'Give the address of a stream with video.')]
    return [good(id, `${readAddress(address).label} sends pictures`), ...aboutStream(cameraId, best)]
  } catch (error) {
    const code = codeOf(error)
    return [
      bad(id, reasonOf(error), isSourceFault(code) ? advice[code] : 'Look at the camera, and at the network between.'),
    ]
  }
}

/** What displays get of it. */
function aboutStream(cameraId: string, stream: StreamProbe): readonly Finding[] {
  const { codec = 'none', width, height, keyFrameMs, hasBFrames, hasBackChannel } = stream
  const named = [codec, width !== undefined && `${width}x${height}`, hasBFrames && 'with B-frames']
    .filter(Boolean)
    .join(' ')
  const isConvertible = ['H264', 'H265', 'JPEG'].includes(codec)
  const toCodec = isConvertible
    ? 'It is converted while somebody looks, which costs a processor core. Set the stream to H.264 without B-frames, 1080p at most.'
    : 'Set the stream to H.264.'
  const [codecId, keyFrameId] = [`camera-codec:${cameraId}`, `camera-key-frames:${cameraId}`]
  const interval = keyFrameMs === undefined ? undefined : `a key frame each ${(keyFrameMs / 1_000).toFixed(1)} s`
  return [
    passesThrough(stream) ? good(codecId, named) : bad(codecId, named, toCodec),
    codec === 'JPEG' || (keyFrameMs ?? Infinity) <= longestKeyFrameMs
      ? good(keyFrameId, interval ?? 'each picture is one')
      : bad(
          keyFrameId,
          interval ?? 'no second key frame came',
          'Set its key frame interval (I-frame interval, GOP) to 1 or 2 seconds.',
        ),
    good(`camera-talk-back:${cameraId}`, hasBackChannel ? 'it plays sound' : 'it takes no sound by ONVIF'),
  ]
}

/** As the bridge sees them now. */
async function checkPresence(access: OperatorAccess): Promise<readonly Finding[]> {
  const { cameras } = listedCameras.parse(await callOperator(access, 'GET', '/cameras'))
  return cameras.map((camera) => {
    const id = `camera:${camera.cameraId}`
    if (!('isOnline' in camera) || camera.isOnline) return good(id, 'connected')
    const { fault } = camera
    return fault === undefined
      ? bad(
          id,
          'not connected',
          'Is it switched on, with the access key and the signaling address that the bridge gave it?',
        )
      : bad(id, fault.message, advice[fault.code])
  })
}
