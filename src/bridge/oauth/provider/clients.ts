/** Which clients there are: those of the configuration and those an operator added, their secrets kept as hashes only. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { BridgeError } from 'transom-core/errors'
import type { ClientKind, Clock, Collection, Store, Stored } from 'transom-core/ports'
import { assistantNames, clientFacts, consoleClient, type OAuthClient } from '../client.ts'
import { faultsOf } from 'transom-core/wire/faults'

export interface Client {
  readonly clientId: string
  readonly assistant: ClientKind
  readonly redirectUris: readonly string[]
  readonly tenant?: string
  readonly name?: string
}

/** As kept: the newest secret first; one that was rotated out is still taken until `until`. No secret: a public client. */
export interface Registration extends Client {
  readonly secrets: readonly { readonly hash: string; readonly until?: number }[]
  /** False for a client of the configuration, which is changed there. */
  readonly isStored: boolean
  /** It is being removed: nobody finds it any more, and its links are being ended. */
  readonly isLeaving?: true
}

export interface NewClient extends Omit<Client, 'clientId' | 'assistant'> {
  readonly assistant: OAuthClient['assistant']
  /** Made up when not given. */
  readonly clientId?: string
  /** True for an app that cannot keep a secret; only for the kind `other`. */
  readonly isPublic?: boolean
}

/** The records alone; what follows from a removal is `server.ts`'s to do. */
export interface Registry {
  find(clientId: string): Promise<Registration | undefined>
  list(): Promise<readonly Client[]>
  /** Returns the secret, which is shown this once; none for a public client. Throws `BridgeError` `invalid_request`. */
  add(client: NewClient): Promise<{ readonly clientId: string; readonly clientSecret?: string }>
  /** A new secret; the old one is taken for `overlapMs` more (a day by default), so that the console can be changed. */
  rotate(clientId: string, overlapMs?: number): Promise<{ readonly clientSecret: string }>
  /**
   * From now on nobody finds it. Returns what it was, for whoever ends its links. May be called again until `forget`.
   * Throws `BridgeError` `invalid_request` for a client that is not in the store.
   */
  retire(clientId: string): Promise<Registration>
  /** Its id is free again. */
  forget(clientId: string): Promise<void>
}

export interface Clients extends Omit<Registry, 'retire' | 'forget'> {
  /** Removes a client with its links: their tokens stop within a minute. What fails half-way goes on when it is called again. */
  remove(clientId: string): Promise<void>
}

/** All registrations are one group, to be listed. */
const group = 'clients'
const realKnownMs = 30_000
const dayMs = 24 * 3_600_000

type ClientRecord = Omit<Registration, 'isStored'>

/** `consoleUri`: where our own page is, if there is one. */
export function createClients(
  store: Store,
  configured: readonly OAuthClient[],
  clock: Clock,
  consoleUri?: string,
): Registry {
  const records = store.collection<ClientRecord>('oauth-client')
  const fixed = new Map(configured.map((client) => [client.clientId, fromConfiguration(client)]))
  if (consoleUri !== undefined) fixed.set(consoleClient, consoleAt(consoleUri))
  const placeholders = createPlaceholders(configured, records, clock)

  async function changeable(clientId: string) {
    if (fixed.has(clientId)) throw new BridgeError('invalid_request', 'this client stands in the configuration')
    const stored = clientId === '' || clientId.length > 100 ? undefined : await records.get(clientId)
    if (stored === undefined) throw new BridgeError('invalid_request', 'no such client')
    return stored
  }

  async function changeAt({ id, version }: Stored<ClientRecord>, value: ClientRecord): Promise<void> {
    if ((await records.put(id, value, { group, onlyIf: { version } })) === undefined)
      throw new BridgeError('invalid_request', 'the client was changed meanwhile; try again')
  }

  return {
    async find(clientId) {
      const known = fixed.get(clientId)
      if (known !== undefined && (await placeholders.isReplaced(known))) return undefined
      if (known !== undefined || clientId === '' || clientId.length > 100 || !clientId.isWellFormed()) return known
      const stored = await records.get(clientId)
      return stored === undefined || stored.value.isLeaving ? undefined : { ...stored.value, isStored: true }
    },
    async list() {
      const stored = await storedClients(records)
      const present = placeholders.without([...fixed.values()], stored)
      return [...present.map(({ secrets: _secrets, isStored: _isStored, ...client }) => client), ...stored]
    },
    async add({ isPublic = false, ...input }) {
      const clientId = input.clientId ?? `${input.assistant}-${randomBytes(6).toString('hex')}`
      const facts = factsOf({ ...input, clientId }, isPublic)
      const clientSecret = isPublic ? undefined : newSecret()
      const secrets = clientSecret === undefined ? [] : [{ hash: hashSecret(clientSecret) }]
      const written = fixed.has(clientId)
        ? undefined
        : await records.put(clientId, { ...facts, secrets }, { onlyIf: 'absent', group })
      if (written === undefined) throw new BridgeError('invalid_request', 'this client id is taken')
      placeholders.forget()
      return clientSecret === undefined ? { clientId } : { clientId, clientSecret }
    },
    async rotate(clientId, overlapMs = dayMs) {
      const stored = await changeable(clientId)
      if (stored.value.isLeaving) throw new BridgeError('invalid_request', 'no such client')
      const [current] = stored.value.secrets
      if (current === undefined) throw new BridgeError('invalid_request', 'a public client has no secret')
      const clientSecret = newSecret()
      const secrets = [{ hash: hashSecret(clientSecret) }, { hash: current.hash, until: clock() + overlapMs }]
      await changeAt(stored, { ...stored.value, secrets })
      return { clientSecret }
    },
    async retire(clientId) {
      const stored = await changeable(clientId)
      await changeAt(stored, { ...stored.value, isLeaving: true })
      return { ...stored.value, isStored: true }
    },
    forget: (clientId) => records.remove(clientId),
  }
}

