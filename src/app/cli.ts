/** `npm run transom`: what an operator does with the running bridge of this data directory. */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { registeredCameras, registration, type Registration, type RegisteredCamera } from '../wire/registration.ts'
import { callOperator as call, findBridge } from './operator-client.ts'

const usage = `
  npm run transom -- camera add ID --name "Front Door" [options]   register a camera: all its firmware needs, secrets once
  npm run transom -- camera list                                   cameras, whether they are connected, their keys
  npm run transom -- camera key ID [--replace]                     a further access key, or a new one instead of all others
  npm run transom -- camera revoke ACCESS_KEY_ID                   make a key useless and end its connections
  npm run transom -- camera remove ID                              the camera, its channel and its keys

  ID                  1 to 256 of a-z A-Z 0-9 _ . - ; also the name of the signaling channel
  --name TEXT         what people call it; the id, if not given
  --camera            a camera without a button; otherwise it is a doorbell
  --owner LOGIN       whose camera it is (demo)
  --room TEXT, --manufacturer TEXT, --model TEXT
  --no-speaker        it plays no sound
  --no-video          it has no picture
  --motion, --person, --battery, --switch
                      it will post such events (docs/alexa.md); the assistants offer nothing that is not said here
  --snapshots         it will leave still pictures
  --alexa-offer       its firmware knows only Alexa's way of offering
  --json              print for programs
  TRANSOM_DATA        the data directory of the bridge (./data)
`
const options = {
  name: { type: 'string' },
  camera: { type: 'boolean', default: false },
  owner: { type: 'string' },
  room: { type: 'string' },
  manufacturer: { type: 'string' },
  model: { type: 'string' },
  'no-speaker': { type: 'boolean', default: false },
  'no-video': { type: 'boolean', default: false },
  motion: { type: 'boolean', default: false },
  person: { type: 'boolean', default: false },
  battery: { type: 'boolean', default: false },
  switch: { type: 'boolean', default: false },
  snapshots: { type: 'boolean', default: false },
  'alexa-offer': { type: 'boolean', default: false },
  replace: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

try {
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const [noun, verb, subject, ...rest] = positionals
  const needsSubject = verb !== 'list'
  if (values.help) {
    console.log(usage)
  } else if (noun !== 'camera' || verb === undefined || rest.length > 0 || (subject !== undefined) !== needsSubject) {
    throw new Error(`this is not a command${usage}`)
  } else {
    await run(verb, subject ?? '', values)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}

async function run(verb: string, subject: string, values: Values): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env')
  const access = await findBridge(process.env)
  const id = encodeURIComponent(subject)
  switch (verb) {
    case 'add': {
      const body = {
        id: subject,
        name: values.name ?? subject,
        kind: values.camera ? 'camera' : 'doorbell',
        owner: values.owner,
        room: values.room,
        manufacturer: values.manufacturer,
        model: values.model,
        hasSpeaker: !values['no-speaker'],
        ...(values['no-video'] && { hasVideo: false }),
        ...(values.motion && { hasMotion: true }),
        ...(values.person && { detects: ['person'] }),
        ...(values.battery && { hasBattery: true }),
        ...(values.switch && { hasSwitch: true }),
        ...(values.snapshots && { hasSnapshots: true }),
        road: values['alexa-offer'] ? 'alexa-offer' : 'viewer',
      }
      return show(values, registration.parse(await call(access, 'POST', '/cameras', body)), printRegistration)
    }
    case 'list': {
      const owner = values.owner === undefined ? '' : `?owner=${encodeURIComponent(values.owner)}`
      const { cameras } = registeredCameras.parse(await call(access, 'GET', `/cameras${owner}`))
      return show(values, cameras, (found) => found.map(printCamera).join('\n') || 'no cameras')
    }
    case 'key': {
      const issued = await call(access, 'POST', `/cameras/${id}/keys`, { replace: values.replace })
      return show(values, registration.parse(issued), printRegistration)
    }
    case 'revoke':
      await call(access, 'DELETE', `/keys/${id}`)
      return show(values, { revoked: subject }, () => `${subject} opens nothing any more`)
    case 'remove':
      await call(access, 'DELETE', `/cameras/${id}`)
      return show(values, { removed: subject }, () => `${subject} is removed`)
    default:
      throw new Error(`there is no command camera ${verb}${usage}`)
  }
}

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values']

function show<T>({ json }: Values, value: T, print: (value: T) => string): void {
  console.log(json ? JSON.stringify(value, undefined, 2) : print(value))
}

function printRegistration(issued: Registration): string {
  const { channelName, channelArn, endpoint, caPath, cameraKey, eventsUrl, environment, warnings } = issued
  const variables = Object.entries(environment).map(([name, value]) => `    export ${name}='${value}'`)
  // An id of its own each time: the same event again would be no new one.
  const press = `curl -H 'Authorization: Bearer ${cameraKey}' -d '{"kind":"press","eventId":"'$(date +%s)'","at":'$(date +%s000)'}' ${eventsUrl}`
  return `
  ${issued.cameraId} is registered. The secrets below are shown this once.

  Channel      ${channelName}
  ARN          ${channelArn}
  Access key   ${issued.accessKeyId}
  Secret       ${issued.secretAccessKey}
  Region       ${issued.region}
  Endpoint     ${endpoint}
  Authority    ${caPath ?? 'a public one'}
${cameraKey === undefined ? '' : `  Camera key   ${cameraKey}\n  A press      ${press}\n`}
  AWS's C SDK (sample: kvsWebrtcClientMaster ${channelName}):
${variables.join('\n')}
${warnings.map((warning) => `\n  Mind: ${warning}.`).join('')}
`
}

function printCamera({ cameraId, name, kind, isOnline, sinceAt, keys }: RegisteredCamera): string {
  const since = sinceAt > 0 ? ` since ${new Date(sinceAt).toISOString()}` : ''
  const issued = keys.map(
    ({ accessKeyId, createdAt }) => `\n  ${accessKeyId}, made ${new Date(createdAt).toISOString()}`,
  )
  return `${cameraId}  ${kind}  "${name}"  ${isOnline ? 'online' : 'offline'}${since}${issued.join('')}`
}
