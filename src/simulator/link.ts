/** Account linking as the assistants do it: the OAuth 2.0 code flow through the real pages, then one refresh. */

import { randomBytes } from 'node:crypto'
import * as z from 'zod'
import { createBrowser, formsOf, type Form, type Page } from './browser.ts'
import { CallError } from './causes.ts'
import { mustFit, jsonOf, send, type Reply } from './http.ts'
import type { AssistantName, ClientSettings } from './settings.ts'

/** What an assistant keeps of a linked account. */
export interface Link {
  readonly accessToken: string
  readonly refreshToken: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

export interface LinkOptions {
  readonly assistant: AssistantName
  readonly bridge: string
  readonly client: ClientSettings
}

interface User {
  readonly login: string
  readonly password: string
}

const SCOPE = 'camera'
const MAX_PAGES = 6

/**
 * Links the account: opens the authorization URL, logs in and consents in the pages found there, exchanges the code, and
 * refreshes once. Throws `link_failed` or `bridge_unreachable`.
 */
export async function linkAccount(options: LinkOptions & { readonly user: User }, signal: AbortSignal): Promise<Link> {
  const state = randomBytes(240).toString('base64url')
  const end = await walk(authorizationUrl(options.bridge, options, state, 'en-US'), options, signal)
  return redeemCallback(options, end.searchParams, state, signal)
}

/**
 * Where an assistant sends its user to link the account; `state` comes back. `locale`: of the Google account, where it is
 * known.
 */
export function authorizationUrl(
  origin: string,
  { assistant, client }: Pick<LinkOptions, 'assistant' | 'client'>,
  state: string,
  locale?: string,
): string {
  const url = new URL(`${origin}/oauth/auth`)
  const query = {
    client_id: client.clientId,
    redirect_uri: client.redirectUri,
    response_type: 'code',
    scope: SCOPE,
    state,
  }
  url.search = new URLSearchParams({
    ...query,
    ...(assistant === 'google' && locale !== undefined && { user_locale: locale }),
  }).toString()
  return url.href
}

/** What an assistant does when its user is back: it exchanges the code, and refreshes once. Throws `link_failed`. */
export async function redeemCallback(
  options: LinkOptions,
  query: URLSearchParams,
  state: string,
  signal: AbortSignal,
): Promise<Link> {
  const code = codeOf(query, state)
  const first = await requestTokens(
    options,
    { grant_type: 'authorization_code', code, redirect_uri: options.client.redirectUri },
    signal,
  )
  if (first.refreshToken === '') throw new CallError('link_failed', 'the token endpoint gave no refresh token')
  const second = await refreshLink(options, first, signal)
  // Google's validator asks for this; for Alexa it is what makes a refresh worth anything.
  if (second.accessToken === first.accessToken)
    throw new CallError('link_failed', 'a refresh gave the same access token again')
  return second
}

/** New tokens for a link; the refresh token stays when none comes back (RFC 6749 section 6). */
export async function refreshLink(options: LinkOptions, link: Link, signal: AbortSignal): Promise<Link> {
  const fresh = await requestTokens(options, { grant_type: 'refresh_token', refresh_token: link.refreshToken }, signal)
  return fresh.refreshToken === '' ? { ...fresh, refreshToken: link.refreshToken } : fresh
}

/** Goes through the pages as a person would, up to the redirect back to the assistant. */
async function walk(
  url: string,
  { client, user }: LinkOptions & { readonly user: User },
  signal: AbortSignal,
): Promise<URL> {
  const browser = createBrowser((target) => isCallback(target, client.redirectUri), signal)
  let visit = await browser.open(url)
  let loggedIn = false
  for (let pages = 0; visit.kind === 'page'; pages += 1) {
    const form = formToSend(visit.page)
    if (pages === MAX_PAGES) throw new CallError('link_failed', `still not back after ${MAX_PAGES} pages`)
    if (isLoginForm(form) && loggedIn)
      throw new CallError('link_failed', `the login page refused the user ${user.login}`)
    loggedIn ||= isLoginForm(form)
    visit = await browser.submit(visit.page, filled(form, user))
  }
  return new URL(visit.url)
}

function formToSend(page: Page): Form {
  const forms = formsOf(page)
  const form = forms.find(isLoginForm) ?? forms.find(({ method }) => method === 'POST') ?? forms[0]
  if (form === undefined) throw new CallError('link_failed', `no form to go on with at ${new URL(page.url).pathname}`)
  return form
}

const isLoginForm = (form: Form): boolean => form.fields.some(({ meaning }) => meaning === 'password')

function filled(form: Form, user: User): Form {
  const fields = form.fields.map((field) => {
    if (field.meaning === 'other') return field
    return { ...field, value: field.meaning === 'login' ? user.login : user.password }
  })
  return { ...form, fields }
}

function isCallback(target: string, redirectUri: string): boolean {
  const url = new URL(target)
  const expected = new URL(redirectUri)
  return url.origin === expected.origin && url.pathname === expected.pathname
}

function codeOf(query: URLSearchParams, state: string): string {
  const error = query.get('error')
  if (error !== null) {
    throw new CallError(
      'link_failed',
      `the assistant was sent back with ${error}: ${query.get('error_description') ?? ''}`,
    )
  }
  if (query.get('state') !== state) throw new CallError('link_failed', 'the state did not come back unchanged')
  const code = query.get('code')
  if (code === null || code === '') throw new CallError('link_failed', 'the assistant was sent back without a code')
  return code
}

const tokenReply = z.object({
  access_token: z.string().min(1),
  token_type: z.string().regex(/^bearer$/i, 'must be bearer'),
  // Alexa asks for at least six minutes.
  expires_in: z.number().int().min(360),
  refresh_token: z.string().min(1).optional(),
})

/**
 * Ends the link (RFC 7009): a real one is made once and stays, but each run of the simulator makes its own, and an account
 * keeps only so many of them.
 */
export async function endLink(options: LinkOptions, link: Link, signal: AbortSignal): Promise<void> {
  const form = new URLSearchParams({ token: link.refreshToken, token_type_hint: 'refresh_token' })
  const reply = await postForm(options, '/oauth/token/revocation', form, signal)
  if (reply.status !== 200) throw new CallError('link_failed', `the revocation reply is ${reply.status}`)
}

/** Posts a form as this client: Amazon authenticates by header, Google in the body. */
async function postForm(
  { assistant, bridge, client }: LinkOptions,
  path: string,
  form: URLSearchParams,
  signal: AbortSignal,
): Promise<Reply> {
  const headers: Record<string, string> = {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  }
  if (assistant === 'alexa') {
    // RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
    const pair = [client.clientId, client.clientSecret].map(encodeURIComponent).join(':')
    headers.authorization = `Basic ${Buffer.from(pair).toString('base64')}`
  } else {
    form.set('client_id', client.clientId)
    form.set('client_secret', client.clientSecret)
  }
  return send(`${bridge}${path}`, { method: 'POST', headers, body: form.toString() }, signal)
}

async function requestTokens(options: LinkOptions, grant: Record<string, string>, signal: AbortSignal): Promise<Link> {
  const { assistant } = options
  const askedAt = Date.now()
  const reply = await postForm(options, '/oauth/token', new URLSearchParams(grant), signal)
  const what = `the ${grant.grant_type} reply`
  if (reply.status !== 200)
    throw new CallError('link_failed', `${what} is ${reply.status}: ${reply.body.slice(0, 160)}`)
  const tokens = mustFit(tokenReply, jsonOf(reply, 'link_failed', what), 'link_failed', what)
  if (assistant === 'google' && isJwt(tokens.access_token)) {
    throw new CallError('link_failed', 'the access token is a JWT, which Google does not take')
  }
  return {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token ?? '',
    expiresAt: askedAt + tokens.expires_in * 1000,
  }
}

const isJwt = (token: string): boolean => /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(token)
