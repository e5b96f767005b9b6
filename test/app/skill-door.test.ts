/** The companion skill's door over HTTPS: whoever knocks without Alexa's signature starts nothing. */
import { beforeAll, expect, test } from '@jest/globals'
import { createCertificateChains } from '../../src/bridge/alexa/skill/certificate-chain.ts'
import { issue, signBody, type Issued } from '../alexa/certificates.ts'
import { openHouse, type Reply } from './house.ts'

const skillId = 'amzn1.ask.skill.ours'
const address = 'https://s3.amazonaws.com/echo.api/echo-api-cert.pem'

let root: Issued
let leaf: Issued
beforeAll(async () => {
  root = await issue('Root')
  leaf = await issue('Signer', { issuer: root, host: 'echo-api.amazon.com' })
})

interface Change {
  readonly inContext?: string
  readonly inSession?: string
  readonly type?: string
  readonly at?: number
}

function bodyOf({ inContext = skillId, inSession = inContext, type = 'LaunchRequest', at = Date.now() }: Change = {}) {
  const user = { userId: 'u', accessToken: 'good' }
  return JSON.stringify({
    version: '1.0',
    session: { new: true, sessionId: 's', application: { applicationId: inSession }, user },
    context: {
      System: { application: { applicationId: inContext }, user, apiEndpoint: 'https://api.amazonalexa.com' },
    },
    request: { type, requestId: 'r', timestamp: new Date(at).toISOString(), locale: 'de-DE' },
  })
}

async function openDoor(options: { readonly skillId?: string } = { skillId }) {
  const fetched: string[] = []
  const chains = createCertificateChains({
    clock: Date.now,
    roots: [root.pem],
    fetch: async (url) => {
      fetched.push(String(url))
      return new Response(leaf.pem)
    },
  })
  const house = await openHouse({ ...options, chains })
  return {
    fetched,
    knock: async (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
      fetch(`${house.url}/alexa/skill`, { method: 'POST', headers, body }),
    [Symbol.asyncDispose]: () => house[Symbol.asyncDispose](),
  }
}

const signed = async (body: string, signer = leaf) => ({
  'content-type': 'application/json',
  'Signature-256': await signBody(signer, body),
  SignatureCertChainUrl: address,
})

test('a request that Alexa signed is answered by the skill', async () => {
  await using door = await openDoor()
  const body = bodyOf()
  const reply = await door.knock(body, await signed(body))
  expect(reply.status).toBe(200)
  expect(((await reply.json()) as Reply).response.outputSpeech.ssml).toContain('Deine Türklingel')
  expect(door.fetched).toEqual([address])
})

test('the bytes are what is signed, whatever they say of their encoding', async () => {
  await using door = await openDoor()
  const body = bodyOf({})
  const headers = { ...(await signed(body)), 'content-type': 'text/plain; charset=utf-16le' }
  expect((await door.knock(new TextEncoder().encode(body), headers)).status).toBe(200)
})

test.each<[string, Change]>([
  ['for another skill', { inContext: 'amzn1.ask.skill.other' }],
  ['whose session is of another skill', { inSession: 'amzn1.ask.skill.other' }],
  ['of three minutes ago', { at: Date.now() - 180_000 }],
  ['of three minutes ahead', { at: Date.now() + 180_000 }],
  ['a skill event of two hours ago', { type: 'AlexaSkillEvent.SkillDisabled', at: Date.now() - 7_200_000 }],
])('a request %s is refused before anything is fetched', async (_name, change) => {
  await using door = await openDoor()
  const body = bodyOf(change)
  expect((await door.knock(body, await signed(body))).status).toBe(400)
  expect(door.fetched).toEqual([])
})

test.each([
  ['no body', ''],
  ['no JSON', '{'],
  ['no request', '{}'],
  ['no application', '{"context":{"System":{}},"request":{"type":"LaunchRequest","timestamp":"2026-11-22T12:00:00Z"}}'],
  ['no time', JSON.stringify({ ...JSON.parse(bodyOf()), request: { type: 'LaunchRequest', timestamp: 'noon' } })],
])('%s is refused before anything is fetched', async (_name, body) => {
  await using door = await openDoor()
  expect((await door.knock(body, await signed(body))).status).toBe(400)
  expect(door.fetched).toEqual([])
})

test.each([
  ['no signature', { 'Signature-256': '' }],
  ['no certificate', { SignatureCertChainUrl: '' }],
  ['a certificate from elsewhere', { SignatureCertChainUrl: 'https://evil.example/echo.api/cert.pem' }],
  ['a path that climbs', { SignatureCertChainUrl: 'https://s3.amazonaws.com/echo.api/../somewhere/huge' }],
])('%s: refused before anything is fetched', async (_name, change) => {
  await using door = await openDoor()
  const body = bodyOf()
  expect((await door.knock(body, { ...(await signed(body)), ...change })).status).toBe(400)
  expect(door.fetched).toEqual([])
})

test('what was signed otherwise is refused', async () => {
  await using door = await openDoor()
  const body = bodyOf()
  const headers = await signed(body)
  expect((await door.knock(`${body} `, headers)).status).toBe(400)
  expect((await door.knock(body, { ...headers, 'Signature-256': 'AAAA' })).status).toBe(400)
  const stranger = await issue('Stranger', { host: 'echo-api.amazon.com' })
  expect((await door.knock(body, await signed(body, stranger))).status).toBe(400)
})

test('a skill event may be an hour late: Amazon repeats it', async () => {
  await using door = await openDoor()
  const body = bodyOf({ type: 'AlexaSkillEvent.SkillDisabled', at: Date.now() - 3_000_000 })
  expect((await door.knock(body, await signed(body))).status).not.toBe(400)
})

test('without the id of a skill there is no door', async () => {
  await using door = await openDoor({})
  const body = bodyOf()
  expect((await door.knock(body, await signed(body))).status).toBe(404)
  expect(door.fetched).toEqual([])
})
