/** `transom camera …`: cameras of the running bridge. */
import type { Command } from 'commander'
import * as z from 'zod'
import {
  cameraAccess,
  cameraIdShape,
  cameraWebhooks,
  listedCameras,
  registration,
} from 'transom-core/wire/registration'
import { printCamera, printNewKey, printRegistered, printWebhooks } from './cli-camera-print.ts'
import {
  detailsOf,
  newSourceOf,
  onvifUserOf,
  refuseFixed,
  sourceOf,
  withoutNull,
  type CameraValues,
} from './cli-camera-values.ts'
import { importCameras, type ImportValues } from './cli-import.ts'
import { discover, discoverRestreams, findBest, probe } from './cli-probe.ts'
import { tryCamera, tryTone } from './cli-try.ts'
import { callOperator as call } from './operator-client.ts'
import { recordOptions } from './record-options.ts'
import { Failed, leaf, show, UsageError, type Printed, type Terminal } from './terminal.ts'

/** The whole of a registration comes only where the signaling is the bridge's own. */
const issuedAnswer = z.union([registration, cameraAccess])

/** Adds these commands. */
export function addCameraCommands(program: Command, terminal: Terminal): void {
  const camera = program
    .command('camera')
    .description('cameras of this bridge')
    .addHelpText(
      'after',
      `
Examples:
  transom camera discover                                      finds ONVIF cameras in this network
  transom camera discover http://nas:1984                      lists the streams of go2rtc or Frigate
  transom camera probe 192.168.1.20 --user admin               what its streams send, and what displays get
  transom camera add porch --onvif 192.168.1.20 --user admin   adds its best stream; asks for the password
  transom camera add porch --url rtsp://192.168.1.20/main --user admin
  transom camera add gate --url rtsp://192.168.1.21/main --record always
  transom camera add door --name "Front Door"                  firmware with KVS: prints all that it needs, secrets once
  transom camera import cameras.ndjson > refused.ndjson        {"id":"porch","name":"Porch","owner":"ada"} on each line
  transom camera list
  transom camera list --all --json > cameras.ndjson            of every account, one on each line
  transom camera try porch                                     plays the streams of a camera that is added
  transom camera change porch --room Garden --no-motion
  transom camera change porch --record events                  keeps what happens there: transom recordings --help`,
    )
  const act = (verb: string) => async (subject: string, values: CameraValues) =>
    show(terminal, values, await run(terminal, verb, subject, values))
  leaf(
    camera,
    'discover [base-url]',
    'find ONVIF cameras in the networks of this machine, or list the streams of go2rtc or Frigate; needs no bridge',
  )
    .option('--user <user>', 'its user at go2rtc or Frigate; asks for the password')
    .action((base: string | undefined, values: CameraValues) => act('discover')(base ?? '', values))
  leaf(camera, 'probe <address>', 'measure what a camera sends; needs no bridge. rtsp://…, or host[:port] with ONVIF')
    .option('--user <user>', 'its user; asks for the password')
    .action(act('probe'))
  leaf(camera, 'try <id>', 'play the streams of a network camera as it is saved; exit status 1: no picture')
    .option('--tone', 'play a tone at its loudspeaker instead; exit status 1: it accepted nothing')
    .action(async (subject: string, values: CameraValues) => {
      const id = idOf(subject)
      const access = await terminal.operator()
      const tried = await (values.tone ? tryTone(access, id) : tryCamera(access, id))
      show(terminal, values, tried)
      if (!tried.hasWorked) throw new Failed()
    })
  const add = leaf(camera, 'add <id>', 'add a camera; id: 1 to 256 of a-z A-Z 0-9 _ . -')
  addDescription(addSource(add))
  for (const option of [...recordOptions(), ...fixedOptions(add)]) add.addOption(option)
  add.action(act('add'))
  leaf(camera, 'import <file>', 'create or change the cameras of a file, one JSON object a line; -: standard input')
    .option('--from <line>', 'go on from this line (default: 1)')
    .option('--dry-run', 'only say what would be done')
    .option('--keys', 'print what the firmware of created cameras needs, too; its secrets are shown only once')
    .action(async (file: string, values: ImportValues) => importCameras(terminal, file, values))
  leaf(camera, 'list', 'cameras, whether they are connected, their keys')
    .option('--owner <login>', 'whose cameras')
    .option('--account <id>', 'whose cameras, by account id')
    .option('--all', 'those of all accounts; with --json one a line')
    .action(async (values: CameraValues) => (values.all ? listAll(terminal, values) : act('list')('', values)))
  const change = leaf(camera, 'change <id>', "change a camera; its keys persist. --room '' and --no-motion remove")
  addDescription(addSource(change))
  for (const option of recordOptions()) change.addOption(option)
  // Known, so that what is said of them is why they cannot be changed.
  for (const option of fixedOptions(change)) change.addOption(option.hideHelp())
  change.action(act('change'))
  leaf(camera, 'key <id>', 'make a further access key; on AWS a new camera key instead of the one before')
    .option('--replace', 'instead of all others, which no longer work')
    .action(act('key'))
  leaf(camera, 'webhook <id>', 'print the addresses that a button or sensor may call; each is a secret')
    .option('--roll', 'make others: those of before no longer work')
    .action(act('webhook'))
  leaf(camera, 'revoke <access-key-id>', 'revoke a key and end its connections').action(act('revoke'))
  leaf(camera, 'trust <id>', 'accept the certificate that a network camera shows next').action(act('trust'))
  leaf(camera, 'remove <id>', 'remove a camera with its channel and its keys').action(act('remove'))
}

