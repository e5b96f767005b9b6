/** The companion skill, as Alexa asks it. */
import { describe, expect, test } from '@jest/globals'
import type { RequestEnvelope, ResponseEnvelope } from 'ask-sdk-model'
import { durationMs, startOfDay } from '../../src/bridge/alexa/skill/duration.ts'
import { createDoorbellSkill, type SkillDeps } from '../../src/bridge/alexa/skill/skill.ts'
import { timeZoneOf } from '../../src/bridge/alexa/skill/time-zone.ts'
import { BridgeError } from '../../src/core/errors.ts'
import { anna, createJournal, frontDoor, garden, noon } from './world.ts'

const hour = 3_600_000

const intent = (name: string, slots: Record<string, string> = {}) => ({
  type: 'IntentRequest',
  dialogState: 'STARTED',
  intent: {
    name,
    confirmationStatus: 'NONE',
    slots: Object.fromEntries(
      Object.entries(slots).map(([slot, value]) => [slot, { name: slot, value, confirmationStatus: 'NONE' }]),
    ),
  },
})

function createWorld(overrides: Partial<SkillDeps> = {}) {
  const muted: number[] = []
  const journal = createJournal()
  const skill = createDoorbellSkill({
    authorize: async (token) => {
      if (token !== 'good') throw new BridgeError(token === 'expired' ? 'token_expired' : 'unauthorized')
      return { accountId: anna, clientId: 'alexa', scopes: ['camera'] }
    },
    cameras: { list: async () => [frontDoor, garden] },
    isOnline: () => true,
    stateOf: async ({ id }) => (id === garden.id ? { battery: { level: 41.6, at: noon } } : {}),
    visits: async (_camera, since) =>
      [noon - 5 * 60_000, noon - 3 * hour].filter((at) => at >= since).map((at) => ({ at })),
    mute: async (_account, until) => void muted.push(until),
    takeEvent: async () => {},
    timeZone: 'Europe/Berlin',
    clock: () => noon,
    log: journal.log,
    ...overrides,
  })
  const ask = async (
    request: object,
    {
      locale = 'en-US',
      token = 'good',
      interfaces = {},
    }: { locale?: string; token?: string | undefined; interfaces?: object } = {},
  ): Promise<ResponseEnvelope['response'] & { readonly said: string }> => {
    const system = {
      application: { applicationId: 'amzn1.ask.skill.test' },
      user: { userId: 'u', ...(token !== '' && { accessToken: token }) },
      device: { deviceId: 'd', supportedInterfaces: interfaces },
      apiEndpoint: 'https://api.eu.amazonalexa.com',
      apiAccessToken: 't',
    }
    const envelope = {
      version: '1.0',
      session: { new: true, sessionId: 's', application: system.application, user: system.user, attributes: {} },
      context: { System: system },
      request: { requestId: 'r', timestamp: new Date(noon).toISOString(), locale, ...request },
    } as unknown as RequestEnvelope
    const { response } = await skill.invoke(envelope)
    const speech = response.outputSpeech
    return { ...response, said: speech?.type === 'SSML' ? speech.ssml.replace(/<\/?speak>/g, '') : '' }
  }
  return { ask, intent, muted, lines: journal.lines }
}

