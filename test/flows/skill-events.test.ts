/** What Alexa tells the skill unasked: linked, disabled, an error of ours; through the one entry that Lambda and the forwarder use. */
import { describe, expect, test } from '@jest/globals'
import * as directive from '../alexa/directives.ts'
import { anna } from '../alexa/world.ts'
import { namesOf, openHouse, type House } from '../app/house.ts'

const send = (house: House, request: object, user: object = { userId: 'amzn1.ask.account.ANNA' }) =>
  house.alexa.entry({
    version: '1.0',
    context: { System: { application: { applicationId: 'amzn1.ask.skill.ours' }, user } },
    request: { requestId: 'r', timestamp: new Date().toISOString(), ...request },
  })
const linked = { type: 'AlexaSkillEvent.SkillAccountLinked', body: { accessToken: 'good' } }
const disabled = (at = Date.now()) => ({
  type: 'AlexaSkillEvent.SkillDisabled',
  eventCreationTime: new Date(at).toISOString(),
  eventPublishingTime: new Date(at).toISOString(),
  body: { userInformationPersistenceStatus: 'NOT_PERSISTED' },
})
const press = async (house: House, eventId = 'p') => {
  await house.tell({ kind: 'press', eventId, at: Date.now() })
  await house.outbox.settled()
}
const grant = (house: House, code = 'code-1') => {
  house.amazon.state.codes.add(code)
  return house.alexa.entry(directive.acceptGrant(code))
}

test.each([
  linked,
  disabled(),
  { type: 'AlexaSkillEvent.SkillEnabled' },
  { type: 'AlexaSkillEvent.SkillPermissionChanged', body: {} },
  { type: 'AlexaSkillEvent.SkillPermissionAccepted', body: {} },
  { type: 'AlexaSkillEvent.ProactiveSubscriptionChanged', body: { subscriptions: [] } },
  { type: 'AlexaSkillEvent.SkillAccountLinked' },
  { type: 'AlexaSkillEvent.SkillAccountLinked', body: { accessToken: 'expired' } },
  { type: 'AlexaSkillEvent.SkillAccountLinked', body: { accessToken: 'forged' } },
  { type: 'System.ExceptionEncountered', error: { type: 'INVALID_RESPONSE', message: 'm' }, cause: { requestId: 'r' } },
  { type: 'SessionResumedRequest', cause: { type: 'ConnectionCompleted' } },
  { type: 'SessionEndedRequest', reason: 'USER_INITIATED' },
  { type: 'SomethingNew' },
])('$type is taken quietly', async (request) => {
  await using house = await openHouse()
  expect(await send(house, request)).toMatchObject({ version: '1.0', response: {} })
  expect(JSON.stringify(await send(house, request))).not.toMatch(/outputSpeech|card|shouldEndSession/)
  expect(house.lines.filter(({ level }) => level === 'error')).toEqual([])
})

describe('who disables the skill', () => {
  test('is told nothing more, and finds a notice; enabled again, presses come again', async () => {
    await using house = await openHouse()
    await grant(house)
    await send(house, linked)
    await press(house, 'before')
    expect(namesOf(house)).toHaveLength(1)
    await send(house, disabled())
    await press(house, 'after')
    expect(namesOf(house)).toHaveLength(1)
    expect(await house.notices.list(anna)).toMatchObject([{ kind: 'alexa_unlinked' }])
    await grant(house, 'code-2')
    await press(house, 'again')
    expect(namesOf(house)).toHaveLength(2)
    expect(await house.notices.list(anna)).toEqual([])
  })

  test('is known by the token of the event, too', async () => {
    await using house = await openHouse()
    await grant(house)
    await send(house, disabled(), { userId: 'u', accessToken: 'good' })
    await press(house)
    expect(namesOf(house)).toEqual([])
  })

  test('and enabled it again before the event came keeps the new grant', async () => {
    await using house = await openHouse()
    await send(house, linked)
    await grant(house)
    await send(house, disabled(Date.now() - 60_000))
    await press(house)
    expect(namesOf(house)).toHaveLength(1)
  })

  test('is one of several who linked the account: only the newest link is theirs to end', async () => {
    await using house = await openHouse()
    await send(house, linked, { userId: 'first' })
    await send(house, linked, { userId: 'second' })
    await grant(house)
    await send(house, disabled(), { userId: 'first' })
    await send(house, disabled(), { userId: 'stranger' })
    await press(house)
    expect(namesOf(house)).toHaveLength(1)
  })
})

test("what Alexa could not take is logged with Amazon's text", async () => {
  await using house = await openHouse()
  const error = { type: 'INVALID_RESPONSE', message: 'The directive is not supported' }
  await send(house, { type: 'System.ExceptionEncountered', error, cause: { requestId: 'r-7' } })
  await send(house, { type: 'SessionEndedRequest', reason: 'ERROR', error })
  expect(house.lines).toMatchObject([
    { level: 'warn', event: 'skill.exception', fields: { type: error.type, error: error.message, requestId: 'r-7' } },
    { level: 'warn', event: 'skill.exception', fields: { type: error.type, error: error.message } },
  ])
})
