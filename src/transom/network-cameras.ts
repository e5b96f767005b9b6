/** Cameras that a gateway reads: looked for, probed, added, changed and tried, each by the gateway that reaches them. */
import { readAddress } from 'transom-gateway/rtsp/address'
import { createCameraRecords, existing } from 'transom-bridge/operator/camera-records'
import type { NetworkCameras } from 'transom-bridge/operator/registration-ports'
import { advice, BridgeError } from 'transom-core/errors'
import type { GatewayTask, TaskResult } from 'transom-core/wire/gateway'
import { streamAddress, type CameraLogin, type SourceAddress, type SourceChange } from 'transom-core/wire/source'
import { orRemoved, type RegistrationDeps } from './registrations.ts'
import { homeGateway, placeOf, unreadable, type Source } from './sources.ts'

/** A proxy before the bridge gives up after a minute as a rule. */
const probeMs = 55_000
const lookMs = 20_000

export interface NetworkCameraDeps extends RegistrationDeps {
  /** Whether cameras may show any certificate. */
  readonly hasAnyCertificate: boolean
}

/** Cameras that a gateway reads. */
export function createNetworkCameras(deps: NetworkCameraDeps): NetworkCameras {
  const { cameras, gateways, publicUrl, builtIn } = deps
  const records = createCameraRecords(cameras, publicUrl)
  const run = runnerOf(gateways.tasks)

  /** Throws where the camera is read by nobody, or by a setting. */
  async function changeable(id: string): Promise<Source> {
    await existing(cameras, id)
    const source = id === builtIn ? undefined : await gateways.sourceOf(id)
    if (source !== undefined) return source
    throw new BridgeError(
      'invalid_request',
      id === builtIn
        ? `${id} is the built-in doorbell: TRANSOM_SOURCE says what it shows`
        : `${id} connects by itself: remove it and add it again with an address`,
    )
  }
  const probeTask = (address: string, login: CameraLogin | undefined, known: Source['certificates']) => ({
    kind: 'probe' as const,
    address,
    ...(login && { login }),
    certificates: deps.hasAnyCertificate ? ('any' as const) : { ...known },
  })

  return {
    async add(camera, owner, { source: address, login, onvif, gateway }, channelName) {
      // Before anything is made.
      placeOf(address)
      const source = login === undefined ? address : compose(address, login)
      // What it can play is for its source to say.
      const described = { ...camera, road: 'viewer', hasSpeaker: false, hasSnapshots: true } as const
      const access = await records.add(described, owner, channelName)
      await orRemoved(cameras, camera.id, () => gateways.put(camera.id, { source, onvif, gateway }))
      return access
    },
    async change(id, { source, onvif, gateway }) {
      placeOf(source)
      await changeable(id)
      await gateways.put(id, { source, onvif, gateway })
    },
    async edit(id, change) {
      const before = await changeable(id)
      const source = edited(before.address, change)
      mayAskOnvif(before, change, source)
      await gateways.put(id, { source, onvif: change.onvif })
    },
    async forgetCertificates(id) {
      await existing(cameras, id)
      await gateways.forgetCertificates(id)
    },
    async trustCertificate(id, seen) {
      await existing(cameras, id)
      await gateways.trustCertificate(id, seen)
    },
    async sourceOf(id) {
      const source = await gateways.sourceOf(id)
      if (source === undefined || !isAddress(source.address)) return undefined
      const { address, gateway } = source
      const certificates = Object.entries(source.certificates).map(([place, fingerprint]) => ({ place, fingerprint }))
      const user = address === undefined ? undefined : readAddress(address).login?.user
      const place = address === undefined ? unreadable : placeOf(address)
      return { place, ...(user !== undefined && { user }), gateway, certificates }
    },

    async discover(signal) {
      const { cameras: found } = orThrow(await run(homeGateway, { kind: 'discover' }, lookMs, signal))
      return { cameras: found }
    },
    async restreams(given, signal) {
      const login = loginOf(given)
      const task = { kind: 'restreams', url: given.address, ...(login && { login }) } as const
      const { streams } = orThrow(await run(homeGateway, task, lookMs, signal))
      return { streams }
    },
    async probe(given, signal) {
      return orThrow(await run(homeGateway, probeTask(given.address, loginOf(given), {}), probeMs, signal)).probe
    },
    async tryOut(id, signal) {
      await existing(cameras, id)
      const source = await gateways.sourceOf(id)
      if (source?.address === undefined || !isAddress(source.address))
        throw new BridgeError('invalid_request', `${id} is not read from an address: there is nothing to try`)
      const task = probeTask(source.address, undefined, source.certificates)
      const result = await run(source.gateway, task, probeMs, signal)
      if (result.kind === 'probe') return result.probe
      const { fault, certificate } = result
      return { fault: { ...fault, advice: advice[fault.code] }, ...(certificate && { certificate }) }
    },
    async playTone(id, signal) {
      await existing(cameras, id)
      const source = await gateways.sourceOf(id)
      if (source === undefined) throw new BridgeError('invalid_request', `${id} connects by itself: ring it, and talk`)
      const { packets, sent } = orThrow(await run(source.gateway, { kind: 'tone', cameraId: id }, lookMs, signal))
      return { packets, sent }
    },
  }
}

