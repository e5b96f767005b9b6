/** `npm run transom`: what an operator does with the running bridge of this data directory. */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { advice } from 'transom-core/errors'
import {
  cameraAccess,
  cameraIdShape,
  listedCameras,
  registration,
  type CameraAccess,
  type Registration,
} from 'transom-core/wire/registration'
import { runGatewayCommand } from './cli-gateways.ts'
import { discover, findBest, probe } from './cli-probe.ts'
import { runKeyCommand } from './cli-keys.ts'
import { callOperator as call, findOperator } from './operator-client.ts'
import { askPassword } from 'transom-core/ask-password'

const usage = `
  npm run transom -- camera add ID --name "Front Door" [options]   register a camera: all its firmware needs, secrets once
  npm run transom -- camera add ID --url rtsp://… --user USER      a network camera, which the bridge reads itself; asks for
                                                                   the password, or reads it from stdin
  npm run transom -- camera discover                               ONVIF cameras on the networks of this machine
  npm run transom -- camera probe ADDRESS --user USER              what its streams send and displays get; ADDRESS: rtsp://…, or
                                                                   host or host:port of an ONVIF camera. Needs no bridge
  npm run transom -- camera add ID --onvif HOST --user USER        probes an ONVIF camera from this machine, and adds its best
                                                                   stream as a network camera
  npm run transom -- camera list                                   cameras, whether they are connected, their keys
  npm run transom -- camera change ID [options]                    what is said of it; its keys stay
  npm run transom -- camera key ID [--replace]                     a further access key, or a new one instead of all others;
                                                                   on AWS a new camera key instead of the one before
  npm run transom -- camera revoke ACCESS_KEY_ID                   make a key useless and end its connections
  npm run transom -- camera trust ID                               accept the certificate that a network camera shows next
  npm run transom -- camera remove ID                              the camera, its channel and its keys
  npm run transom -- key add --viewer ID…                          a key with which an app, a page or a script views these
                                                                   cameras, and does nothing else
  npm run transom -- key list                                      viewers' keys and their cameras
  npm run transom -- key remove ACCESS_KEY_ID                      make a key useless and end its connections
  npm run transom -- gateway add NAME                              a gateway on another machine; prints its key, once
  npm run transom -- gateway list                                  gateways on other machines, whether they are connected
  npm run transom -- gateway remove NAME                           make its key useless and end its connections

  ID                  1 to 256 of a-z A-Z 0-9 _ . -
  --channel NAME      its signaling channel; the id, if not given
  --url ADDRESS       where the bridge reads the camera: rtsp:// or rtsps://
  --onvif HOST        instead of --url: host, host:port or http://host:port/path of an ONVIF camera
  --user USER         its user. An address that holds user and password goes without, and is seen in the list of processes
  --gateway NAME      the gateway that reads it: home, the one with the bridge, if not given; with --url
  --name TEXT         what people call it; the id, if not given. What a viewer's key is for
  --camera            a camera without a button; otherwise it is a doorbell
  --owner LOGIN       whose camera it is (demo; on AWS it must be said)
  --account ID        the same by account id, which is all that is known of people of another server
  --room TEXT, --manufacturer TEXT, --model TEXT
  --no-speaker        it plays no sound
  --no-video          it has no picture
  --motion, --person, --battery, --switch
                      it will post such events (docs/alexa.md); the assistants offer nothing that is not said here
  --snapshots         it will leave still pictures
  --alexa-offer       its firmware knows only Alexa's way of offering
  --json              print for programs
  To change takes the same options except those of who, where and how; --room '' and --no-motion take something away.

  The bridge is the one that runs on TRANSOM_DATA (./data); if none does, that of TRANSOM_PUBLIC_URL, by its TRANSOM_OPERATOR_KEY.
`
const options = {
  name: { type: 'string' },
  url: { type: 'string' },
  onvif: { type: 'string' },
  user: { type: 'string' },
  gateway: { type: 'string' },
  camera: { type: 'boolean', default: false },
  channel: { type: 'string' },
  owner: { type: 'string' },
  account: { type: 'string' },
  room: { type: 'string' },
  manufacturer: { type: 'string' },
  model: { type: 'string' },
  speaker: { type: 'boolean' },
  video: { type: 'boolean' },
  motion: { type: 'boolean' },
  person: { type: 'boolean' },
  battery: { type: 'boolean' },
  switch: { type: 'boolean' },
  snapshots: { type: 'boolean' },
  'alexa-offer': { type: 'boolean', default: false },
  viewer: { type: 'boolean', default: false },
  replace: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** The whole of a registration comes only where the signaling is the bridge's own. */
const issuedAnswer = z.union([registration, cameraAccess])

try {
  const { values, positionals } = parseArgs({ options, allowPositionals: true, allowNegative: true })
  const [noun, verb, ...subjects] = positionals
  const [subject, ...rest] = subjects
  const needsSubject = verb !== 'list' && verb !== 'discover'
  if (values.help) {
    console.log(usage)
  } else if (noun === 'key' || noun === 'gateway') {
    await runOther(noun, verb, subjects, values)
  } else if (noun !== 'camera' || verb === undefined || rest.length > 0 || (subject !== undefined) !== needsSubject) {
    throw new Error(`this is not a command${usage}`)
  } else {
    await run(verb, subject ?? '', values)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}

async function runOther(
  noun: 'key' | 'gateway',
  verb = '',
  subjects: readonly string[],
  values: Values,
): Promise<void> {
  loadEnvFile()
  const access = await findOperator(process.env)
  const printed =
    noun === 'key'
      ? await runKeyCommand(access, verb, subjects, values)
      : await runGatewayCommand(access, verb, subjects)
  if (printed === undefined) throw new Error(`this is not a command${usage}`)
  show(values, printed.json, () => printed.text)
}

function loadEnvFile(): void {
  if (existsSync('.env')) process.loadEnvFile('.env')
}

async function run(verb: string, subject: string, values: Values): Promise<void> {
  if (verb === 'discover' || verb === 'probe') {
    const printed = verb === 'discover' ? await discover() : await probe(subject, values.user)
    return show(values, printed.json, () => printed.text)
  }
  loadEnvFile()
  const access = await findOperator(process.env)
  const id = verb === 'list' ? '' : idOf(subject)
  switch (verb) {
    case 'add': {
      const found = values.onvif === undefined ? undefined : await findBest(values.onvif, onvifUserOf(values))
      if (found && !values.json) console.log(found.text)
      const body = {
        id: subject,
        name: values.name ?? subject,
        kind: values.camera ? 'camera' : 'doorbell',
        owner: values.owner,
        account: values.account,
        channelName: values.channel,
        ...((values.url ?? values.onvif) !== undefined && { model: 'Network camera' }),
        ...found?.details,
        ...withoutNull(detailsOf(values)),
        ...(found
          ? { source: found.source, ...(values.gateway && { gateway: values.gateway }) }
          : await sourceOf(values)),
        road: values['alexa-offer'] ? 'alexa-offer' : 'viewer',
      }
      return show(values, issuedAnswer.parse(await call(access, 'POST', '/cameras', body)), printRegistered)
    }
    case 'list': {
      const { owner, account } = values
      const whose = new URLSearchParams({ ...(owner && { owner }), ...(account && { account }) })
      const { cameras } = listedCameras.parse(await call(access, 'GET', `/cameras?${whose.toString()}`))
      return show(values, cameras, (found) => found.map(printCamera).join('\n') || 'no cameras')
    }
    case 'change': {
      refuseFixed(values)
      const named = values.name !== undefined && { name: values.name }
      const change = { ...named, ...detailsOf(values), ...(await sourceOf(values)) }
      if (Object.keys(change).length === 0) throw new Error(`say what is to change${usage}`)
      await call(access, 'PATCH', `/cameras/${id}`, change)
      return show(values, { changed: subject }, () => `${subject} is changed`)
    }
    case 'key': {
      const answer = await call(access, 'POST', `/cameras/${id}/keys`, { replace: values.replace })
      return show(values, issuedAnswer.parse(answer), printNewKey)
    }
    case 'trust':
      await call(access, 'DELETE', `/cameras/${id}/certificates`)
      return show(values, { trusts: subject }, () => `${subject}: the certificate that it shows next is accepted`)
    case 'revoke':
      await call(access, 'DELETE', `/keys/${id}`)
      return show(values, { revoked: subject }, () => `${subject} is revoked`)
    case 'remove':
      await call(access, 'DELETE', `/cameras/${id}`)
      return show(values, { removed: subject }, () => `${subject} is removed`)
    default:
      throw new Error(`there is no command camera ${verb}${usage}`)
  }
}

/** Checked here, too: a path with `..` in it never leaves as it was written. */
function idOf(subject: string): string {
  const parsed = cameraIdShape.safeParse(subject)
  if (!parsed.success) throw new Error(`the id ${parsed.error.issues[0]?.message}`)
  return encodeURIComponent(parsed.data)
}

function onvifUserOf({ url, user }: Values): string | undefined {
  if (url !== undefined) throw new Error('--onvif and --url are two ways to the same camera: give one')
  return user
}

/** The address with the user and the password in it, which is asked for where a user is named. */
async function sourceOf({
  url,
  user,
  gateway,
}: Values): Promise<{ readonly source?: string; readonly gateway?: string }> {
  if (url === undefined) {
    const given = [user === undefined ? '' : '--user', gateway === undefined ? '' : '--gateway'].filter(Boolean)
    if (given.length > 0) throw new Error(`${given[0]} goes with --url: give both`)
    return {}
  }
  const by = gateway !== undefined && { gateway }
  if (user === undefined) return { source: url, ...by }
  const [, scheme, rest] = /^(rtsps?:\/\/)(.*)$/is.exec(url) ?? []
  if (scheme === undefined || rest === undefined) throw new Error('--url must be an rtsp:// or rtsps:// address')
  if (/^[^/?#]*@/.test(rest)) throw new Error('the address names a user already: leave --user out')
  const password = await askPassword(`Password of ${user}: `)
  return { source: `${scheme}${encodeURIComponent(user)}:${encodeURIComponent(password)}@${rest}`, ...by }
}

/** What a camera is and can do, as far as it is said; null takes away. */
function detailsOf(values: Values): Record<string, unknown> {
  const { room, manufacturer, model, speaker, video, motion, person, battery, switch: lens, snapshots } = values
  const flags = { hasMotion: motion, hasBattery: battery, hasSwitch: lens, hasSnapshots: snapshots }
  const said = {
    room: room === '' ? null : room,
    manufacturer,
    model,
    hasSpeaker: speaker,
    hasVideo: video === true ? null : video,
    detects: person === false ? null : person && ['person'],
    ...Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, flag === false ? null : flag])),
  }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
}

function withoutNull(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}

function refuseFixed({ owner, account, channel, camera, 'alexa-offer': alexaOffer }: Values): void {
  if (owner ?? account ?? channel ?? (camera || alexaOffer || undefined))
    throw new Error('owner, channel, kind and way of offering stay as they are: remove the camera and add it again')
}

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values']

function show<T>({ json }: Values, value: T, print: (value: T) => string): void {
  console.log(json ? JSON.stringify(value, undefined, 2) : print(value))
}

/** What a key command prints is a new key of a camera that was there before. */
function printNewKey(access: Registration | CameraAccess): string {
  return printIssued(access, 'has a new key')
}

function printRegistered(access: Registration | CameraAccess): string {
  return printIssued(access, 'is registered')
}

function printIssued(access: Registration | CameraAccess, what: string): string {
  if ('environment' in access) return printRegistration(access, what)
  return `
  ${access.cameraId} ${what}. The secret below is shown only once.

  Channel      ${access.channelName}
${printKey(access)}`
}

/** Nothing when only the access key is new. */
function printKey({ cameraKey, eventsUrl }: CameraAccess): string {
  if (cameraKey === undefined) return ''
  // An id of its own each time: the same event again would be no new one.
  const press = `curl -H 'Authorization: Bearer ${cameraKey}' -d '{"kind":"press","eventId":"'$(date +%s)'","at":'$(date +%s000)'}' ${eventsUrl}`
  return `  Camera key   ${cameraKey}\n  A press      ${press}\n`
}

function printRegistration(issued: Registration, what: string): string {
  const { channelName, channelArn, endpoint, caPath, environment, warnings } = issued
  const variables = Object.entries(environment).map(([name, value]) => `    export ${name}='${value}'`)
  return `
  ${issued.cameraId} ${what}. The secrets below are shown only once.

  Channel      ${channelName}
  ARN          ${channelArn}
  Access key   ${issued.accessKeyId}
  Secret       ${issued.secretAccessKey}
  Region       ${issued.region}
  Endpoint     ${endpoint}
  Authority    ${caPath ?? 'a public one'}
${printKey(issued)}
  AWS's C SDK (sample: kvsWebrtcClientMaster ${channelName}):
${variables.join('\n')}
${warnings.map((warning) => `\n  Mind: ${warning}.`).join('')}
`
}

function printCamera(camera: z.infer<typeof listedCameras>['cameras'][number]): string {
  const { cameraId, name, kind, channelName } = camera
  const source = 'source' in camera ? `  ${camera.source}` : ''
  const said = `${cameraId}  ${kind}  "${name}"${source}`
  if (!('keys' in camera)) return `${said}  channel ${channelName}`
  const { isOnline, sinceAt, fault, failedServers = [], reencoding, keys, gateway = 'home', certificates = {} } = camera
  const reader = gateway === 'home' ? '' : `, read by ${gateway}`
  const shown = Object.entries(certificates).map(([place, print]) => `\n  certificate of ${place}: ${print}`)
  const since = sinceAt === undefined ? '' : ` since ${new Date(sinceAt).toISOString()}`
  const issued = keys.map(
    ({ accessKeyId, createdAt }) => `\n  ${accessKeyId}, made ${new Date(createdAt).toISOString()}`,
  )
  const why = fault ? `: ${fault.message}\n  ${advice[fault.code]}` : ''
  const servers = failedServers.map(({ url, message }) => `\n  no address from ${url}: ${message}`)
  const cost = reencoding?.percent === undefined ? '' : `: costs about ${reencoding.percent} % of a core`
  const encoded = reencoding ? `\n  re-encoded for displays (${reencoding.of})${cost}` : ''
  const state = `${isOnline ? 'online' : 'offline'}${since}${reader}`
  return `${said}  ${state}${why}${servers.join('')}${encoded}${[...shown, ...issued].join('')}`
}
