/** Where the public URL is https: every cookie is this host's alone, and linking works with it, also twice at once. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { ada, alexa, google, openHouse, type House } from './house.ts'
import { authorizationUrl, formOf, type Answer } from './visitor.ts'

const issuer = 'https://bridge.example/oauth'
let house: House
beforeAll(async () => {
  house = await openHouse({ issuer, consoleUri: 'https://bridge.example/' })
})
afterAll(() => house.close())

/** A browser that reaches the issuer through a proxy which ends TLS, and keeps cookies by RFC 6265bis section 4.1.3.2. */
function createBrowser() {
  const cookies = new Map<string, string>()
  const lines: string[] = []
  const send = async (url: string, post?: Record<string, string>): Promise<Answer> => {
    const response = await fetch(url.replace('https://bridge.example', house.origin), {
      redirect: 'manual',
      headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') },
      ...(post && { method: 'POST', body: new URLSearchParams(post) }),
    })
    for (const line of response.headers.getSetCookie()) {
      lines.push(line)
      const [pair = '', ...rules] = line.split('; ')
      const isWhole = ['path=/', 'secure'].every((rule) => rules.some((given) => given.toLowerCase() === rule))
      const isKept = pair.startsWith('__Host-') && isWhole && !/domain=/i.test(line)
      const [name = '', value = ''] = pair.split('=')
      if (/expires=Thu, 01 Jan 1970/i.test(line)) cookies.delete(name)
      else if (isKept) cookies.set(name, value)
    }
    const location = response.headers.get('location')
    const next = location === null ? undefined : new URL(location, url)
    if (next?.origin === 'https://bridge.example' && next.pathname !== '/') return send(next.href)
    return { url, status: response.status, headers: response.headers, text: await response.text() }
  }
  return { get: (url: string) => send(url), post: send, lines }
}
const submit = (browser: ReturnType<typeof createBrowser>, page: Answer, ending: string, more = {}) => {
  const { action, fields } = formOf(page, ending)
  return browser.post(action, { ...fields, ...more })
}

test('every cookie is this host’s alone', async () => {
  const browser = createBrowser()
  const entry = await browser.get((await house.oauth().entryLink(house.account)) ?? '')
  const path = new URL(entry.url).pathname
  await submit(browser, entry, path)
  const account = await browser.get(`${issuer}/account`)
  expect(account.text).toContain('Ada Lovelace')
  await submit(browser, account, '/logout')
  await submit(browser, await browser.get(`${issuer}/account`), '/login', ada)
  await submit(browser, await browser.get(authorizationUrl({ issuer }, alexa)), '/agree')
  expect(browser.lines.length).toBeGreaterThan(10)
  expect(browser.lines.filter((line) => !/^__Host-[^;]*;.*path=\/;.*secure/i.test(`${line};`))).toEqual([])
})

test('two requests are under way in one browser, and each ends where it began', async () => {
  const browser = createBrowser()
  const [first, second] = [
    await browser.get(authorizationUrl({ issuer }, alexa, { state: 'of-alexa' })),
    await browser.get(authorizationUrl({ issuer }, google, { state: 'of-google' })),
  ]
  const consent = await submit(browser, first, '/login', ada)
  const linked = await submit(browser, consent, '/agree')
  expect(linked.headers.get('location')).toMatch(/^https:\/\/pitangui\.amazon\.com\/.*state=of-alexa/)
  const later = await submit(browser, await submit(browser, second, '/login', ada), '/agree')
  expect(later.headers.get('location')).toMatch(/^https:\/\/oauth-redirect\.googleusercontent\.com\/.*state=of-google/)
})

test('a cookie without the prefix, which another host of the domain may have planted, counts for nothing', async () => {
  const browser = createBrowser()
  await submit(browser, await browser.get(`${issuer}/account`), '/login', ada)
  const planted = browser.lines.map((line) => (line.split('; ')[0] ?? '').replace('__Host-', '')).join('; ')
  const answer = await fetch(`${house.origin}/oauth/account`, { headers: { cookie: planted } })
  expect(await answer.text()).toContain('Sign in to see')
})

/** What each page promises of https. */
const promised = async (one: House) =>
  Promise.all(
    ['/account', '/jwks', '/auth', '/passkey.js', '/nothing/here'].map(async (path) =>
      (await fetch(`${one.origin}/oauth${path}`, { redirect: 'manual' })).headers.get('strict-transport-security'),
    ),
  )

test('a browser that came once comes by https alone; over plain http nothing is promised', async () => {
  expect(new Set(await promised(house))).toEqual(new Set(['max-age=31536000']))
  const plain = await openHouse()
  expect(new Set(await promised(plain))).toEqual(new Set([null]))
  await plain.close()
})