/** Has a gateway do something once, and checks that the answer is one to that. */
const runnerOf =
  (tasks: RegistrationDeps['gateways']['tasks']) =>
  async <Kind extends GatewayTask['kind']>(
    gateway: string,
    task: GatewayTask & { readonly kind: Kind },
    ms: number,
    signal: AbortSignal,
  ): Promise<Extract<TaskResult, { readonly kind: Kind | 'fault' }>> => {
    const result = await tasks.run(gateway, task, ms, signal)
    if (isOf(task.kind, result)) return result
    throw new BridgeError('source_gateway', 'the gateway answered something else: it is of another version')
  }

const isOf = <Kind extends GatewayTask['kind']>(
  kind: Kind,
  result: TaskResult,
): result is Extract<TaskResult, { readonly kind: Kind | 'fault' }> => result.kind === kind || result.kind === 'fault'

function orThrow<Result extends TaskResult>(result: Result): Exclude<Result, { readonly kind: 'fault' }> {
  if (isDone(result)) return result
  throw result.kind === 'fault' ? errorOf(result.fault) : new BridgeError('internal')
}
const isDone = <Result extends TaskResult>(result: Result): result is Exclude<Result, { readonly kind: 'fault' }> =>
  result.kind !== 'fault'

/** What was asked for cannot be meant, and is no trouble of a camera. */
const errorOf = ({ code, message }: Extract<TaskResult, { kind: 'fault' }>['fault']) =>
  new BridgeError(code === 'source_invalid' ? 'invalid_request' : code, message)

/** The built-in doorbell may be a file, or nothing but a drawing. An address that cannot be unsealed is one. */
const isAddress = (address: string | undefined): boolean => address === undefined || streamAddress.test(address)

function loginOf({ user, password = '' }: SourceAddress): CameraLogin | undefined {
  return user === undefined ? undefined : { user, password }
}

function edited(before: string | undefined, { address, user, password }: SourceChange): string {
  if (before === undefined && address === undefined) throw new BridgeError('invalid_request', unreadable)
  const to = address ?? before ?? ''
  placeOf(to)
  const [old, now] = [before === undefined ? undefined : readAddress(before), readAddress(to)]
  const isSamePlace = old?.host === now.host && old.port === now.port && old.isTls === now.isTls
  const known = now.login ?? (isSamePlace ? old.login : undefined)
  if (user === null) return compose(to, undefined)
  const name = user ?? known?.user
  if (name === undefined && password !== undefined)
    throw new BridgeError('invalid_request', 'a password needs its user')
  // A password goes neither to another user nor to another place than it was given for.
  const secret = password ?? (name === known?.user ? known?.password : undefined)
  return compose(to, name === undefined ? undefined : { user: name, password: secret ?? '' })
}

/** The device is asked with the camera's password: one that is kept goes to no other host than those it was given for. */
function mayAskOnvif(before: Source, { address, onvif, password }: SourceChange, source: string): void {
  if (typeof onvif !== 'string' || readAddress(source).login === undefined) return
  if (password !== undefined || (address !== undefined && readAddress(address).login !== undefined)) return
  const known = [readAddress(source).host.toLowerCase(), ...(before.onvif === undefined ? [] : [hostOf(before.onvif)])]
  if (known.includes(hostOf(onvif))) return
  throw new BridgeError('invalid_request', 'this ONVIF device is at another host: give the password again')
}

/** As `readAddress` says it: without the brackets of IPv6. */
const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, '')

/** The settings of talk-back in its fragment are kept. */
function compose(address: string, login: CameraLogin | undefined): string {
  const [fragment = ''] = /#[\w-]+=[\w:&=-]+$/.exec(address.trim()) ?? []
  const [scheme = '', rest = ''] = readAddress(address).url.split(/(?<=^[a-z]+:\/\/)/)
  const by = login ? `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}@` : ''
  return `${scheme}${by}${rest}${fragment}`
}
