/** Signing in with the bridge's own account linking: authorization code with PKCE (RFC 7636), tokens in memory alone. */
import { sha256 } from '@noble/hashes/sha2.js'
import { signal, type ReadonlySignal } from '@preact/signals'
import { PlayerError, problemOf, type Problem } from 'transom-player'
import { askBridge } from './ask.ts'

/** Why nobody is signed in; undefined: nobody has tried. */
export interface SignedOut {
  readonly kind: 'signed-out'
  readonly problem?: Problem
}

/** The session of whoever is signed in. */
export interface SignIn {
  readonly kind: 'signed-in'
  /** A valid access token. Rejects with a `PlayerError`. */
  token(): Promise<string>
  /** The bridge has refused the token: the next one is a new one, or there is none any more. */
  refused(): void
  /** Nobody is signed in any more, and only the sign-in pages change that. */
  readonly isOver: ReadonlySignal<boolean>
  /** Leaves this page, and the session at the bridge. */
  signOut(): Promise<void>
}

const clientId = 'console'
const scope = 'camera'
const keptAs = 'transom-sign-in'
/** A token that ends so soon is not used any more. */
const marginMs = 30_000

interface Endpoints {
  readonly issuer: string
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly revocation_endpoint: string
}

interface Tokens {
  readonly accessToken: string
  readonly endsAt: number
  readonly refreshToken?: string
}

/** What survives the way to the sign-in pages and back. */
interface Kept {
  readonly state: string
  readonly verifier: string
  readonly hash: string
}

/**
 * Comes back from the sign-in pages, or looks whether this browser is signed in already: that leaves the page for a moment,
 * and the promise then never settles.
 */
export async function resumeSignIn(): Promise<SignIn | SignedOut> {
  const endpoints = await discover()
  const answer = new URLSearchParams(location.search)
  const kept = takeKept()
  if (!answer.has('state')) return leave(endpoints, 'none')
  history.replaceState(null, '', `/${kept?.hash ?? ''}`)
  if (answer.get('state') !== kept?.state) return { kind: 'signed-out', problem: otherTab }
  const code = answer.get('code')
  if (code === null) {
    const error = answer.get('error')
    if (error === 'login_required' || error === 'interaction_required' || error === 'consent_required')
      return { kind: 'signed-out' }
    return {
      kind: 'signed-out',
      problem: {
        code: error ?? 'sign_in_failed',
        message: answer.get('error_description') ?? error ?? 'Signing in did not work.',
      },
    }
  }
  const grant = { grant_type: 'authorization_code', code, redirect_uri: ownUri(), code_verifier: kept.verifier }
  return session(endpoints, await fetchTokens(endpoints, grant))
}

/** To the sign-in pages. */
export async function beginSignIn(): Promise<never> {
  return leave(await discover())
}

function session(endpoints: Endpoints, first: Tokens): SignIn {
  let tokens: Tokens = first
  let renewal: Promise<Tokens> | undefined
  const isOver = signal(false)

  async function renew(): Promise<Tokens> {
    try {
      const { refreshToken } = tokens
      if (refreshToken === undefined || isOver.peek()) throw ended()
      // Rotated: a second use of the same one would end the session, so there is one renewal at a time.
      tokens = await fetchTokens(endpoints, { grant_type: 'refresh_token', refresh_token: refreshToken })
      return tokens
    } catch (error) {
      if (problemOf(error).code === 'unauthorized') isOver.value = true
      throw error
    }
  }

  // Whoever signs out on a shared computer means all of its windows: each lets go of its own tokens.
  const windows = new BroadcastChannel('transom-sign-out')
  windows.addEventListener('message', () => void revoke().then(() => location.replace('/')))

  async function revoke(): Promise<void> {
    const token = tokens.refreshToken ?? tokens.accessToken
    tokens = { accessToken: '', endsAt: 0 }
    // Whatever fails here ends by itself within the day.
    await post(endpoints.revocation_endpoint, { token }).catch(() => undefined)
  }

  return {
    kind: 'signed-in',
    async token() {
      if (Date.now() < tokens.endsAt - marginMs) return tokens.accessToken
      renewal ??= renew().finally(() => (renewal = undefined))
      return (await renewal).accessToken
    },
    refused() {
      tokens = { ...tokens, endsAt: 0 }
    },
    isOver,
    async signOut() {
      await revoke()
      await askBridge(`${endpoints.issuer}/leave`, { method: 'POST' }).catch(() => undefined)
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has one origin, and takes no other
      windows.postMessage('signed-out')
      location.replace('/')
    },
  }
}

const otherTab: Problem = {
  code: 'sign_in_elsewhere',
  message: 'Signing in was started in another tab, or too long ago.',
}

const ended = (): PlayerError => new PlayerError({ code: 'unauthorized', message: 'You are signed out.' })

async function discover(): Promise<Endpoints> {
  const response = await askBridge('/.well-known/oauth-authorization-server/oauth')
  const endpoints = (await response.json()) as Endpoints
  const home = new URL(endpoints.issuer).origin
  // The bridge goes by one name, and signs in only under it: 127.0.0.1 is not localhost.
  if (home !== location.origin) {
    location.replace(new URL(location.pathname + location.hash, home))
    return never()
  }
  return endpoints
}

function leave(endpoints: Endpoints, prompt?: 'none'): Promise<never> {
  const [state, verifier] = [random(), random()]
  const kept: Kept = { state, verifier, hash: location.hash }
  sessionStorage.setItem(keptAs, JSON.stringify(kept))
  const url = new URL(endpoints.authorization_endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: ownUri(),
    scope,
    state,
    code_challenge: digest(verifier),
    code_challenge_method: 'S256',
    ...(prompt && { prompt }),
  }).toString()
  location.replace(url)
  return never()
}

async function fetchTokens(endpoints: Endpoints, grant: Readonly<Record<string, string>>): Promise<Tokens> {
  const response = await post(endpoints.token_endpoint, grant)
  // RFC 6749 section 5.2: the grant is used up, revoked or too old.
  if (response.status === 400 || response.status === 401) throw ended()
  if (!response.ok) throw new PlayerError({ code: 'unreachable', message: `Signing in: ${response.status}` })
  const body = (await response.json()) as { access_token: string; expires_in: number; refresh_token?: string }
  return {
    accessToken: body.access_token,
    endsAt: Date.now() + body.expires_in * 1000,
    ...(body.refresh_token !== undefined && { refreshToken: body.refresh_token }),
  }
}

const post = (url: string, fields: Readonly<Record<string, string>>): Promise<Response> =>
  askBridge(url, { method: 'POST', body: new URLSearchParams({ client_id: clientId, ...fields }) })

function takeKept(): Kept | undefined {
  const text = sessionStorage.getItem(keptAs)
  sessionStorage.removeItem(keptAs)
  return text === null ? undefined : (JSON.parse(text) as Kept)
}

const ownUri = (): string => `${location.origin}/`
const random = (): string => base64url(crypto.getRandomValues(new Uint8Array(32)))
const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

/** SHA-256 in base64url. Not by `crypto.subtle`, which is missing at plain http:// addresses, where a home network's bridge may be. */
export const digest = (text: string): string => base64url(sha256(new TextEncoder().encode(text)))

/** The browser is leaving this page. */
const never = (): Promise<never> => new Promise(() => undefined)
