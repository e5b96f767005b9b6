/** The skill package as `ask deploy` takes it: Amazon's rules for names, sentences, texts and pictures. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'

const folder = new URL('../../skills/alexa/', import.meta.url)
const readJson = (path: string): unknown => JSON.parse(readFileSync(new URL(path, folder), 'utf8'))

interface Intent {
  readonly name: string
  readonly samples: readonly string[]
  readonly slots?: readonly { readonly name: string; readonly type: string; readonly samples?: readonly string[] }[]
}
interface Model {
  readonly languageModel: {
    readonly invocationName: string
    readonly intents: readonly Intent[]
    readonly types: readonly { readonly name: string; readonly values: readonly { name: { value: string } }[] }[]
  }
  readonly dialog: {
    readonly intents: readonly {
      readonly name: string
      readonly slots: readonly { readonly name: string; readonly type: string; readonly prompts: object }[]
    }[]
  }
  readonly prompts: readonly { readonly id: string }[]
}
interface Locale {
  readonly name: string
  readonly summary: string
  readonly description: string
  readonly examplePhrases: readonly string[]
  readonly keywords: readonly string[]
  readonly smallIconUri: string
  readonly largeIconUri: string
}
interface Endpoints {
  readonly endpoint: { readonly uri: string }
  readonly regions: Readonly<Record<'NA' | 'EU' | 'FE', { readonly endpoint: { readonly uri: string } }>>
}
const { manifest } = readJson('skill-package/skill.json') as {
  manifest: {
    readonly publishingInformation: { readonly category: string; readonly locales: Readonly<Record<string, Locale>> }
    readonly apis: { readonly smartHome: Endpoints & { readonly protocolVersion: string }; readonly custom: Endpoints }
    readonly events: Endpoints & { readonly subscriptions: readonly { readonly eventName: string }[] }
    readonly permissions: readonly object[]
    readonly privacyAndCompliance: { readonly locales: object }
  }
}
const { locales } = manifest.publishingInformation

/** Launch phrases and wake words, which an invocation name must not hold (choose-the-invocation-name-for-a-custom-skill.html). */
const reserved =
  /\b(alexa|amazon|echo|computer|skill|app|ask|tell|open|start|launch|play|frage|sage|öffne|starte|spiele|to|and|from|und|nach|von)\b/u
/** What a slot may stand for is said in its own words. */
const said = (sample: string) => new RegExp(`^${sample.replaceAll(/\{\w+\}/g, '.+')}$`, 'iu')

test('there is a model for every locale of the manifest', () => {
  expect(Object.keys(locales)).toEqual(['en-US', 'de-DE'])
  expect(Object.keys(manifest.privacyAndCompliance.locales)).toEqual(Object.keys(locales))
})

