/** One household of the fleet, and the environments of the functions that serve it. */
import { createHash, randomBytes } from 'node:crypto'
import { createUsers } from '../../src/bridge/oauth/people/users.ts'
import { accountId, type AccountId } from '../../src/core/ports.ts'
import type { Environment, Fleet, FunctionName, Reply } from '../../test/fleet/fleet.ts'
import type { Invocations } from './meter.ts'
import type { Linking } from './profiles.ts'

export interface Home {
  readonly account: AccountId
  readonly login: string
  readonly camera: string
  readonly linking: Linking
  readonly tokens: { readonly alexa: string; readonly google: string }
  /** Its address on the internet, of its own, because sign-ins are counted by address. */
  readonly address: string
}

/** Letters alone, so that an id never looks like a number in a series. */
const letters = (): string => [...randomBytes(16)].map((byte) => String.fromCharCode(97 + (byte % 26))).join('')

export const password = 'correct-horse-battery-staple'

interface HomeOptions {
  /** Of a person who has an account to sign in to. */
  readonly isToSignIn?: boolean
  /** KVS has not been asked yet where its channel is. */
  readonly isChannelNew?: boolean
}

/** A household with one doorbell on a channel of its own. Not measured: vendors enter people and cameras elsewhere and beforehand. */
export async function createHome(fleet: Fleet, linking: Linking, options: HomeOptions = {}): Promise<Home> {
  const name = letters()
  const login = `${name}@example.com`
  const account = options.isToSignIn
    ? await createUsers(fleet.store, Date.now).create({ login, password, name: 'Ada' })
    : accountId(`account-${name}`)
  const channelName = `channel-${name}`
  fleet.kvs.channels.add(channelName)
  await fleet.addCamera(account, `bell-${name}`, {
    channel: { channelName, road: 'viewer' },
    hasMotion: true,
    detects: ['person'],
    hasBattery: true,
  })
  if (!options.isChannelNew) await remember(fleet, channelName)
  if (linking !== 'none') await fleet.link(account, linking === 'both' ? ['alexa', 'google'] : [linking])
  const digest = createHash('sha256').update(name).digest('hex')
  return {
    account,
    login,
    camera: `bell-${name}`,
    linking,
    tokens: { alexa: await fleet.token(account, 'alexa'), google: await fleet.token(account, 'google') },
    address: `2001:db8:${digest.slice(0, 4)}:${digest.slice(4, 8)}::a`,
  }
}

/** Some environment has looked the channel up before: what the functions kept of the channel `door` is kept of this one, too. */
async function remember(fleet: Fleet, channelName: string): Promise<void> {
  const channels = fleet.store.collection<unknown>('kvs-channel')
  const known = await channels.get('door')
  if (known === undefined) return
  const copy: unknown = JSON.parse(JSON.stringify(known.value).replaceAll('/door/', `/${channelName}/`))
  await channels.put(channelName, copy)
}

/** Where events go to: it counts what it invokes. */
export interface Service {
  invoke(name: FunctionName, event: object): Promise<Reply>
  /** What has been invoked since the last time. */
  made(): Invocations
  close(): Promise<void>
}

/** A service with one warm environment of each function; `isCold` says of each invocation that it gets a new one. */
export function createService(fleet: Fleet, isCold: () => boolean): Service {
  const warm = new Map<FunctionName, Environment>()
  let counted = { invocations: 0, coldStarts: 0, apiRequests: 0 }

  return {
    async invoke(name, event) {
      const cold = isCold()
      const environment = cold ? fleet.environment(name) : (warm.get(name) ?? fleet.environment(name))
      if (!cold) warm.set(name, environment)
      counted = {
        invocations: counted.invocations + 1,
        coldStarts: counted.coldStarts + Number(cold),
        apiRequests: counted.apiRequests + Number(name === 'http'),
      }
      const reply = await environment.invoke(event)
      if (cold) await environment.end()
      if (reply?.error !== undefined) throw new Error(`${name} failed: ${reply.error}`)
      return reply
    },
    made() {
      const made = counted
      counted = { invocations: 0, coldStarts: 0, apiRequests: 0 }
      return made
    },
    async close() {
      await Promise.all([...warm.values()].map(async (environment) => environment.end()))
    },
  }
}