describe('a customer asks', () => {
  test.each([
    ['LastVisitorIntent', {}, 'Somebody rang at the Front door 5 minutes ago.'],
    ['VisitorCountIntent', {}, '2 visitors rang at the Front door today.'],
    ['CameraOnlineIntent', { camera: 'front door' }, 'Yes, the Front door is online.'],
    ['CameraOnlineIntent', { camera: 'the garden camera' }, 'Yes, the Garden is online. Its battery is at 42 percent.'],
    ['CameraOnlineIntent', { camera: 'attic' }, 'I do not know a camera named attic.'],
    ['MuteIntent', { duration: 'PT1H' }, 'All right. The doorbell is muted until 2:00 PM. Visitors are still noted.'],
    ['UnmuteIntent', {}, 'The doorbell announces visitors again.'],
  ])('%s %j', async (name, slots, said) => {
    const { ask, intent } = createWorld()
    const response = await ask(intent(name, slots))
    expect(response.said.replace('\u202f', ' ')).toBe(said)
    expect(response.shouldEndSession).toBe(true)
  })

  test.each([
    ['LastVisitorIntent', {}, 'Zuletzt hat es vor 5 Minuten geklingelt: Front door.'],
    ['VisitorCountIntent', {}, 'Heute hat es 2 Mal geklingelt: Front door.'],
    [
      'MuteIntent',
      { duration: 'PT1H' },
      'In Ordnung. Die Klingel ist bis 14:00 stumm. Besucher werden trotzdem notiert.',
    ],
  ])('in German: %s', async (name, slots, said) => {
    const { ask, intent } = createWorld()
    expect((await ask(intent(name, slots), { locale: 'de-DE' })).said).toBe(said)
  })

  const recording = { clipUrl: 'https://bridge.example/clip.mp4', stillUrl: 'https://bridge.example/still.jpg' }

  test('who was there at an Echo with a screen, and sees it after the words', async () => {
    const asked: unknown[] = []
    const recordingOf: SkillDeps['recordingOf'] = async ({ id }, account, at) => {
      asked.push(id, account, at)
      return recording
    }
    const { ask, intent } = createWorld({ recordingOf })
    const said = 'Somebody rang at the Front door 5 minutes ago.'
    const response = await ask(intent('LastVisitorIntent'), { interfaces: { VideoApp: {} } })
    expect(asked).toEqual([frontDoor.id, anna, noon - 5 * 60_000])
    expect(response.said).toBe(said)
    expect(response.directives).toEqual([
      {
        type: 'VideoApp.Launch',
        videoItem: { source: recording.clipUrl, metadata: { title: 'Front door', subtitle: said } },
      },
    ])
    // With it Alexa takes no answer that says whether the session ends.
    expect(response).not.toHaveProperty('shouldEndSession')
  })

  test('who was there at an Echo without a screen, and finds the still in the Alexa app', async () => {
    const { ask, intent } = createWorld({ recordingOf: async () => recording })
    const response = await ask(intent('LastVisitorIntent'))
    expect(response.directives).toBeUndefined()
    expect(response.card).toMatchObject({ type: 'Standard', image: { largeImageUrl: recording.stillUrl } })
    expect(response.shouldEndSession).toBe(true)
  })

  test.each([
    ['was not recorded', async () => undefined],
    ['was, but is not found', () => Promise.reject(new Error('disk'))],
  ])('who was there when it %s, and hears it all the same', async (_how, recordingOf) => {
    const { ask, intent } = createWorld({ recordingOf })
    const response = await ask(intent('LastVisitorIntent'), { interfaces: { VideoApp: {} } })
    expect(response).toMatchObject({ said: 'Somebody rang at the Front door 5 minutes ago.', shouldEndSession: true })
    expect(response).not.toHaveProperty('directives')
    expect(response).not.toHaveProperty('card')
  })

  test('who was there, and nobody was', async () => {
    const { ask, intent } = createWorld({ visits: async () => [] })
    expect((await ask(intent('LastVisitorIntent'))).said).toContain('Nobody has rung')
    expect((await ask(intent('VisitorCountIntent'))).said).toBe('Nobody has rung at the Front door today.')
  })

  test('how many today, where the day is that of their Echo', async () => {
    const asked: number[] = []
    const visits: SkillDeps['visits'] = async (_camera, since) => {
      asked.push(since)
      return []
    }
    const { ask, intent } = createWorld({ visits, timeZoneOf: async () => 'Asia/Tokyo' })
    await ask(intent('VisitorCountIntent'))
    expect(asked).toEqual([Date.UTC(2026, 10, 21, 15)])
  })

  test('to mute, for how long is asked when it was not said, or is too long', async () => {
    const { ask, intent, muted } = createWorld()
    for (const slots of [{}, { duration: 'P2D' }, { duration: 'nonsense' }]) {
      const response = await ask(intent('MuteIntent', slots))
      expect(response.directives).toMatchObject([{ type: 'Dialog.ElicitSlot', slotToElicit: 'duration' }])
      expect(response.shouldEndSession).not.toBe(true)
    }
    expect(muted).toEqual([])
    await ask(intent('MuteIntent', { duration: 'PT1H' }))
    expect(muted).toEqual([noon + hour])
  })

  test.each(['', 'expired', 'forged'])('without a good link (%j) and gets a card to link with', async (token) => {
    const { ask, intent } = createWorld()
    const response = await ask(intent('LastVisitorIntent'), { token })
    expect(response.card).toEqual({ type: 'LinkAccount' })
    expect(response.said).toContain('link your account')
  })

  test('while the house is out of order, and hears that it is', async () => {
    const { ask, intent, lines } = createWorld({ visits: () => Promise.reject(new Error('disk <full>')) })
    const response = await ask(intent('LastVisitorIntent'))
    expect(response.said).toContain('Sorry')
    expect(JSON.stringify(response)).not.toContain('disk')
    expect(lines).toMatchObject([{ level: 'error', event: 'skill.failed' }])
  })

  test('about a camera whose name is markup', async () => {
    const { ask, intent } = createWorld({ cameras: { list: async () => [{ ...frontDoor, name: 'A <break/> & B' }] } })
    expect((await ask(intent('LastVisitorIntent'))).said).toContain('A  break/    B')
  })

  test.each(['AMAZON.HelpIntent', 'AMAZON.FallbackIntent', 'SomethingElse'])('%s and may go on', async (name) => {
    const { ask, intent } = createWorld()
    expect((await ask(intent(name))).shouldEndSession).toBe(false)
  })

  test.each(['AMAZON.StopIntent', 'AMAZON.CancelIntent'])('%s', async (name) => {
    const { ask, intent } = createWorld()
    expect((await ask(intent(name))).shouldEndSession).toBe(true)
  })

  test('only to open it', async () => {
    const { ask } = createWorld()
    expect((await ask({ type: 'LaunchRequest' })).said).toContain('Your doorbell is listening')
    // What can be asked only with a link is not offered without one.
    expect(await ask({ type: 'LaunchRequest' }, { token: '' })).toMatchObject({ card: { type: 'LinkAccount' } })
  })
})

