/** The ONVIF side of a camera that the gateway reads: its still pictures, key frames that are asked for, and what it notices. */
import type { Clock, Fault, Log } from 'transom-core/ports'
import type { CameraEvent } from 'transom-core/wire/camera-event'
import { faultOf, SourceError, type MediaSource } from '../media.ts'
import type { Patience } from '../patience.ts'
import { readAddress } from '../rtsp/address.ts'
import type { Trust } from '../trust.ts'
import { openDevice, type Device, type Profile } from './device.ts'
import { watchEvents } from './watch.ts'

const stillMs = 8_000
const keyFrameMs = 5_000
/** A display that loses packets asks again and again; each question is a request to the camera. */
const keyFrameEachMs = 1_000

export interface OnvifOptions {
  /** `http://host:port/path` or `https://…`, as `openDevice` reads it. */
  readonly address: string
  /** The stream that is shown, with the user and the password that are the device's, too. */
  readonly source: string
  /** Whether a contact that closes is its button. */
  readonly isDoorbell: boolean
  readonly trust: Trust
  /** That of all who use this password. */
  readonly patience: Patience
  readonly clock: Clock
  readonly log: Log
}

export interface OnvifCamera {
  /** As of `MediaSource`: by its snapshot URI. Never rejects. */
  still(): Promise<Buffer | undefined>
  /** Asks for a key frame. Whether one comes is for the camera to say. */
  requestKeyFrame(): void
  /** Why it announces nothing: it refuses the subscription, or has no events. */
  eventsFault(): Fault | undefined
  /** Follows its events until the signal aborts. Never rejects. */
  watch(follower: EventsWatcher, signal: AbortSignal): Promise<void>
}

export interface EventsWatcher {
  readonly report: (event: CameraEvent) => void
  /** `eventsFault` is another one. */
  readonly onFault: () => void
  /** Resolves when the camera may be asked: its stream has not refused the password just now. */
  readonly whenWelcome: (signal: AbortSignal) => Promise<void>
}

/** What is known of the device once it was asked. */
interface Known {
  readonly device: Device
  /** Of the stream that is shown; `undefined` where it has no profiles. Asked for by whoever needs it first. */
  profile?: Promise<Profile | undefined>
  stillUri?: Promise<string | undefined>
}

/** Opens nothing yet. Throws `SourceError` where the stream's address cannot be read. */
export function createOnvifCamera(options: OnvifOptions): OnvifCamera {
  const { address, source, isDoorbell, trust, clock, log } = options
  const stream = readAddress(source)
  const door = options.patience.door()
  let known: Promise<Known> | undefined
  let fault: Fault | undefined
  let askedAt = -Infinity

  /** One device for everything that is asked of it, opened at the first question and again after a failure. */
  async function open(signal: AbortSignal): Promise<Known> {
    known ??= door.attempt(async () => ({ device: await openDevice(address, stream.login, signal, trust) }))
    const opening = known
    return opening.catch((error: unknown) => {
      if (known === opening) known = undefined
      throw error
    })
  }
  /** As at the first time: what is known of it may be what is wrong. */
  async function openAgain(signal: AbortSignal): Promise<Device> {
    known = undefined
    return (await open(signal)).device
  }
  const shown = (found: Known, signal: AbortSignal) => (found.profile ??= profileOf(found.device, stream.url, signal))
  const stillUri = async (found: Known, signal: AbortSignal) => {
    const profile = await shown(found, signal)
    return profile && found.device.snapshotUri(profile, signal)
  }

  async function asked<T>(ms: number, ask: (known: Known, signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const signal = AbortSignal.timeout(ms)
    try {
      const found = await open(signal)
      return await door.attempt(() => ask(found, signal))
    } catch (error) {
      known = undefined
      log('warn', 'gateway.onvif-failed', { error: faultOf(error).message })
      return undefined
    }
  }

  return {
    still: () =>
      asked(stillMs, async (found, signal) => {
        const uri = await (found.stillUri ??= stillUri(found, signal))
        if (uri === undefined) return undefined
        const picture = await found.device.soap.get(uri, signal)
        if (isJpeg(picture)) return picture
        throw new SourceError('source_garbled', `${found.device.label} sends something else than a JPEG as its still`)
      }),
    requestKeyFrame() {
      if (performance.now() - askedAt < keyFrameEachMs) return
      askedAt = performance.now()
      void asked(keyFrameMs, async (found, signal) => {
        const profile = await shown(found, signal)
        if (profile) await found.device.synchronize(profile, signal)
      })
    },
    eventsFault: () => fault,
    async watch({ report, onFault, whenWelcome }, signal) {
      const become = (next: Fault | undefined) => {
        if (next?.code === fault?.code && next?.message === fault?.message) return
        fault = next
        if (next) log('warn', 'gateway.events-missed', { code: next.code, error: next.message })
        else log('info', 'gateway.events-followed')
        onFault()
      }
      await watchEvents({ isDoorbell, clock, report, onFault: become, whenWelcome, open: openAgain }, signal)
    },
  }
}

/** The source with its camera's own stills. Pictures are still the stream's: a key frame that was asked for may not come. */
export function withOnvif(source: MediaSource, onvif: OnvifCamera | undefined): MediaSource {
  if (onvif === undefined) return source
  return {
    ...source,
    still: onvif.still,
    requestKeyFrame(codec) {
      if (source.requestKeyFrame(codec)) return true
      onvif.requestKeyFrame()
      return false
    },
  }
}

const isJpeg = (data: Buffer): boolean => data.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))

/** The profile whose stream this is, by its address; else the first with a picture. */
async function profileOf(device: Device, streamUrl: string, signal: AbortSignal): Promise<Profile | undefined> {
  const profiles = (await device.profiles(signal)).filter(({ video }) => video !== undefined)
  for (const profile of profiles) {
    const uri = await device.streamUri(profile, signal).catch(() => undefined)
    if (uri !== undefined && pathOf(uri) === pathOf(streamUrl)) return profile
  }
  return profiles[0]
}

const pathOf = (url: string): string => url.replace(/^\w+:\/\/[^/?]*/, '')
