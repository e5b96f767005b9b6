/** The Google Home app, which links accounts itself since September 2026: where it takes the code, and how it is opened. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { ada, alexa, google, openHouse, type House } from './house.ts'
import { agree, authorizationUrl, codeFields, createVisitor, requestTokens, signIn } from './visitor.ts'

const app = 'https://oauth-redirect.googleusercontent.com/a/com.google.Chromecast'
let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

test('a client of a project that was made before takes the code to the app', async () => {
  expect(google.redirectUris).not.toContain(app)
  const visitor = createVisitor()
  const asked = await signIn(visitor, await visitor.get(authorizationUrl(house, google, { redirect_uri: app })))
  const back = new URL((await agree(visitor, asked)).headers.get('location') ?? '')
  expect(`${back.origin}${back.pathname}`).toBe(app)
  const code = back.searchParams.get('code') ?? ''
  const reply = await requestTokens(house, google, codeFields(code, app))
  expect(reply).toMatchObject({ status: 200, body: { token_type: 'Bearer' } })
})

test.each([
  ['another app', google, `${app}2`],
  ['the app, by a client of Alexa', alexa, app],
  ['the app below another path', google, `${app}/x`],
  ['the app by plain http', google, app.replace('https', 'http')],
])('no code goes to %s', async (_name, client, uri) => {
  const answer = await createVisitor().get(authorizationUrl(house, client, { redirect_uri: uri }))
  expect(answer.status).toBe(400)
})

test('the account page opens the app with the project', async () => {
  const visitor = createVisitor()
  const page = await signIn(visitor, await visitor.get(`${house.issuer}/account`), ada)
  expect(page.text).toContain(
    'href="https://home.google.com/home-app/?deeplink=setup%2Fha_linking%3Fagent_id%3Ddoorbell"',
  )
})