test('an event that could not be kept is refused, so that Alexa sends it again, and nobody hears an apology', async () => {
  const { ask, lines } = createWorld({ takeEvent: () => Promise.reject(new Error('disk full')) })
  await expect(ask({ type: 'AlexaSkillEvent.SkillDisabled' })).rejects.toThrow('disk full')
  expect(lines).toEqual([])
})

test('a request for another skill is refused', async () => {
  const { ask } = createWorld({ skillId: 'amzn1.ask.skill.ours' })
  await expect(ask({ type: 'LaunchRequest' })).rejects.toThrow('Skill ID')
})

test.each([
  ['PT1H', hour],
  ['PT1H30M', 1.5 * hour],
  ['P1D', 24 * hour],
  ['P1W', 168 * hour],
  ['PT90S', 90_000],
  ['PT0S', undefined],
  ['P1M', undefined],
  ['', undefined],
])('the duration %j is %s ms', (text, ms) => {
  expect(durationMs(text)).toBe(ms)
})

test.each([
  // The day on which Berlin turned its clocks back began at UTC+2 and ended at UTC+1.
  ['2026-10-25T12:00:00Z', 'Europe/Berlin', '2026-10-24T22:00:00Z'],
  ['2026-10-26T12:00:00Z', 'Europe/Berlin', '2026-10-25T23:00:00Z'],
  ['2026-06-01T00:10:00Z', 'America/Los_Angeles', '2026-05-31T07:00:00Z'],
  ['2026-06-01T00:10:00Z', 'Asia/Kathmandu', '2026-05-31T18:15:00Z'],
])('the day of %s in %s began at %s', (now, zone, start) => {
  expect(new Date(startOfDay(Date.parse(now), zone)).toISOString()).toBe(new Date(start).toISOString())
})

test.each([
  ['https://evil.example', 'is not Amazon'],
  ['http://api.amazonalexa.com', 'is not Amazon'],
  ['https://api.amazonalexa.com.evil.example', 'is not Amazon'],
])('the time zone is not asked of %s: our token is for Amazon', async (apiEndpoint, why) => {
  const requestEnvelope = { context: { System: { apiEndpoint, apiAccessToken: 't', device: { deviceId: 'd' } } } }
  const input = { requestEnvelope } as unknown as Parameters<typeof timeZoneOf>[0]
  await expect(timeZoneOf(input, new AbortController().signal)).rejects.toThrow(why)
})
