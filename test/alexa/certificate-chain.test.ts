/** Where certificates of custom skills' requests may come from, and which of them are believed. */
import { beforeAll, describe, expect, test } from '@jest/globals'
import { createCertificateChains, normalizeCertChainUrl } from '../../src/bridge/alexa/skill/certificate-chain.ts'
import { issue, type Issued } from './certificates.ts'

const host = 'echo-api.amazon.com'
const address = 'https://s3.amazonaws.com/echo.api/echo-api-cert.pem'
const nth = (index: number) => `https://s3.amazonaws.com/echo.api/${index}.pem`
let root: Issued
let authority: Issued
let leaf: Issued
beforeAll(async () => {
  root = await issue('Root')
  authority = await issue('Authority', { issuer: root })
  leaf = await issue('Signer', { issuer: authority, host })
})

test.each([
  // Amazon's own examples (host-a-custom-skill-as-a-web-service.html).
  ['https://s3.amazonaws.com/echo.api/echo-api-cert.pem', '/echo.api/echo-api-cert.pem'],
  ['https://s3.amazonaws.com:443/echo.api/echo-api-cert.pem', '/echo.api/echo-api-cert.pem'],
  ['https://s3.amazonaws.com/echo.api/../echo.api/echo-api-cert.pem', '/echo.api/echo-api-cert.pem'],
  ['HTTPS://S3.AmazonAWS.com/echo.api/cert.pem', '/echo.api/cert.pem'],
  ['https://s3.amazonaws.com//echo.api//cert.pem#there', '/echo.api/cert.pem'],
])('the address %s is asked', (text, path) => {
  expect(normalizeCertChainUrl(text)).toBe(`https://s3.amazonaws.com${path}`)
})

test.each([
  'http://s3.amazonaws.com/echo.api/echo-api-cert.pem',
  'https://notamazon.com/echo.api/echo-api-cert.pem',
  'https://s3.amazonaws.com/EcHo.aPi/echo-api-cert.pem',
  'https://s3.amazonaws.com/invalid.path/echo-api-cert.pem',
  'https://s3.amazonaws.com:563/echo.api/echo-api-cert.pem',
  'https://s3.amazonaws.com/echo.api/../somewhere/huge',
  'https://s3.amazonaws.com/echo.api/%2e%2e/somewhere/huge',
  'https://s3.amazonaws.com/echo.api/..%2fsomewhere/huge',
  'https://s3.amazonaws.com/echo.api/.%2E/somewhere/huge',
  'https://s3.amazonaws.com/echo.api\\..\\somewhere\\huge',
  'https://s3.amazonaws.com/echo.api/..//somewhere/huge',
  'https://s3.amazonaws.com/echo.api/\t../somewhere/huge',
  'https://s3.amazonaws.com/echo.api',
  'https://s3.amazonaws.com/echo.api/',
  'https://s3.amazonaws.com@evil.example/echo.api/cert.pem',
  'https://somebody@s3.amazonaws.com/echo.api/cert.pem',
  'https://s3.amazonaws.com.evil.example/echo.api/cert.pem',
  'https://s3.amazonaws.com./echo.api/cert.pem',
  'https://s3.amazonaws.com/echo.api/cert.pem?versionId=1',
  'https://s3.amazonaws.com/echo.api/a.pem, https://s3.amazonaws.com/echo.api/b.pem',
  'file:///echo.api/cert.pem',
  '/echo.api/cert.pem',
  '',
])('the address %j is not asked', async (text) => {
  const asked: unknown[] = []
  const chains = createCertificateChains({ clock: Date.now, fetch: async (url) => (asked.push(url), new Response()) })
  await expect(chains.keyAt(text)).rejects.toThrow('SignatureCertChainUrl')
  expect(asked).toEqual([])
})

/** Chains whose file holds these certificates, with our root trusted. */
function serving(pems: readonly string[], { status = 200, clock = Date.now, roots = [root.pem] } = {}) {
  const asked: string[] = []
  const chains = createCertificateChains({
    clock,
    roots,
    fetch: async (url) => {
      asked.push(String(url))
      return new Response(pems.join('\n'), { status })
    },
  })
  return { chains, asked }
}

describe('a chain is believed', () => {
  test.each([
    ['up to the authority below the root', () => [leaf.pem, authority.pem]],
    ['with the root itself at its end', () => [leaf.pem, authority.pem, root.pem]],
    ['with remarks between its certificates', () => ['Bag Attributes\n', leaf.pem, '# and\n', authority.pem]],
  ])('%s', async (_name, pems) => {
    const key = await serving(pems()).chains.keyAt(address)
    expect(key.asymmetricKeyType).toBe('rsa')
  })

  test('when its authority is trusted, though the authority above is not (cross-signed roots)', async () => {
    const above = await issue('Forgotten root')
    const crossed = await issue('Crossed', { issuer: above })
    const signer = await issue('Signer', { issuer: crossed, host })
    const { chains } = serving([signer.pem, crossed.pem, above.pem], { roots: [crossed.pem] })
    await expect(chains.keyAt(address)).resolves.toBeDefined()
  })
})

