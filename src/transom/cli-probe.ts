/** The commands that look for cameras and into them from this machine, without any bridge: `camera discover`, `camera probe`. */
import { advice, isSourceFault, type SourceFault } from 'transom-core/errors'
import { discoverCameras } from 'transom-gateway/onvif/discovery'
import { probeCamera } from 'transom-gateway/probe'
import { listRestreams } from 'transom-gateway/restreams'
import type { SourceProbe, StreamProbe } from 'transom-core/wire/source'
import { UsageError, type Printed, type Terminal } from './terminal.ts'

/** Eight streams, each measured for a dozen seconds at most. */
const probeMs = 180_000
/** The sign-in and three requests, each answered within eight seconds. */
const restreamsMs = 40_000

/** Lists the ONVIF cameras on the networks of this machine. */
export async function discover(): Promise<Printed> {
  const cameras = await discoverCameras(AbortSignal.timeout(30_000))
  const lines = cameras.map(({ address, name, hardware }) => [address, name, hardware].filter(Boolean).join('  '))
  const none =
    'No camera answered. Switch ONVIF on in its settings, and run this on a machine in the same network: Wi-Fi guest networks and VLANs do not pass such questions on.'
  const next = '\nNext: transom camera probe ADDRESS --user USER'
  return { json: { cameras }, text: cameras.length === 0 ? none : [...lines, next].join('\n') }
}

/**
 * Lists the streams that go2rtc or Frigate restreams by RTSP, by its base URL, as this user, whose password is asked for.
 * Throws `UsageError` for what is no base URL, else an `Error` that says what to do.
 */
export async function discoverRestreams(terminal: Terminal, base: string, user: string | undefined): Promise<Printed> {
  const login = await loginOf(terminal, user)
  const { streams } = await listRestreams(base, login, AbortSignal.timeout(restreamsMs)).catch((error: unknown) => {
    const code = faultCodeOf(error)
    if (!(error instanceof Error) || code === undefined) throw error
    if (code === 'source_invalid') throw new UsageError(`${error.message}; its user with --user`, { cause: error })
    throw new Error(`${error.message}\n${restreamAdvice(code, user)}`, { cause: error })
  })
  const lines = streams.map(({ name, address }) => `${printable(name)}  ${address}`)
  const none = 'It has no streams: add your cameras to the streams of go2rtc, which Frigate has in its settings, too.'
  const next = '\nNext: transom camera probe ADDRESS, then transom camera add NAME --url ADDRESS'
  return { json: { streams }, text: streams.length === 0 ? none : [...lines, next].join('\n') }
}

function restreamAdvice(code: SourceFault, user: string | undefined): string {
  if (code === 'source_password' && user === undefined) return 'Name the user with --user; the password is asked for.'
  if (code === 'source_password') return 'Check the user and the password.'
  return 'Check that it runs, and its base URL: http://host:1984 of go2rtc, http://host:5000 of Frigate.'
}

/** A name that another program gives could hold what moves the cursor. */
const printable = (text: string): string => text.replace(/\p{C}/gu, '')

/** Probes what is at the address, as this user, whose password is asked for. Throws an `Error` that says what to do. */
export async function probe(terminal: Terminal, address: string, user: string | undefined): Promise<Printed> {
  const found = await probed(terminal, address, user)
  return { json: found.probe, text: printProbe(found.probe) }
}

/** What `camera add --onvif` registers: the address of the best stream, with the password in it, and what the device says of itself. */
export async function findBest(terminal: Terminal, address: string, user: string | undefined) {
  const { probe: found, login } = await probed(terminal, address, user)
  const { best, information, device, events } = found
  if (best === undefined) throw new Error(`${printProbe(found)}\n\nNo stream of this camera can be shown.`)
  const userInfo = login && `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}@`
  const { manufacturer, model, firmwareVersion, serialNumber } = information
  const said = { manufacturer, model, firmwareVersion, serialNumber }
  const noticed = {
    ...(events.includes('motion') && { hasMotion: true }),
    ...(events.includes('person') && { detects: ['person'] }),
  }
  return {
    onvif: device,
    source: best.url.replace('://', `://${userInfo ?? ''}`),
    details: { ...Object.fromEntries(Object.entries(said).filter(([, text]) => text !== undefined)), ...noticed },
    text: printProbe(found),
  }
}

async function probed(terminal: Terminal, address: string, user: string | undefined) {
  const login = await loginOf(terminal, user)
  try {
    return { probe: await probeCamera(address, login, AbortSignal.timeout(probeMs)), login }
  } catch (error) {
    const code = faultCodeOf(error)
    if (!(error instanceof Error) || code === undefined) throw error
    throw new Error(`${error.message}\n${advice[code]}`, { cause: error })
  }
}

async function loginOf({ askSecret }: Terminal, user: string | undefined) {
  return user === undefined ? undefined : { user, password: await askSecret(`Password of ${user}: `) }
}

/** What is wrong at the camera, where that is what was thrown. */
function faultCodeOf(error: unknown): SourceFault | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return isSourceFault(code) ? code : undefined
}

/** The probe on one screen. */
export function printProbe({ information, streams, best, events, hasStills }: SourceProbe): string {
  const { manufacturer, model, firmwareVersion } = information
  const device = [manufacturer, model, firmwareVersion && `firmware ${firmwareVersion}`].filter(Boolean).join(' ')
  const rest = [
    events.length > 0 && `Events: ${events.join(', ')}`,
    hasStills && 'Still pictures: yes',
    best !== undefined && streams.length > 1 && `Best for displays: ${best.name ?? best.url}`,
  ].filter((line) => line !== false)
  return [
    ...(device === '' ? [] : [device]),
    ...streams.flatMap((stream) => printStream(stream, stream.url === best?.url)),
    ...rest,
  ].join('\n')
}

function printStream(stream: StreamProbe, isBest: boolean): readonly string[] {
  const { url, name, codec, width, height, fps, keyFrameMs, sound, hasBackChannel, fault, displays, advice } = stream
  const title = `${isBest ? '*' : ' '} ${name === undefined ? '' : `${name}  `}${url}`
  if (fault !== undefined || codec === undefined) return [title, `    ${displays}`]
  const picture = [
    codec,
    width !== undefined && `${width}x${height}`,
    fps !== undefined && `${fps} pictures a second`,
    keyFrameMs !== undefined && `key frame each ${(keyFrameMs / 1_000).toFixed(1)} s`,
    `sound ${sound ?? 'none'}`,
    `talk-back ${hasBackChannel ? 'yes' : 'no'}`,
  ]
  return [title, ...[picture.filter(Boolean).join(', '), displays, ...advice].map((line) => `    ${line}`)]
}
