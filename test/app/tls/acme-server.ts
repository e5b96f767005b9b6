/** A strict ACME server in memory (RFC 8555): nonces used once, signatures and their headers checked, orders that take their course. */
import { createHash, randomBytes } from 'node:crypto'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { base64url, calculateJwkThumbprint, flattenedVerify, importJWK, type FlattenedJWSInput, type JWK } from 'jose'
import type { Fetch } from '../../../src/core/fetch.ts'
import { makeAuthority, makeServer } from '../../../src/signaling/make-certificate.ts'

const origin = 'https://acme.example'
export const directory = `${origin}/directory`

interface Challenge {
  readonly type: string
  readonly url: string
  readonly token: string
  error?: object
}
interface Authorization {
  readonly identifier: { readonly type: string; readonly value: string }
  status: string
  readonly challenges: readonly Challenge[]
}
interface Order {
  status: string
  readonly identifiers: readonly Authorization['identifier'][]
  readonly authorizations: readonly string[]
  readonly finalize: string
  certificate?: string
}

export interface AcmeServerOptions {
  readonly now: number
  /** Looks at what is shown for a name; false refuses it. */
  readonly validate: (type: string, name: string, keyAuthorization: string, token: string) => boolean | Promise<boolean>
  /** Refuses every nonce once before it accepts it. */
  readonly dropsNonces?: boolean
  /** Customers, by the ID of their key: without one there are no accounts. */
  readonly customers?: Readonly<Record<string, string>>
  /** Answers this instead, for a path. */
  readonly instead?: (
    path: string,
  ) => { readonly type: string; readonly status?: number; readonly wait?: string } | undefined
  /** Issues for these names instead of those that were asked for. */
  readonly names?: readonly string[]
}

class Problem extends Error {
  readonly status: number
  readonly type: string
  readonly wait: string | undefined

  constructor(type: string, status = 400, wait?: string) {
    super(`refused: ${type}`)
    this.status = status
    this.type = type
    this.wait = wait
  }
}

const makeId = () => randomBytes(8).toString('base64url')

