/** What the commands of `transom camera` are told: the options, and the fields of a request that they become. */
import { noStreamAddress, streamAddress } from 'transom-core/wire/source'
import { findBest } from './cli-probe.ts'
import { recordingOf, type RecordValues } from './record-options.ts'
import { UsageError, type CommonOptions, type Terminal } from './terminal.ts'

/** What a camera command may say; each is absent where it is not said. */
export interface CameraValues extends CommonOptions, RecordValues {
  readonly name?: string
  readonly url?: string
  readonly onvif?: string
  readonly user?: string
  readonly gateway?: string
  readonly camera?: true
  readonly channel?: string
  readonly owner?: string
  readonly account?: string
  readonly all?: true
  readonly room?: string
  readonly frigate?: string
  readonly manufacturer?: string
  readonly model?: string
  readonly speaker?: boolean
  readonly video?: boolean
  readonly motion?: boolean
  readonly person?: boolean
  readonly battery?: boolean
  readonly switch?: boolean
  readonly snapshots?: boolean
  readonly alexaOffer?: true
  readonly replace?: true
  readonly roll?: true
  readonly tone?: true
}

/** By ONVIF it is found again; an empty `--onvif` beside `--url` removes it. */
export async function newSourceOf(terminal: Terminal, values: CameraValues): Promise<Record<string, unknown>> {
  const { onvif, gateway } = values
  if (onvif === undefined) return sourceOf(terminal, values)
  if (onvif === '') return { ...(await sourceOf(terminal, values)), onvif: null }
  const found = await findBest(terminal, onvif, onvifUserOf(values))
  if (!values.json) terminal.out(found.text)
  return { source: found.source, onvif: found.onvif, ...(gateway !== undefined && { gateway }) }
}

export function onvifUserOf({ url, user }: CameraValues): string | undefined {
  if (url !== undefined) throw new UsageError('--onvif and --url are two ways to the same camera: give one')
  return user
}

/** The address with the user and the password in it, which is asked for where a user is named. */
export async function sourceOf(
  terminal: Terminal,
  { url, user, gateway }: CameraValues,
): Promise<{ readonly source?: string; readonly gateway?: string }> {
  if (url === undefined) {
    const given = [user === undefined ? '' : '--user', gateway === undefined ? '' : '--gateway'].filter(Boolean)
    if (given.length > 0) throw new UsageError(`${given[0]} goes with --url: give both`)
    return {}
  }
  const by = gateway !== undefined && { gateway }
  if (user === undefined) return { source: url, ...by }
  const [, scheme, rest] = (streamAddress.test(url) && /^([a-z]+:\/\/)(.*)$/is.exec(url)) || []
  if (scheme === undefined || rest === undefined) throw new UsageError(`--url ${noStreamAddress}`)
  if (/^[^/?#]*@/.test(rest)) throw new UsageError('the address names a user already: leave --user out')
  const password = await terminal.askSecret(`Password of ${user}: `)
  return { source: `${scheme}${encodeURIComponent(user)}:${encodeURIComponent(password)}@${rest}`, ...by }
}

/** What a camera is and can do, as far as it is said; null takes away. */
export function detailsOf(values: CameraValues): Record<string, unknown> {
  const {
    room,
    frigate,
    manufacturer,
    model,
    speaker,
    video,
    motion,
    person,
    battery,
    switch: lens,
    snapshots,
  } = values
  const flags = { hasMotion: motion, hasBattery: battery, hasSwitch: lens, hasSnapshots: snapshots }
  const said = {
    room: room === '' ? null : room,
    frigate: frigate === undefined ? undefined : frigateOf(frigate),
    manufacturer,
    model,
    hasSpeaker: speaker,
    hasVideo: video === true ? null : video,
    ...recordingOf(values),
    detects: person === false ? null : person && ['person'],
    ...Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, flag === false ? null : flag])),
  }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
}

/** `door:porch,steps`. */
function frigateOf(text: string) {
  const [camera, zones] = text.split(':')
  if (!camera) return null
  return { camera, ...(zones && { zones: zones.split(',') }) }
}

export function withoutNull(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}

export function refuseFixed({ owner, account, channel, camera, alexaOffer }: CameraValues): void {
  if (owner ?? account ?? channel ?? (camera || alexaOffer || undefined))
    throw new UsageError(
      'owner, channel, kind and way of offering stay as they are: remove the camera and add it again',
    )
}
