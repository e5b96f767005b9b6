/** The pages in a real browser: without scripts, by keyboard alone, with a passkey, at every size and in both colours. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import * as oauth from 'oauth4webapi'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { ada, alexa, google, type House, openHouse } from './house.ts'
import { authorizationUrl, link } from './visitor.ts'
import { launchChromium } from '../browser.ts'

/** Where the pictures go, to be looked at; nowhere by default. */
const pictures = process.env['PICTURES_DIR']
const looks = [
  { name: 'desktop-light', viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { name: 'phone-dark', viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
] as const

let house: House
let browser: Browser
beforeAll(async () => {
  house = await openHouse({
    cameras: async () => ['Front Door', 'Garden'],
    sharing: () => ({
      cameras: async () => [
        {
          id: 'front',
          name: 'Front Door',
          guests: [
            { login: 'bob@example.com', name: 'Bob', mayTalk: true },
            { login: 'carol@example.com', mayTalk: false, isInvited: true },
          ],
        },
        { id: 'garden', name: 'Garden', guests: [] },
      ],
      invitations: async () => [
        { id: 'i', camera: 'Back porch', owner: { login: 'dave@example.com', name: 'Dave' }, mayTalk: true },
      ],
      received: async () => [{ id: 'gate', name: 'Gate', owner: 'erin@example.com', mayTalk: false }],
      guests: async () => [],
      invite: async () => {},
      withdraw: async () => {},
      accept: async () => true,
      decline: async () => true,
      leave: async () => true,
      share: async () => {},
      unshare: async () => {},
      forget: async () => {},
      forgetPerson: async () => {},
    }),
  })
  browser = await launchChromium(['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost'])
})
afterAll(async () => {
  await browser.close()
  await house.close()
})

/** A browser of its own, that fails the test when a page breaks a policy or throws. */
async function visit(options: BrowserContextOptions, url: string, use: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    // The way back to the assistant leads to a host that does not exist here.
    if (
      message.type() === 'error' &&
      !/ERR_(NAME_NOT_RESOLVED|INTERNET|ABORTED|FAILED|CONNECTION)|status of 4\d\d/.test(message.text())
    ) {
      complaints.push(message.text())
    }
  })
  try {
    await page.goto(url)
    await use(page)
    expect(complaints).toEqual([])
  } finally {
    await context.close()
  }
}

async function picture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
}

/** On the account page, whose sign-in form is shown. */
async function addPasskey(page: Page) {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  await signIn(page)
  await page.getByText('Add a passkey').click()
  await page.locator('#confirm').fill(ada.password)
  await page.getByRole('button', { name: 'Confirm', exact: true }).click()
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByText('The passkey was added.').waitFor()
  return { devtools, authenticatorId }
}

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('Login').fill(ada.login)
  await page.getByLabel('Password').fill(ada.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

/** Where the browser is sent at the end. It never arrives: no test leaves this machine. */
async function leaving(page: Page): Promise<URL> {
  const request = await page.waitForRequest((one) =>
    /amazon\.com$|googleusercontent\.com$/.test(new URL(one.url()).hostname),
  )
  return new URL(request.url())
}

const measure = readFileSync(join(import.meta.dirname, 'measure-page.js'), 'utf8')

/** What a screen reader, a small screen and weak eyes need, measured in the page itself. */
async function expectAccessible(page: Page): Promise<void> {
  const found = await page.evaluate(measure)
  expect(found).toEqual({
    nameless: [],
    small: [],
    faint: [],
    headings: 1,
    main: 1,
    language: 'en',
    overflow: 0,
    ids: [],
  })
}

describe('a certified client library, set up as the assistants are, links through the browser', () => {
  test.each([
    ['Alexa: secret in the header, PKCE', alexa, oauth.ClientSecretBasic(alexa.clientSecret), true],
    ['Alexa: secret in the body', alexa, oauth.ClientSecretPost(alexa.clientSecret), false],
    ['Google', google, oauth.ClientSecretPost(google.clientSecret), false],
  ])('%s', async (_name, { clientId, redirectUris }, authentication, isPkce) => {
    const insecure = { [oauth.allowInsecureRequests]: true }
    const issuer = new URL(house.issuer)
    const server = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }),
    )
    const client = { client_id: clientId }
    const redirectUri = redirectUris[0] ?? ''
    const verifier = isPkce ? oauth.generateRandomCodeVerifier() : oauth.nopkce
    const state = 'S'.repeat(900)
    const url = new URL(server.authorization_endpoint ?? '')
    url.search = new URLSearchParams({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      state,
      ...(typeof verifier === 'string' && {
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }),
    }).toString()
    await visit({}, url.href, async (page) => {
      await signIn(page)
      const left = leaving(page)
      await page.getByRole('button', { name: 'Agree and link' }).click()
      const parameters = oauth.validateAuthResponse(server, client, await left, state)
      const reply = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        authentication,
        parameters,
        redirectUri,
        verifier,
        insecure,
      )
      const tokens = await oauth.processAuthorizationCodeResponse(server, client, reply)
      const again = await oauth.refreshTokenGrantRequest(
        server,
        client,
        authentication,
        tokens.refresh_token ?? '',
        insecure,
      )
      const refreshed = await oauth.processRefreshTokenResponse(server, client, again)
      expect(await house.oauth().verifyToken(refreshed.access_token)).toMatchObject({ clientId })
    })
  })
})

