/** Who may open which door: the scope of a token and the kind of its client are checked here and nowhere else. */
import { BridgeError } from 'transom-core/errors'
import { accessScope, type Camera, type ClientKind, type Grant, type VerifyToken } from 'transom-core/ports'

/**
 * The doors that take access tokens, each with the clients whose tokens open it (docs/linking.md has the table).
 * `records`: sessions and notices for whoever mends something; an assistant's token shows what concerns that assistant.
 */
const opensTo = {
  alexa: ['alexa'],
  google: ['google'],
  api: ['console', 'other'],
  page: ['console'],
  picture: ['alexa', 'console', 'other'],
  records: ['alexa', 'google', 'console', 'other'],
} as const satisfies Readonly<Record<string, readonly ClientKind[]>>

/** The name of such a door. */
export type Door = keyof typeof opensTo

/** Whose token it is, and as what kinds its client may count. */
export interface Authorized extends Grant {
  /** One kind; several where another server issues the tokens and the settings do not tell its clients apart. */
  readonly kinds: readonly ClientKind[]
}

/** Checks access tokens for all doors: see `createAuthority`. */
export interface Authority {
  /** Turns a token into who may act at this door. Throws `BridgeError` `unauthorized` or `token_expired`. */
  authorize(door: Door, token: string | undefined): Promise<Authorized>
  /** The same for one door, as the rooms take it. */
  at(door: Door): (token: string) => Promise<Authorized>
}

/**
 * Makes the authority of a bridge. `verifyToken` says whose token it is; `kindsOf`, as what kinds a client may count:
 * none for an unknown one.
 */
export function createAuthority(deps: {
  readonly verifyToken: VerifyToken
  readonly kindsOf: (grant: Grant) => Promise<readonly ClientKind[]>
}): Authority {
  const authorize: Authority['authorize'] = async (door, token) => {
    if (token === undefined) throw new BridgeError('unauthorized', 'an access token is needed: Authorization: Bearer …')
    const grant = await deps.verifyToken(token)
    if (!grant.scopes.includes(accessScope))
      throw new BridgeError('unauthorized', `the token lacks the scope ${accessScope}`)
    const authorized = { ...grant, kinds: await deps.kindsOf(grant) }
    if (!opens(authorized, door))
      throw new BridgeError('unauthorized', `a token of client ${grant.clientId} does not open this`)
    return authorized
  }
  return { authorize, at: (door) => (token) => authorize(door, token) }
}

/** Whether a token that was accepted at one door opens this one, too. */
export function opens({ kinds }: Pick<Authorized, 'kinds'>, door: Door): boolean {
  const open: readonly ClientKind[] = opensTo[door]
  return kinds.some((kind) => open.includes(kind))
}

/** The assistant whose token it is and nobody else's: it learns of nothing but its own. */
export function onlyAssistant({ kinds }: Pick<Authorized, 'kinds'>): 'alexa' | 'google' | undefined {
  const [kind, ...others] = kinds
  return others.length === 0 && (kind === 'alexa' || kind === 'google') ? kind : undefined
}

/** Whether whoever sees a camera so, as its owner or as a guest, may see what happened there and what was recorded of it. */
export const mayViewRecordings = ({ sharedBy, mayViewRecordings: isAllowed }: Camera): boolean =>
  sharedBy === undefined || isAllowed === true
