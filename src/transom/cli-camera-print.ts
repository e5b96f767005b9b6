/** What the commands of `transom camera` print for people. */
import type * as z from 'zod'
import { advice, eventsAdvice } from 'transom-core/errors'
import type { CameraAccess, CameraWebhooks, listedCameras, Registration } from 'transom-core/wire/registration'

/** What a key command prints is a new key of a camera that was there before. */
export function printNewKey(access: Registration | CameraAccess): string {
  return printIssued(access, 'has a new key')
}

export function printRegistered(access: Registration | CameraAccess): string {
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

export function printWebhooks({ press, motion, person }: CameraWebhooks): string {
  return `Whoever knows an address can make this happen, and nothing else. GET or POST.
  press   ${press}
  motion  ${motion}
  person  ${person}`
}

export function printCamera(camera: z.infer<typeof listedCameras>['cameras'][number]): string {
  const { cameraId, name, kind, channelName, record } = camera
  const source = 'source' in camera ? `  ${camera.source}` : ''
  const onvif = 'onvif' in camera ? `\n  events and stills by ONVIF from ${camera.onvif}` : ''
  const said = `${cameraId}  ${kind}  "${name}"${source}`
  if (!('keys' in camera)) return `${said}  channel ${channelName}`
  const { isOnline, sinceAt, fault, eventsFault, failedServers = [], reencoding, keys } = camera
  const { gateway = 'home', certificates = {} } = camera
  const reader = gateway === 'home' ? '' : `, read by ${gateway}`
  const shown = Object.entries(certificates).map(([place, print]) => `\n  certificate of ${place}: ${print}`)
  const since = sinceAt === undefined ? '' : ` since ${new Date(sinceAt).toISOString()}`
  const issued = keys.map(
    ({ accessKeyId, createdAt }) => `\n  ${accessKeyId}, made ${new Date(createdAt).toISOString()}`,
  )
  const why = fault ? `: ${fault.message}\n  ${advice[fault.code]}` : ''
  const events = eventsFault ? `\n  no events: ${eventsFault.message}\n  ${eventsAdvice[eventsFault.code]}` : ''
  const servers = failedServers.map(({ url, message }) => `\n  no address from ${url}: ${message}`)
  const cost = reencoding?.percent === undefined ? '' : `: costs about ${reencoding.percent} % of a core`
  const encoded = reencoding ? `\n  re-encoded for displays (${reencoding.of})${cost}` : ''
  const state = `${isOnline ? 'online' : 'offline'}${since}${reader}`
  const recorded =
    record === undefined ? '' : `\n  recorded ${record === 'always' ? 'always' : 'when something happens'}`
  return `${said}  ${state}${why}${recorded}${onvif}${events}${servers.join('')}${encoded}${[...shown, ...issued].join('')}`
}