describe.each(Object.keys(locales))('%s', (locale) => {
  const { interactionModel: model } = readJson(`skill-package/interactionModels/custom/${locale}.json`) as {
    interactionModel: Model
  }
  const { invocationName, intents, types } = model.languageModel
  const own = intents.filter(({ name }) => !name.startsWith('AMAZON.'))
  const texts = locales[locale]!

  test('the invocation name is one that Amazon takes', () => {
    expect(invocationName).toMatch(/^[\p{Ll} .']{2,50}$/u)
    expect(invocationName).not.toMatch(reserved)
    // One word is enough in German alone, where it may be a compound.
    if (!locale.startsWith('de')) expect(invocationName.split(' ').length).toBeGreaterThan(1)
  })

  test('the intents are those of the skill, each with words of its own, and slots that exist', () => {
    expect(own.map(({ name }) => name)).toEqual([
      'LastVisitorIntent',
      'VisitorCountIntent',
      'CameraOnlineIntent',
      'MuteIntent',
      'UnmuteIntent',
    ])
    // Pause and resume: a screen hands its own to the skill when no clip plays.
    for (const name of ['Help', 'Stop', 'Cancel', 'NavigateHome', 'Pause', 'Resume', 'Fallback'])
      expect(intents.map((intent) => intent.name)).toContain(`AMAZON.${name}Intent`)
    const samples = own.flatMap((each) => each.samples)
    expect(new Set(samples.map((each) => each.toLowerCase())).size).toBe(samples.length)
    for (const { samples: words, slots = [] } of own) {
      for (const [, slot] of words.join(' ').matchAll(/\{(\w+)\}/g))
        expect(slots.map(({ name }) => name)).toContain(slot)
      for (const { type } of slots) expect(['AMAZON.DURATION', ...types.map(({ name }) => name)]).toContain(type)
    }
  })

  test('sentences are letters, spaces and slots, with words around each slot but where it is asked for', () => {
    for (const sample of own.flatMap((each) => each.samples)) {
      expect(sample).toMatch(/^[\p{L}' ]*(\{\w+\}[\p{L}' ]*)*$/u)
      expect(sample).not.toMatch(/^\{\w+\}$|\}\s*\{/)
      const slots = [...sample.matchAll(/\{(\w+)\}/g)].map(([, slot]) => slot)
      expect(new Set(slots).size).toBe(slots.length)
    }
    for (const { values } of types) {
      const names = values.map(({ name }) => name.value.toLowerCase())
      expect(new Set(names).size).toBe(names.length)
    }
  })

  test('what is asked back has its prompt', () => {
    const prompts = model.prompts.map(({ id }) => id)
    for (const { name, slots } of model.dialog.intents) {
      const intent = own.find((each) => each.name === name)
      for (const slot of slots) {
        expect(intent?.slots).toContainEqual(expect.objectContaining({ name: slot.name, type: slot.type }))
        for (const id of Object.values(slot.prompts)) expect(prompts).toContain(id)
      }
    }
  })

  test('the example phrases are understood', () => {
    expect(texts.examplePhrases).toHaveLength(3)
    const toSkill = new RegExp(`^Alexa, (?:ask|tell|frage|sage) ${invocationName},? (.+)$`, 'iu')
    const asked = texts.examplePhrases.flatMap((phrase) => toSkill.exec(phrase)?.[1] ?? [])
    expect(asked).toHaveLength(2)
    const samples = own.flatMap((each) => each.samples).map(said)
    for (const words of asked) expect(samples.some((sample) => sample.test(words))).toBe(true)
    for (const phrase of texts.examplePhrases) expect(phrase).toMatch(/^Alexa, /)
  })

  test('the texts fit the store, and the icons have their sizes', () => {
    expect(texts.name.length).toBeLessThanOrEqual(50)
    expect(texts.summary.length).toBeLessThanOrEqual(160)
    expect(texts.description.length).toBeLessThanOrEqual(4_000)
    expect(texts.keywords.length).toBeLessThanOrEqual(30)
    expect([texts.smallIconUri, texts.largeIconUri].map(sizeOf)).toEqual([
      [108, 108],
      [512, 512],
    ])
  })
})

/** Width and height of a PNG (its IHDR chunk). */
function sizeOf(uri: string): number[] {
  const png = readFileSync(new URL(uri.replace('file://', 'skill-package/'), folder))
  expect(png.toString('latin1', 1, 4)).toBe('PNG')
  return [png.readUInt32BE(16), png.readUInt32BE(20)]
}

test('both parts of the skill and its events are in each region where Amazon wants them', () => {
  const { smartHome, custom } = manifest.apis
  expect(smartHome.protocolVersion).toBe('3')
  expect(manifest.publishingInformation.category).toBe('SMART_HOME')
  expect(manifest.permissions).toEqual([{ name: 'alexa::async_event:write' }])
  expect(manifest.events.subscriptions.map(({ eventName }) => eventName)).toEqual([
    'SKILL_ENABLED',
    'SKILL_DISABLED',
    'SKILL_ACCOUNT_LINKED',
  ])
  for (const { endpoint, regions } of [smartHome, custom, manifest.events]) {
    const uris = [endpoint, regions.NA.endpoint, regions.EU.endpoint, regions.FE.endpoint].map(({ uri }) => uri)
    expect(uris.map((uri) => /^arn:aws:lambda:([\w-]+):\d{12}:function:[\w-]+$/.exec(uri)?.[1])).toEqual([
      'us-east-1',
      'us-east-1',
      'eu-west-1',
      'us-west-2',
    ])
  }
})

test('the command line tool finds the package, and account linking is what Alexa demands', () => {
  expect(readJson('ask-resources.json')).toMatchObject({
    askcliResourcesVersion: '2020-03-31',
    profiles: { default: { skillMetadata: { src: './skill-package' } } },
  })
  expect(readJson('account-linking.json')).toMatchObject({
    accountLinkingRequest: { type: 'AUTH_CODE', accessTokenScheme: 'HTTP_BASIC', scopes: ['camera'] },
  })
})
