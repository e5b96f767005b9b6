/** A gateway without a bridge at its side: cameras of a file, on channels of Kinesis Video Streams. */
import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import * as z from 'zod'
import type { Clock, Log } from 'transom-core/ports'
import { faultsOf } from 'transom-core/wire/faults'
import { cameraIdShape } from 'transom-core/wire/registration'
import { noStreamAddress, seenCertificate, streamAddress } from 'transom-core/wire/source'
import { startCamera, type CameraMaster } from './camera.ts'
import { fetchIotCredentials } from './iot-credentials.ts'
import { createPictureMemory, type PictureMemory } from './picture-memory.ts'
import { createReporter, createStillPoster } from './report.ts'
import { createTrust, type Trust } from './trust.ts'

const path = z.string().min(1)

/** The file. What it holds is secret: user and password of each camera. */
const fileShape = z
  .strictObject({
    region: z.string().min(1).exactOptional(),
    /** Of a service that speaks KVS and is not AWS's; and the authority to trust there (PEM file). */
    endpoint: z.url({ protocol: /^https?$/ }).exactOptional(),
    caPath: path.exactOptional(),
    /** Without it the credentials come from where AWS's SDK looks for them: environment, shared files, SSO, instance role. */
    iot: z
      .strictObject({
        endpoint: z.string().regex(/^[a-z0-9.-]+(:\d{1,5})?$/i, 'must be a host name'),
        roleAlias: z.string().regex(/^[\w=,@-]{1,128}$/, 'must be the name of a role alias'),
        thingName: z.string().regex(/^[\w:-]{1,128}$/, 'must be the name of a thing'),
        certificatePath: path,
        privateKeyPath: path,
        caPath: path.exactOptional(),
      })
      .exactOptional(),
    /** Where presses, states and still pictures go; then each camera needs its id and its key there. */
    bridge: z
      .url({ protocol: /^https?$/ })
      .transform((url) => url.replace(/\/+$/, ''))
      .exactOptional(),
    /** Whether an rtsps camera may show another certificate than at first. */
    certificates: z.enum(['first', 'any']).default('first'),
    cameras: z
      .array(
        z.strictObject({
          channelName: cameraIdShape,
          source: z.string().refine((given) => given === 'synthetic' || streamAddress.test(given), noStreamAddress),
          /** Its ONVIF device, asked as the same user: its events go to the bridge. */
          onvif: z.url({ protocol: /^https?$/ }).exactOptional(),
          /** Whether a contact that closes is its button. */
          isDoorbell: z.boolean().default(true),
          cameraId: cameraIdShape.exactOptional(),
          cameraKey: z.string().min(1).exactOptional(),
          maxViewers: z.int().min(1).max(1_000).exactOptional(),
          /** Whether one TURN allocation is kept, for a first answer that already has a relay. */
          relayAtHand: z.boolean().exactOptional(),
        }),
      )
      .min(1)
      .max(200),
  })
  .refine(
    ({ cameras }) => new Set(cameras.map(({ channelName }) => channelName)).size === cameras.length,
    'two cameras have the same channelName',
  )
  .refine(
    ({ bridge, cameras }) => bridge === undefined || cameras.every(({ cameraKey }) => cameraKey !== undefined),
    'with bridge each camera needs its cameraKey',
  )
export type AwsGatewaySettings = z.output<typeof fileShape>

/** Reads the file. Throws an `Error` that names each bad field and quotes none of it. */
export function readAwsSettings(file: string): AwsGatewaySettings {
  const parsed = fileShape.safeParse(parse(readText(file)))
  if (!parsed.success) throw new Error(`${file}: ${faultsOf(parsed.error)}`)
  return parsed.data
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Error(`${file} cannot be read`, { cause })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser quotes what stands there, which may be a password.
    return undefined
  }
}

/** Starts a master for each camera; `pinsFile` keeps the certificates that cameras showed first. Throws an `Error`. */
export async function startGatewayOnAws(deps: {
  readonly settings: AwsGatewaySettings
  readonly pinsFile: string
  readonly region: string | undefined
  /** Keeps the latest pictures of all its cameras. */
  readonly pictures?: PictureMemory
  readonly clock: Clock
  readonly log: Log
}): Promise<{ close(): Promise<void> }> {
  const { settings, pinsFile, clock, log, pictures = createPictureMemory() } = deps
  const { endpoint, caPath, iot, bridge, certificates, cameras } = settings
  const region = settings.region ?? deps.region
  if (region === undefined) throw new Error('the region is not known: give "region" in the file, or set AWS_REGION')
  const access = {
    region,
    ...(endpoint !== undefined && { endpoint }),
    ...(caPath !== undefined && { ca: () => readText(caPath) }),
    ...(iot && { credentials: () => fetchIotCredentials(iot) }),
  }
  const trust = certificates === 'any' ? createTrust({ certificates }) : createKeptTrust(pinsFile, log)
  const masters = await Promise.all(
    cameras.map(
      ({
        channelName,
        source,
        onvif,
        isDoorbell,
        cameraId = channelName,
        cameraKey: key,
        maxViewers,
        relayAtHand: hasRelayAtHand,
      }): Promise<CameraMaster> => {
        const url =
          bridge === undefined || key === undefined ? undefined : { url: `${bridge}/cameras/${cameraId}`, key }
        return startCamera({
          access,
          channelName,
          source,
          ...(onvif !== undefined && { onvif: { address: onvif, isDoorbell } }),
          trust,
          report:
            url === undefined
              ? async () => false
              : createReporter({ url: `${url.url}/events`, key: url.key, clock, log }),
          ...(url && { leaveStill: createStillPoster({ url: `${url.url}/snapshot`, key: url.key }) }),
          ...(maxViewers !== undefined && { maxViewers }),
          ...(hasRelayAtHand !== undefined && { hasRelayAtHand }),
          pictures,
          clock,
          log,
        })
      },
    ),
  )
  return { close: async () => void (await Promise.all(masters.map((master) => master.close()))) }
}

/** Certificates that a restart keeps: one small file, replaced as a whole. Throws an `Error` when it is damaged. */
export function createKeptTrust(file: string, log: Log): Trust {
  const given = z.record(z.string(), seenCertificate.shape.fingerprint).safeParse(parse(readIfThere(file)))
  if (!given.success)
    throw new Error(`${file} is damaged: remove it to trust the certificates that the cameras show now`)
  let written: Promise<void> = Promise.resolve()
  const onFirst = () => {
    written = written.then(save).catch((error: unknown) => log('error', 'gateway.certificate-not-kept', { error }))
  }
  const trust = createTrust({ certificates: given.data, onFirst })
  async function save(): Promise<void> {
    await writeFile(`${file}.new`, `${JSON.stringify(trust.certificates(), undefined, 2)}\n`, { mode: 0o600 })
    await rename(`${file}.new`, file)
  }
  return trust
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '{}'
  }
}
