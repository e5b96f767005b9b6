/**
 * Which access tokens are believed, read from the store alone: a process that only takes tokens needs no authorization
 * server, and one that issues them shares this with it.
 */
import type { JWK } from 'jose'
import type { ClientKind, Clock, Log, Store, VerifyToken } from 'transom-core/ports'
import { consoleClient, type OAuthClient } from '../client.ts'
import { createClients, type Registry } from './clients.ts'
import { createEnded, type Ended } from './ended.ts'
import { createKeyring, publicPart, withKeyId, type Keyring, type SigningKey } from './keyring.ts'
import { createLinkUses, type LinkUses } from './link-uses.ts'
import { createLookout } from './lookout.ts'
import { createTokenReader, type TokenReader } from './tokens.ts'

export interface TrustOptions {
  /** As in `OAuthOptions`, and so are the others. */
  readonly issuer: string
  readonly store: Store
  readonly clients: readonly OAuthClient[]
  readonly signingKeys: readonly JWK[]
  readonly sealingKey?: string
  readonly consoleUri?: string
  readonly clock: Clock
  readonly log: Log
}

export interface Trust {
  readonly verifyToken: VerifyToken
  /** What a client is, for tokens of several clients of one assistant; `undefined` for an unknown one. */
  kindOf(clientId: string): Promise<ClientKind | undefined>
  readonly registry: Registry
  readonly ended: Ended
  readonly keyring: Keyring
  readonly uses: LinkUses
  /** Reads tokens with the keys of now. */
  reader(): TokenReader
  /** Looks at what other processes have changed, when it is time to. */
  glance(): Promise<void>
}

/** A client keeps its kind; only one that is removed and added anew may change it. */
const kindKnownMs = 60_000

/** `onKeys`: there are other signing keys, private ones; called before a token is read by them. */
export function createTrust(options: TrustOptions, onKeys: (keys: readonly SigningKey[]) => void = () => {}): Trust {
  const { issuer, store, sealingKey, clock, log } = options
  const audience = new URL(issuer).origin
  const registry = createClients(store, options.clients, clock, options.consoleUri)
  const ended = createEnded(store, clock)
  const keyring = createKeyring({ store, configured: options.signingKeys, sealingKey, clock })
  const uses = createLinkUses({ store, clock, log })
  const kinds = new Map<string, { readonly kind: ClientKind | undefined; readonly until: number }>()
  let current = build(options.signingKeys.map(withKeyId))
  const lookout = createLookout(async () => {
    await Promise.all([lookForEnded(), lookForKeys()])
  }, clock)

  return {
    async verifyToken(token) {
      await lookout.glance()
      return current.reader.verify(token)
    },
    async kindOf(clientId) {
      const known = kinds.get(clientId)
      if (known !== undefined && known.until > clock()) return known.kind
      const kind = (await registry.find(clientId))?.assistant
      kinds.set(clientId, { kind, until: clock() + kindKnownMs })
      return kind
    },
    registry,
    ended,
    keyring,
    uses,
    reader: () => current.reader,
    glance: lookout.glance,
  }

  function build(keys: readonly SigningKey[]) {
    const rules = { issuer, audience, keys: keys.map(publicPart) }
    const events = {
      hasEnded: ended.has,
      mayLackKeys: () => sealingKey !== undefined && !lookout.isCurrent(),
      // Who looks at our own page uses no link.
      onUse: (grantId: string, clientId: string) => {
        if (clientId !== consoleClient) uses.note(grantId)
      },
    }
    return { kids: kidsOf(keys), reader: createTokenReader(store, rules, events, clock) }
  }

  async function lookForEnded(): Promise<void> {
    try {
      await ended.look()
    } catch (error) {
      log('error', 'oauth.ended-unread', { error })
      throw error
    }
  }

  /** Trouble leaves things as they are. */
  async function lookForKeys(): Promise<void> {
    if (sealingKey === undefined) return
    try {
      const keys = await keyring.current()
      if (kidsOf(keys) === current.kids) return
      onKeys(keys)
      current = build(keys)
      log('info', 'oauth.keys', { signs: keys[0]?.kid, known: keys.length })
    } catch (error) {
      log('error', 'oauth.keys-unread', { error })
      throw error
    }
  }
}

const kidsOf = (keys: readonly SigningKey[]): string => keys.map(({ kid }) => kid).join(' ')
