/** What the bridge says in plain HTTP where it speaks HTTPS. */
import { X509Certificate } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from '@jest/globals'
import { makeAuthority } from '../../../src/signaling/make-certificate.ts'
import { createPlainDoor, type PlainDoorOptions } from '../../../src/transom/tls/plain-door.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

const publicUrl = 'https://door.local:8080'

async function openDoor(options: Partial<PlainDoorOptions> = {}) {
  server = createServer(
    createPlainDoor({
      publicUrl,
      challenges: new Map([['token', 'token.thumbprint']]),
      isReady: () => true,
      ...options,
    }),
  )
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${origin}${path}`, { redirect: 'manual', ...init })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
}

test('a challenge is answered with its key authorization, an unknown one with 404', async () => {
  const ask = await openDoor({ isReady: () => false })
  expect(await ask('/.well-known/acme-challenge/token')).toMatchObject({ status: 200, text: 'token.thumbprint' })
  expect((await ask('/.well-known/acme-challenge/other')).status).toBe(404)
})

test.each(['/', '/account?from=mail', '//elsewhere.example/', '/%0d%0aX-Evil:1', '/.well-known/acme-challenge/../x'])(
  'who asks for %s is sent to the public URL and nowhere else',
  async (path) => {
    const { status, headers } = await (await openDoor())(path)
    const location = new URL(headers.get('location') ?? '')
    expect([status, location.origin]).toEqual([307, publicUrl])
  },
)

test('what sends a body, and with it perhaps a password, is refused instead of being led on', async () => {
  const ask = await openDoor()
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    const { status, text } = await ask('/oauth/token', { method, ...(method !== 'DELETE' && { body: 'password=x' }) })
    expect([status, text]).toEqual([403, `This is ${publicUrl}, by https alone.\n`])
  }
})

test('without a certificate nobody is sent where no page would open', async () => {
  const { status, text } = await (await openDoor({ isReady: () => false }))('/')
  expect(status).toBe(503)
  expect(text).toContain('transom doctor')
})

const { cert } = await makeAuthority(Date.now())
const authority = async () => cert

test("the bridge's own authority: as DER, PEM and a profile for Apple, each of its type", async () => {
  const ask = await openDoor({ authority })
  const { fingerprint256, raw } = new X509Certificate(cert)
  const types = ['/transom.crt', '/transom.pem', '/transom.mobileconfig'].map(async (path) =>
    (await ask(path)).headers.get('content-type'),
  )
  expect(await Promise.all(types)).toEqual([
    'application/x-x509-ca-cert',
    'application/x-pem-file',
    'application/x-apple-aspen-config',
  ])
  expect(new X509Certificate((await ask('/transom.pem')).text).fingerprint256).toBe(fingerprint256)
  const profile = (await ask('/transom.mobileconfig')).text
  const data = /<data>([^<]+)<\/data>/.exec(profile)?.[1] ?? ''
  expect(Buffer.from(data, 'base64').equals(raw)).toBe(true)
  const uuids = [...profile.matchAll(/PayloadUUID<\/key><string>([^<]+)/g)].map(([, uuid]) => uuid)
  expect(new Set(uuids).size).toBe(2)
  for (const uuid of uuids) expect(uuid).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/)
})

test.each([
  ['de-AT,de;q=0.9,en;q=0.8', undefined, 'de'],
  ['fr,en', undefined, 'en'],
  ['', undefined, 'en'],
  ['en', 'de', 'de'],
] as const)('who reads %s, with %s set, gets the page in %s', async (accepted, language, expected) => {
  const ask = await openDoor({ authority, ...(language && { language }) })
  const { text, headers } = await ask('/', { headers: { 'accept-language': accepted } })
  expect(text).toContain(`<html lang="${expected}">`)
  expect(text).toContain(new X509Certificate(cert).fingerprint256)
  expect(text).toContain('href="https://door.local:8080/"')
  expect(text).toContain('aria-label="http://door.local:8080/"')
  expect(text).not.toContain('<script')
  expect(headers.get('content-security-policy')).toContain("default-src 'none'")
})

test('an authority that is not there yet, or cannot be read, breaks nothing', async () => {
  expect((await (await openDoor({ authority: async () => undefined, isReady: () => false }))('/')).status).toBe(503)
  server?.close()
  const ask = await openDoor({ authority: () => Promise.reject(new Error('EACCES')) })
  expect((await ask('/')).status).toBe(500)
})