export async function createAcmeServer(options: AcmeServerOptions) {
  const authority = await makeAuthority(options.now)
  const nonces = new Set<string>()
  const accounts = new Map<string, JWK>()
  const authorizations = new Map<string, Authorization>()
  const orders = new Map<string, Order>()
  const certificates = new Map<string, string>()
  const seen = { posts: 0, accounts, contacts: [] as unknown[], dropped: new Set<string>() }
  const makeNonce = () => {
    const nonce = makeId()
    nonces.add(nonce)
    return nonce
  }
  const reply = (status: number, body: object | string | undefined, headers: Record<string, string> = {}) =>
    new Response(typeof body === 'string' ? body : body && JSON.stringify(body), {
      status,
      headers: { 'replay-nonce': makeNonce(), ...headers },
    })

  /** Who signed, and what. */
  async function open(url: string, init: RequestInit) {
    seen.posts += 1
    if (new Headers(init.headers).get('content-type') !== 'application/jose+json') throw new Problem('malformed', 415)
    const jws = JSON.parse(await new Response(init.body ?? '').text()) as FlattenedJWSInput
    const header = JSON.parse(Buffer.from(base64url.decode(jws.protected ?? '')).toString()) as {
      alg: string
      nonce: string
      url: string
      jwk?: JWK
      kid?: string
    }
    if (header.url !== url) throw new Problem('unauthorized', 401)
    if (options.dropsNonces === true && seen.posts % 2 === 1) throw new Problem('badNonce')
    if (!nonces.delete(header.nonce)) throw new Problem('badNonce')
    const isNew = url === `${origin}/account`
    if ((header.jwk === undefined) === isNew || (header.kid === undefined) === !isNew) throw new Problem('malformed')
    const jwk = header.jwk ?? accounts.get(header.kid ?? '')
    if (jwk === undefined) throw new Problem('accountDoesNotExist')
    if ('d' in jwk) throw new Problem('malformed')
    const { payload } = await flattenedVerify(jws, await importJWK(jwk, 'ES256'), { algorithms: ['ES256'] })
    const text = Buffer.from(payload).toString()
    return { jwk, text, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> }
  }

  async function makeAccount(jwk: JWK, body: Record<string, unknown>): Promise<Response> {
    if (body['termsOfServiceAgreed'] !== true) throw new Problem('userActionRequired', 403)
    if (options.customers !== undefined) {
      const binding = body['externalAccountBinding'] as (FlattenedJWSInput & { payload: string }) | undefined
      if (binding === undefined) throw new Problem('externalAccountRequired', 403)
      const header = JSON.parse(Buffer.from(base64url.decode(binding.protected ?? '')).toString()) as {
        kid: string
        url: string
      }
      const key = Buffer.from(options.customers[header.kid] ?? '', 'base64url')
      const { payload } = await flattenedVerify(binding, key, { algorithms: ['HS256'] })
      if (header.url !== `${origin}/account` || Buffer.from(payload).toString() !== JSON.stringify(jwk))
        throw new Problem('malformed')
    }
    seen.contacts.push(body['contact'])
    const kid = `${origin}/account/${await calculateJwkThumbprint(jwk)}`
    const isKnown = accounts.has(kid)
    accounts.set(kid, jwk)
    return reply(isKnown ? 200 : 201, { status: 'valid' }, { location: kid })
  }

  function makeOrder(body: Record<string, unknown>): Response {
    const identifiers = body['identifiers'] as Order['identifiers']
    const url = `${origin}/order/${makeId()}`
    const order: Order = {
      status: 'pending',
      identifiers,
      authorizations: identifiers.map((identifier) => {
        const place = `${origin}/authorization/${makeId()}`
        const challenges = (identifier.type === 'ip' ? ['http-01'] : ['http-01', 'dns-01']).map((type) => ({
          type,
          url: `${origin}/challenge/${makeId()}`,
          token: makeId(),
        }))
        authorizations.set(place, { identifier, status: 'pending', challenges })
        return place
      }),
      finalize: `${url}/finalize`,
    }
    orders.set(url, order)
    return reply(201, order, { location: url })
  }

  async function validate(url: string, jwk: JWK): Promise<Response> {
    for (const authorization of authorizations.values()) {
      const challenge = authorization.challenges.find((one) => one.url === url)
      if (challenge === undefined) continue
      const keyAuthorization = `${challenge.token}.${await calculateJwkThumbprint(jwk)}`
      const shown =
        challenge.type === 'dns-01'
          ? createHash('sha256').update(keyAuthorization).digest('base64url')
          : keyAuthorization
      const isValid = await options.validate(challenge.type, authorization.identifier.value, shown, challenge.token)
      authorization.status = isValid ? 'valid' : 'invalid'
      if (!isValid) challenge.error = { type: 'urn:ietf:params:acme:error:connection', detail: 'Connection refused' }
      return reply(200, challenge)
    }
    throw new Problem('malformed', 404)
  }

  async function finalize(url: string, body: Record<string, unknown>): Promise<Response> {
    const place = url.replace(/\/finalize$/, '')
    const order = orders.get(place)
    if (order === undefined) throw new Problem('malformed', 404)
    const isReady = order.authorizations.every((one) => authorizations.get(one)?.status === 'valid')
    if (!isReady) throw new Problem('orderNotReady', 403)
    const csr = new x509.Pkcs10CertificateRequest(Buffer.from(String(body['csr']), 'base64url'))
    const asked = csr.extensions
      .find((one) => one instanceof x509.SubjectAlternativeNameExtension)
      ?.names.items.map(({ value }) => value)
    const wanted = order.identifiers.map(({ value }) => value)
    if (!(await csr.verify()) || JSON.stringify(asked) !== JSON.stringify(wanted)) throw new Problem('badCSR')
    order.certificate = `${place}/certificate`
    order.status = 'processing'
    // Made for another key only to be signed: what counts is the key of the request.
    const names = options.names ?? wanted
    const template = new x509.X509Certificate(
      (await makeServer(authority, { names, commonName: 'x' }, options.now)).cert,
    )
    const cert = await x509.X509CertificateGenerator.create({
      subject: '',
      issuer: template.issuer,
      publicKey: csr.publicKey,
      signingKey: await signingKey(authority.key),
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      notBefore: new Date(options.now),
      notAfter: new Date(options.now + 90 * 24 * 3_600_000),
      extensions: [template.getExtension(x509.SubjectAlternativeNameExtension)!],
    })
    certificates.set(order.certificate, `${cert.toString('pem')}\n${authority.cert}\n`)
    return reply(200, order)
  }

  async function answer(url: string, init: RequestInit): Promise<Response> {
    const path = url.slice(origin.length)
    const instead = options.instead?.(path)
    if (instead !== undefined) throw new Problem(instead.type, instead.status, instead.wait)
    if (path === '/directory')
      return reply(200, {
        newNonce: `${origin}/nonce`,
        newAccount: `${origin}/account`,
        newOrder: `${origin}/order`,
      })
    if (path === '/nonce') return reply(200, undefined)
    if (init.method !== 'POST') throw new Problem('malformed', 405)
    const { jwk, text, body } = await open(url, init)
    if (path === '/account') return makeAccount(jwk, body)
    if (path === '/order') return makeOrder(body)
    if (path.startsWith('/challenge/')) return validate(url, jwk)
    if (path.endsWith('/finalize')) return finalize(url, body)
    if (text !== '') throw new Problem('malformed')
    const order = orders.get(url)
    if (order !== undefined) {
      const isReady = order.authorizations.every((one) => authorizations.get(one)?.status === 'valid')
      if (order.status === 'pending' && isReady) order.status = 'ready'
      const state = { ...order }
      if (order.status === 'processing') order.status = 'valid'
      return reply(200, state, { 'retry-after': '0' })
    }
    const found = authorizations.get(url) ?? certificates.get(url)
    if (found === undefined) throw new Problem('malformed', 404)
    return reply(200, found)
  }

  const fetch: Fetch = async (url, init = {}) => {
    try {
      return await answer(String(url), init)
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem('serverInternal', 500)
      const { type, status, wait, message } = problem
      const body = { type: `urn:ietf:params:acme:error:${type}`, detail: message, status }
      const headers = { 'content-type': 'application/problem+json', ...(wait !== undefined && { 'retry-after': wait }) }
      return reply(status, body, headers)
    }
  }
  return { fetch, ca: authority.cert, seen }
}

const signingKey = (pem: string) =>
  crypto.subtle.importKey(
    'pkcs8',
    Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64'),
    { name: 'ECDSA', namedCurve: 'P-256' },
    false,
    ['sign'],
  )