describe.each(looks)('$name', ({ name, ...look }) => {
  test('sign-in, a wrong password, and consent are readable and lead back to the assistant, without any script', async () => {
    await visit({ ...look, javaScriptEnabled: false }, authorizationUrl(house, google), async (page) => {
      await picture(page, `sign-in-${name}`)
      await page.getByLabel('Login').fill(ada.login)
      await page.getByLabel('Password').fill('wrong')
      await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      await page.getByRole('alert').filter({ hasText: 'wrong' }).waitFor()
      await picture(page, `wrong-${name}`)
      expect(await page.getByRole('button', { name: 'passkey' }).count()).toBe(0)
      await signIn(page)
      await page.getByText('Front Door, Garden').waitFor()
      await picture(page, `consent-${name}`)
      const left = leaving(page)
      await page.getByRole('button', { name: 'Agree and link' }).click()
      expect((await left).searchParams.get('code')).toMatch(/./)
    })
  })

  test('every page has names, contrast, room for a finger and no sideways scrolling', async () => {
    await link(house, alexa)
    await house.oauth().audit.write(house.account, 'login-failed', 'from 192.0.2.7')
    const invitation = await house.oauth().tickets.issue({ kind: 'invitation' }, 60_000)
    const reset = await house.oauth().tickets.issue({ kind: 'reset', accountId: house.account }, 60_000)
    await visit(look, authorizationUrl(house, alexa), async (page) => {
      await expectAccessible(page)
      await picture(page, `sign-in-with-passkey-${name}`)
      await signIn(page)
      await expectAccessible(page)
      // No second login.
      await page.goto(`${house.issuer}/account`)
      await page.getByRole('heading', { name: ada.name }).waitFor()
      await expectAccessible(page)
      await picture(page, `account-closed-${name}`)
      for (const summary of ['Share Front Door', 'Change your password', 'Add a passkey']) {
        await page.getByText(summary, { exact: true }).click()
      }
      await page.getByLabel('Remove Amazon Alexa').first().click()
      await expectAccessible(page)
      await picture(page, `account-${name}`)
      await page.getByRole('button', { name: 'Sign out', exact: true }).click()
      await page.getByText('Sign in to see which assistants').waitFor()
      await expectAccessible(page)
      await picture(page, `account-sign-in-${name}`)
      for (const code of [invitation, reset, 'unknown']) {
        await page.goto(`${house.issuer}/welcome/${code}`)
        await expectAccessible(page)
        await picture(page, `welcome-${code === invitation ? 'invitation' : code === reset ? 'reset' : 'used'}-${name}`)
      }
    })
  })
})