describe('a chain is refused', () => {
  test.each<[string, () => Promise<readonly string[]>]>([
    [
      'for another name',
      async () => [(await issue('S', { issuer: authority, host: 'amazon.com' })).pem, authority.pem],
    ],
    ['for any name', async () => [(await issue('S', { issuer: authority, host: '*.amazon.com' })).pem, authority.pem]],
    [
      'past its time',
      async () => [(await issue('S', { issuer: authority, host, notAfter: Date.now() - 1000 })).pem, authority.pem],
    ],
    [
      'before its time',
      async () => [(await issue('S', { issuer: authority, host, notBefore: Date.now() + 60_000 })).pem, authority.pem],
    ],
    [
      'from an unknown root',
      async () => {
        const other = await issue('Root')
        return [(await issue('S', { issuer: other, host })).pem, other.pem]
      },
    ],
    ['with its authority left out', async () => [leaf.pem]],
    ['in the wrong order', async () => [authority.pem, leaf.pem]],
    [
      'issued by one that is no authority',
      async () => {
        const imposter = await issue('Imposter', { issuer: authority, host, isAuthority: false })
        const signer = await issue('S', { issuer: { ...imposter, keys: authority.keys }, host })
        return [signer.pem, imposter.pem, authority.pem]
      },
    ],
    [
      'signed by a namesake of its authority',
      async () => {
        const namesake = await issue('Authority')
        return [(await issue('S', { issuer: namesake, host })).pem, authority.pem]
      },
    ],
    ['that has none', async () => ['nothing']],
    ['that is damaged', async () => [leaf.pem.replace(/[A-Za-z]{8}/g, 'AAAAAAAA'), authority.pem]],
    ['of a hundred certificates', async () => [leaf.pem, ...Array.from({ length: 100 }, () => authority.pem)]],
  ])('%s', async (_name, pems) => {
    await expect(serving(await pems()).chains.keyAt(address)).rejects.toThrow()
  })

  test('that is not there', async () => {
    const { chains } = serving([leaf.pem, authority.pem], { status: 404 })
    await expect(chains.keyAt(address)).rejects.toThrow('404')
  })
})

describe('an address is asked', () => {
  test('once while its chain is good, and again after', async () => {
    let now = Date.now()
    const { chains, asked } = serving([leaf.pem, authority.pem], { clock: () => now })
    await chains.keyAt(address)
    await chains.keyAt(`${address}#again`)
    expect(asked).toEqual([address])
    now += 24 * 3_600_000
    await expect(chains.keyAt(address)).rejects.toThrow('time')
    expect(asked).toHaveLength(2)
  })

  test('once by many at a time, and again after a failure', async () => {
    let status = 503
    const asked: string[] = []
    const chains = createCertificateChains({
      clock: Date.now,
      roots: [root.pem],
      fetch: async (url) => {
        asked.push(String(url))
        return new Response([leaf.pem, authority.pem].join('\n'), { status })
      },
    })
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => chains.keyAt(address)))
    expect(all.every((outcome) => outcome.status === 'rejected')).toBe(true)
    expect(asked).toHaveLength(1)
    status = 200
    await chains.keyAt(address)
    expect(asked).toHaveLength(2)
  })

  test('never together with more than three others, which leaves the known ones alone', async () => {
    const gate = Promise.withResolvers<Response>()
    let answer: Promise<Response> | undefined
    let open = 0
    const chains = createCertificateChains({
      clock: Date.now,
      roots: [root.pem],
      fetch: async () => {
        open += 1
        return answer ?? new Response([leaf.pem, authority.pem].join('\n'))
      },
    })
    await chains.keyAt(address)
    answer = gate.promise
    const strangers = Promise.allSettled(Array.from({ length: 50 }, (_, index) => chains.keyAt(nth(index))))
    await chains.keyAt(address)
    expect(open).toBe(1 + 4)
    gate.resolve(new Response('', { status: 404 }))
    const reasons = (await strangers).map((outcome) => outcome.status === 'rejected' && String(outcome.reason))
    expect(reasons.filter((reason) => String(reason).includes('too many'))).toHaveLength(46)
  })

  test('again when so many others were asked that it was forgotten', async () => {
    const { chains, asked } = serving([leaf.pem, authority.pem])
    for (let index = 0; index < 9; index += 1) await chains.keyAt(nth(index))
    await chains.keyAt(nth(8))
    expect(asked).toHaveLength(9)
    await chains.keyAt(nth(0))
    expect(asked).toHaveLength(10)
  })
})