/** What is written of a new client. Throws `BridgeError` `invalid_request`, in words for the operator. */
function factsOf(input: Omit<NewClient, 'isPublic'>, isPublic: boolean): Omit<ClientRecord, 'secrets'> {
  const parsed = clientFacts.safeParse(input)
  if (!parsed.success) throw new BridgeError('invalid_request', faultsOf(parsed.error))
  if (isPublic && input.assistant !== 'other')
    throw new BridgeError('invalid_request', `${assistantNames[input.assistant]} keeps a secret, so it must have one`)
  const { tenant, name, ...facts } = parsed.data
  return { ...facts, ...(tenant !== undefined && { tenant }), ...(name !== undefined && { name }) }
}

/** Clients of the configuration that hold a place only until their assistant has a client in the store. */
function createPlaceholders(configured: readonly OAuthClient[], records: Collection<ClientRecord>, clock: Clock) {
  const ids = new Set(configured.filter(({ isPlaceholder }) => isPlaceholder).map(({ clientId }) => clientId))
  let real: { readonly kinds: ReadonlySet<ClientKind>; readonly until: number } | undefined
  return {
    /** Which assistants have a client in the store is read again now and then: other processes add them, too. */
    async isReplaced({ clientId, assistant }: Client): Promise<boolean> {
      if (!ids.has(clientId)) return false
      if (real === undefined || real.until <= clock()) {
        const kinds = new Set((await storedClients(records)).map((client) => client.assistant))
        real = { kinds, until: clock() + realKnownMs }
      }
      return real.kinds.has(assistant)
    },
    /** Those of `fixed` that the clients in the store leave. */
    without(fixed: readonly Registration[], stored: readonly Client[]): readonly Registration[] {
      const replaced = new Set(stored.map(({ assistant }) => assistant))
      return fixed.filter(({ clientId, assistant }) => !ids.has(clientId) || !replaced.has(assistant))
    },
    /** A client was added: look again. */
    forget(): void {
      real = undefined
    },
  }
}

async function storedClients(records: Collection<ClientRecord>): Promise<readonly Client[]> {
  const found: Client[] = []
  for await (const { value } of records.all(group)) {
    const { secrets: _secrets, isLeaving, ...client } = value
    if (isLeaving === undefined) found.push(client)
  }
  return found
}

/** True when the secret is the client's present one, or one that was rotated out a short time ago. */
export function isSecretOf(secrets: Registration['secrets'], given: string, now: number): boolean {
  const digest = Buffer.from(hashSecret(given))
  // No early end: how long it takes says nothing.
  return (
    secrets.filter(({ hash: kept, until = Infinity }) => until > now && isSame(Buffer.from(kept), digest)).length > 0
  )
}

/** What the person who links reads as the name of who is asking. */
export function nameOf({ assistant, name, clientId }: Client): string {
  return assistant === 'alexa' || assistant === 'google' ? assistantNames[assistant] : (name ?? clientId)
}

function fromConfiguration({ clientSecret, isPlaceholder: _isPlaceholder, ...client }: OAuthClient): Registration {
  return { ...client, secrets: [{ hash: hashSecret(clientSecret) }], isStored: false }
}

/** A page can keep no secret. Nobody types its redirect URI in, so it may be what no other client's may: plain http at home. */
function consoleAt(uri: string): Registration {
  return {
    clientId: consoleClient,
    assistant: 'console',
    redirectUris: [uri],
    name: 'Console',
    secrets: [],
    isStored: false,
  }
}

const isSame = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b)

/** 192 random bits: nothing to guess, so a fast hash keeps them as well as a slow one would. Letters and digits for Google. */
const newSecret = (): string => randomBytes(24).toString('hex')

function hashSecret(secret: string): string {
  return hash('sha256', secret, 'base64url')
}