function addSource(command: Command): Command {
  return command
    .option('--url <address>', 'where the bridge reads it: rtsp://, rtsps://, whep:// or wheps://')
    .option(
      '--onvif <host>',
      'instead of --url: host, host:port or http(s)://host/path of an ONVIF camera; its events, too',
    )
    .option('--user <user>', 'its user; asks for the password. In the address both would be seen in the process list')
    .option('--gateway <name>', 'the gateway that reads it (default: the one with the bridge)')
}

function addDescription(command: Command): Command {
  command
    .option('--name <text>', 'what people call it (default: the id)')
    .option('--room <text>', 'where it is')
    .option('--manufacturer <text>')
    .option('--model <text>')
    .option('--frigate <name>', 'what Frigate calls it (default: the id); with zones that count: door:porch,steps')
  const flags = {
    speaker: 'plays sound',
    video: 'has a picture',
    motion: 'reports motion',
    person: 'reports persons',
    battery: 'reports its battery',
    switch: 'reports whether its lens is on',
    snapshots: 'sends still pictures',
  }
  for (const [name, what] of Object.entries(flags)) command.option(`--${name}`, what).option(`--no-${name}`)
  return command
}

/** What cannot be changed later. */
const fixedOptions = (command: Command) => [
  command.createOption('--camera', 'a camera without a button (default: a doorbell)'),
  command.createOption('--channel <name>', 'its signaling channel (default: the id)'),
  command.createOption('--owner <login>', 'whose camera it is (default: demo; required on AWS)'),
  command.createOption('--account <id>', 'the same by account id, for people of another authorization server'),
  command.createOption('--alexa-offer', "its firmware knows only Alexa's way of offering"),
]

async function run(terminal: Terminal, verb: string, subject: string, values: CameraValues): Promise<Printed> {
  if (verb === 'probe') return probe(terminal, subject, values.user)
  if (verb === 'discover' && subject !== '') return discoverRestreams(terminal, subject, values.user)
  if (verb === 'discover') {
    if (values.user !== undefined) throw new UsageError('--user goes with the base URL of go2rtc or Frigate')
    return discover()
  }
  const access = await terminal.operator()
  const id = verb === 'list' ? '' : idOf(subject)
  switch (verb) {
    case 'add': {
      const found = values.onvif === undefined ? undefined : await findBest(terminal, values.onvif, onvifUserOf(values))
      if (found && !values.json) terminal.out(found.text)
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
          ? { source: found.source, onvif: found.onvif, ...(values.gateway && { gateway: values.gateway }) }
          : await sourceOf(terminal, values)),
        road: values.alexaOffer ? 'alexa-offer' : 'viewer',
      }
      return printed(issuedAnswer.parse(await call(access, 'POST', '/cameras', body)), printRegistered)
    }
    case 'list': {
      const { owner, account } = values
      const whose = new URLSearchParams({ ...(owner && { owner }), ...(account && { account }) })
      const { cameras } = listedCameras.parse(await call(access, 'GET', `/cameras?${whose.toString()}`))
      return printed(cameras, (found) => found.map(printCamera).join('\n') || 'no cameras')
    }
    case 'change': {
      refuseFixed(values)
      const named = values.name !== undefined && { name: values.name }
      const change = { ...named, ...detailsOf(values), ...(await newSourceOf(terminal, values)) }
      if (Object.keys(change).length === 0) throw new UsageError('say what is to change')
      await call(access, 'PATCH', `/cameras/${id}`, change)
      return printed({ changed: subject }, () => `${subject} is changed`)
    }
    case 'key': {
      const answer = await call(access, 'POST', `/cameras/${id}/keys`, { replace: values.replace })
      return printed(issuedAnswer.parse(answer), printNewKey)
    }
    case 'webhook': {
      const answer = await call(access, values.roll ? 'POST' : 'GET', `/cameras/${id}/webhooks`)
      return printed(cameraWebhooks.parse(answer), printWebhooks)
    }
    case 'trust':
      await call(access, 'DELETE', `/cameras/${id}/certificates`)
      return printed({ trusts: subject }, () => `${subject}: the certificate that it shows next is accepted`)
    case 'revoke':
      await call(access, 'DELETE', `/keys/${id}`)
      return printed({ revoked: subject }, () => `${subject} is revoked`)
    case 'remove':
      await call(access, 'DELETE', `/cameras/${id}`)
      return printed({ removed: subject }, () => `${subject} is removed`)
    default:
      throw new UsageError(`there is no command camera ${verb}`)
  }
}

/** Page by page, as they are read: a fleet does not fit into one answer. */
async function listAll(terminal: Terminal, { owner, account, json }: CameraValues): Promise<void> {
  if ((owner ?? account) !== undefined) throw new UsageError('--all goes without --owner and --account')
  const access = await terminal.operator()
  let [found, next]: [number, string | undefined] = [0, undefined]
  do {
    const query = new URLSearchParams({ all: 'true', ...(next !== undefined && { cursor: next }) })
    const { cameras, cursor } = listedCameras.parse(await call(access, 'GET', `/cameras?${query.toString()}`))
    for (const camera of cameras) terminal.out(json ? JSON.stringify(camera) : printCamera(camera))
    found += cameras.length
    next = cursor
  } while (next !== undefined)
  if (found === 0 && !json) terminal.out('no cameras')
}

/** Checked here, too: a path with `..` in it never leaves as it was written. */
function idOf(subject: string): string {
  const parsed = cameraIdShape.safeParse(subject)
  if (!parsed.success) throw new UsageError(`the id ${parsed.error.issues[0]?.message}`)
  return encodeURIComponent(parsed.data)
}

const printed = <T>(json: T, print: (value: T) => string): Printed => ({ json, text: print(json) })