test('the whole way is possible by keyboard, with the focus where it belongs and in sight', async () => {
  await visit({}, authorizationUrl(house, alexa), async (page) => {
    expect(await page.evaluate('document.activeElement.id')).toBe('login')
    await page.keyboard.type(ada.login)
    await page.keyboard.press('Tab')
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid')
    await page.keyboard.type(ada.password)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Link Transom to Amazon Alexa?' }).waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent.trim()')).toBe('Agree and link')
    const left = leaving(page)
    await page.keyboard.press('Enter')
    expect((await left).searchParams.get('code')).toMatch(/./)
  })
})

test('a passkey is added on the account page, links instead of a password, and is removed', async () => {
  await visit({}, `${house.issuer}/account`, async (page) => {
    const { devtools, authenticatorId } = await addPasskey(page)
    expect((await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials).toHaveLength(1)

    // Somebody who is not signed in any more.
    await page.getByRole('button', { name: 'Sign out', exact: true }).click()
    await page.goto(authorizationUrl(house, google))
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await page.getByText('Signed in as Ada Lovelace').waitFor()
    const left = leaving(page)
    await page.getByRole('button', { name: 'Agree and link' }).click()
    expect((await left).searchParams.get('code')).toMatch(/./)
    await page.waitForURL(/^chrome-error:/)

    // A session of another five minutes has to confirm again: with the passkey, if that is how it wants it.
    await page.goto(`${house.issuer}/account`)
    await page.getByText('Add a passkey').click()
    await page.getByRole('button', { name: 'Confirm with a passkey' }).click()
    await page.getByText('For five minutes you can add a passkey').waitFor()
    await page.getByLabel(/^Remove the passkey/).click()
    await page.getByRole('button', { name: /Yes, remove the passkey/ }).click()
    await page.getByText('Removed.').waitFor()
    await page.getByRole('button', { name: 'Sign out', exact: true }).click()
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await page.getByText('This passkey is not known here.').waitFor()
  })
  const history = (await house.oauth().audit.read(house.account)).map(({ kind }) => kind)
  expect(history).toEqual(expect.arrayContaining(['passkey-added', 'passkey-removed']))
})

test('an account is deleted with a passkey, after it was said what goes', async () => {
  const own = await openHouse()
  try {
    await visit({}, `${own.issuer}/account`, async (page) => {
      await addPasskey(page)
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'Download my data' }).click(),
      ])
      expect(file.suggestedFilename()).toBe('account.json')
      await page.getByRole('link', { name: 'Delete my account' }).click()
      await expectAccessible(page)
      await picture(page, 'delete-account')
      await page.getByRole('button', { name: 'Delete my account, with a passkey' }).click()
      await page.getByText('Your account was deleted').waitFor()
    })
    expect(await own.oauth().users.findByAccount(own.account)).toBeUndefined()
  } finally {
    await own.close()
  }
})

test('without user verification the passkey is refused, and the page says what else to do', async () => {
  await visit({}, authorizationUrl(house, google), async (page) => {
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('WebAuthn.enable')
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: false,
        automaticPresenceSimulation: true,
      },
    })
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await page.getByRole('alert').filter({ hasText: 'use your password' }).waitFor()
    await signIn(page)
    await page.getByText('Signed in as Ada Lovelace').waitFor()
  })
})

test('no other site may put the pages into a frame, and a form that it posts is refused', async () => {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    await page.goto(`${house.issuer}/account`)
    await signIn(page)
    await page.getByRole('heading', { name: ada.name }).waitFor()
    await page.route('https://evil.example/*', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<iframe src="${house.issuer}/account"></iframe>
          <form method="post" action="${house.issuer}/account/logout"><button>win a prize</button></form>`,
      }),
    )
    await page.goto('https://evil.example/')
    const [frame] = page.frames().filter((one) => one !== page.mainFrame())
    expect(frame).toBeDefined()
    expect(await frame?.getByText('Ada').count()).toBe(0)
    await page.getByText('win a prize').click()
    await page.waitForURL(/account/)
    await page.goto(`${house.issuer}/account`)
    expect(await page.getByRole('heading', { name: ada.name }).count()).toBe(1)
  } finally {
    await context.close()
  }
})
