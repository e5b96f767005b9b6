/** The pages of linking in the language of who reads them, and each language whole. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { de } from '../../src/bridge/oauth/pages/words/de.ts'
import { en } from '../../src/bridge/oauth/pages/words/en.ts'
import type { Brand } from '../../src/bridge/oauth/pages/markup.ts'
import { leavesOf, looksEnglish } from '../catalogues.ts'
import { ada, google, openHouse, type House } from './house.ts'
import { authorizationUrl, createVisitor, formOf } from './visitor.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

const langOf = (text: string): string | undefined => /<html lang="([^"]*)">/.exec(text)?.[1]
const accountPage = (headers: Record<string, string>, at = house) =>
  createVisitor().get(`${at.issuer}/account`, headers)

describe('a page is', () => {
  test.each([
    ['in the language that the browser wants most', 'en;q=0.8, de-AT', 'de'],
    ['in the next best, if that is none of ours', 'fr, it;q=0.9, de;q=0.5, en;q=0.4', 'de'],
    ['not in one that the browser refuses', 'de;q=0, *;q=0.1', 'en'],
    ['in any other, where only English is refused', 'en;q=0, *', 'de'],
    ['in English where the browser wants none of ours', 'fr-CH, fr', 'en'],
    ['in English where anything will do', '*', 'en'],
    ['in English for what is no language at all', ';;q=x,,', 'en'],
  ])('%s', async (_what, wanted, language) => {
    const { text } = await accountPage({ 'accept-language': wanted })
    expect(langOf(text)).toBe(language)
    expect(text).toContain(language === 'de' ? de.account.signInText : en.account.signInText)
  })

  test('as the person has chosen on our own page, before all else', async () => {
    const chosen = [{ name: 'transom_language', value: 'de', path: '/', line: '' }]
    const { text } = await createVisitor(chosen).get(`${house.issuer}/account`, { 'accept-language': 'en' })
    expect(langOf(text)).toBe('de')
  })

  test('as the client says that led there, without a choice', async () => {
    const url = new URL(authorizationUrl(house, google))
    url.searchParams.set('user_locale', 'de-DE')
    const { text } = await createVisitor().get(url.href)
    expect(langOf(text)).toBe('de')
    expect(text).toContain('Google')
  })

  test('as the operator has set, whatever the browser wants', async () => {
    const brand: Brand = { name: 'Haustür', language: 'de' }
    const set = await openHouse({ brand })
    try {
      expect(langOf((await accountPage({ 'accept-language': 'en' }, set)).text)).toBe('de')
    } finally {
      await set.close()
    }
  })
})

test('linking is German from sign-in to consent, with what went wrong', async () => {
  const german = { 'accept-language': 'de' }
  const visitor = createVisitor([{ name: 'transom_language', value: 'de', path: '/', line: '' }])
  const first = await visitor.get(authorizationUrl(house, google), german)
  expect(first.text).toContain('<h1>Bei Transom anmelden</h1>')
  const { action, fields } = formOf(first, '/login')
  const wrong = await visitor.post(action, { ...fields, login: ada.login, password: 'nicht richtig' })
  expect(wrong.text).toContain('Anmeldename oder Passwort ist falsch.')
  expect(wrong.text).toContain('<title>Fehler: Anmelden – Transom</title>')
  const consent = await visitor.post(action, { ...fields, login: ada.login, password: ada.password })
  expect(consent.text).toContain('<h1>Transom mit Google verknüpfen?</h1>')
  expect(consent.text).toContain('erfahren, wenn jemand klingelt')
  const body = consent.text.replace(/<style>.*<\/style>/s, '').replaceAll(/<[^>]*>/g, ' ')
  expect(looksEnglish(body.replaceAll(ada.name, ''))).toBe(false)
})

test('an error that no client can be told is German, too', async () => {
  const { status, text } = await createVisitor().get(`${house.issuer}/auth?client_id=nobody`, {
    'accept-language': 'de',
  })
  expect(status).toBe(400)
  expect(text).toContain(de.messages.refused.title)
  const gone = await createVisitor().get(`${house.issuer}/interaction/none`, { 'accept-language': 'de' })
  expect(gone.text).toContain(de.messages.expired.title)
})

describe('German', () => {
  const { language: _en, day: _date, minute: _time, ...english } = en
  const { language: _de, day: _day, minute: _minute, ...german } = de

  test.each(leavesOf(english, german))('%s', (path, one, other) => {
    expect(other.placeholders).toEqual(one.placeholders)
    expect(other.text.trim()).not.toBe('')
    if (/\s/.test(one.text) && !path.includes('#')) expect(other.text).not.toBe(one.text)
    expect(looksEnglish(other.text)).toBe(false)
  })
})

test('a date is written as each language writes it, in a zone that it names', () => {
  const at = Date.UTC(2026, 10, 28, 20, 14)
  expect(en.minute(at)).toBe('28 Nov 2026, 20:14 UTC')
  expect(de.minute(at)).toBe('28.11.2026, 20:14 UTC')
})
