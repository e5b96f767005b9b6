/** The session machine: its transitions one by one, and random walks that hold its promises. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { gatheredBy, isOverdue, open, step, type Effect, type Session } from '../../src/bridge/broker/session.ts'
import type { Facts, SessionEvent } from '../../src/bridge/broker/story.ts'
import { viewOf } from '../../src/bridge/broker/view.ts'
import { budgets, cSdkAnswer, echoOffer, facts, hostCandidate, reflexiveCandidate, relayCandidate } from './fixtures.ts'

const candidate = (line: string): { readonly candidate: string; readonly sdpMid: string } => ({
  candidate: line,
  sdpMid: '0',
})
const answered = (at: number): SessionEvent => ({ kind: 'camera-answered', sdp: cSdkAnswer, at })
const servers = (turn: boolean, stun: boolean): SessionEvent => ({
  kind: 'servers-known',
  servers: { turn, stun },
  at: 12,
})
const found = (line: string, at: number): SessionEvent => ({ kind: 'camera-candidate', candidate: candidate(line), at })

/** Opens a session at 10 and feeds it; returns where it stands and all effects but the offer, in brief. */
function play(...events: readonly SessionEvent[]): { session: Session; effects: readonly string[] } {
  let [session, effects] = open(facts, echoOffer, 10)
  const all = [...effects]
  for (const event of events) {
    ;[session, effects] = step(session, event)
    all.push(...effects)
  }
  return { session, effects: all.filter(({ kind }) => kind !== 'offer').map(brief) }
}

function brief(effect: Effect): string {
  if (effect.kind === 'wake') return `wake ${effect.at}`
  return effect.kind === 'refuse' ? `refuse ${effect.error.code}` : effect.kind
}

/** The last effects after an answer at 20 and these events. */
function lastOf(given: Facts, ...events: readonly SessionEvent[]): readonly string[] {
  let [session] = open(given, echoOffer, 10)
  let last: readonly Effect[] = []
  for (const event of [answered(20), ...events]) [session, last] = step(session, event)
  return last.map(brief)
}

const phase = (session: Session): string => session.phase
const deadline = 'wake 4900'

function answeredBy(given: typeof facts, sdp: string, offer = echoOffer): Session {
  const [offered] = open(given, offer, 10)
  const [gathering] = step(offered, { kind: 'camera-answered', sdp, at: 20 })
  return step(gathering, { kind: 'camera-gathered', at: 25 })[0]
}

const withoutPicture = (sdp: string): string => sdp.replace(/m=video \d+ /, 'm=video 0 ')

describe('a camera without sound', () => {
  const silentAnswer = cSdkAnswer.replace(/m=audio 9 /, 'm=audio 0 ')
  const needy = { ...facts, rules: { ...facts.rules, needsSound: true } }
  test('is shown all the same, and is the cause if the display that needs sound shows nothing', () => {
    const session = answeredBy(needy, silentAnswer)
    expect(phase(session)).toBe('answered')
    const view = viewOf(session, 30)
    expect(view.cause?.code).toBe('no_sound')
    expect(view.timeline.map(({ step }) => step)).toContain('no-sound')
    const [ended] = step(session, { kind: 'ended', reason: 'the display gave up', at: 40 })
    expect(viewOf(ended, 50).cause?.code).toBe('no_sound')
  })

  test('is no cause for a display that asked for none', () => {
    const session = answeredBy(needy, silentAnswer, echoOffer.replace(/m=audio \d+ /, 'm=audio 0 '))
    expect(phase(session)).toBe('answered')
    expect(viewOf(session, 30).cause).toBeUndefined()
  })

  test('is the cause on any display without a screen, which has nothing but sound', () => {
    const answerOnly = (direction: string) =>
      withoutPicture(cSdkAnswer).replace(/a=(sendrecv|sendonly)/, `a=${direction}`)
    const talkOnly = answeredBy(facts, answerOnly('recvonly'), withoutPicture(echoOffer))
    expect([phase(talkOnly), viewOf(talkOnly, 30).cause?.code]).toEqual(['answered', 'no_sound'])
    const nothing = answeredBy(facts, answerOnly('inactive'), withoutPicture(echoOffer))
    expect([phase(nothing), viewOf(nothing, 30).cause?.code]).toEqual(['closed', 'no_sound'])
  })

  test('is not the cause when media failed', () => {
    const [failed] = step(answeredBy(needy, silentAnswer), { kind: 'camera-reported', state: 'failed', at: 40 })
    expect(viewOf(failed, 50).cause?.code).toBe('media_failed')
  })

  test.each([
    ['whose display can do without', facts, silentAnswer],
    ['that has sound after all', needy, cSdkAnswer],
  ])('%s has no cause', (_, given, sdp) => {
    expect(viewOf(answeredBy(given, sdp), 30).cause).toBeUndefined()
  })
})

const ended = (at: number): SessionEvent => ({ kind: 'ended', reason: 'the viewer left', at })
const answeredFor = (assistant: (typeof facts)['assistant']) => answeredBy({ ...facts, assistant }, cSdkAnswer)
const causeOf = (session: Session, ...events: readonly SessionEvent[]) =>
  viewOf(
    events.reduce((one, event) => step(one, event)[0], session),
    1_000,
  ).cause

/** The cause of a view of Google's, or the hint at one. */
const outcomeOf = (...events: readonly SessionEvent[]) => {
  const session = events.reduce((one, event) => step(one, event)[0], answeredFor('google'))
  const { cause, hint } = viewOf(session, 25 + budgets.lifetimeMs)
  return [cause?.code, hint?.code]
}
const reported = (state: 'connected' | 'left' | 'silent' | 'failed', at: number): SessionEvent => ({
  kind: 'camera-reported',
  state,
  at,
})

describe('an answer after which nobody connected', () => {
  test.each(['alexa', 'console'] as const)(
    'is the cause when %s ends it, for its display would have said so',
    (assistant) => {
      expect(causeOf(answeredFor(assistant), ended(2_525))).toMatchObject({
        code: 'media_failed',
        message: 'neither camera nor display reported a connection in the 2.5 s after the answer',
      })
    },
  )

  test('is none of a display that left before a connection could be there', () => {
    expect(causeOf(answeredFor('alexa'), ended(1_500))).toBeUndefined()
  })

  test('is the cause when its time is over', () => {
    const session = answeredFor('alexa')
    expect(viewOf(session, 25 + budgets.lifetimeMs)).toMatchObject({ phase: 'closed', cause: { code: 'media_failed' } })
  })

  describe('of Google, whose display never says that it is connected', () => {
    test.each<[name: string, events: readonly SessionEvent[], outcome: readonly (string | undefined)[]]>([
      ['nobody knows of one that ended', [ended(2_525)], [undefined, 'unconfirmed']],
      ['nor of one whose time is over', [], [undefined, 'unconfirmed']],
      ['nothing is said of one that left at once', [ended(1_500)], [undefined, undefined]],
      ['nor where the camera saw it', [reported('connected', 90), ended(2_525)], [undefined, undefined]],
      ['nor where the camera says so afterwards', [ended(2_525), reported('left', 2_600)], [undefined, undefined]],
      ['nor where it says so late', [ended(2_525), reported('connected', 2_600)], [undefined, undefined]],
      [
        'a failure that is reported afterwards is the cause',
        [ended(2_525), reported('failed', 2_600)],
        ['media_failed', undefined],
      ],
    ])('%s', (_, events, outcome) => {
      expect(outcomeOf(...events)).toEqual(outcome)
    })

    test('silence is the cause at a camera that tells of its viewers', () => {
      const session = answeredBy({ ...facts, assistant: 'google', hasReports: true }, cSdkAnswer)
      expect(causeOf(session, ended(2_525))).toMatchObject({ code: 'media_failed' })
      expect(causeOf(session, ended(2_525), reported('left', 2_600))).toBeUndefined()
    })
  })

  test.each<[who: string, event: SessionEvent]>([
    ['the display', { kind: 'display-connected', at: 100 }],
    ['the camera', { kind: 'camera-reported', state: 'connected', at: 100 }],
  ])('is no cause when %s said that it was connected', (_, event) => {
    expect(causeOf(answeredFor('alexa'), event, ended(2_525))).toBeUndefined()
  })

  test.each(['left', 'silent', 'connected'] as const)('is taken back when the camera says afterwards: %s', (state) => {
    expect(causeOf(answeredFor('alexa'), ended(400), { kind: 'camera-reported', state, at: 500 })).toBeUndefined()
  })

  test.each(['alexa', 'google'] as const)(
    'has the camera’s own word for it, also when that comes after the end (%s)',
    (assistant) => {
      const cause = { code: 'media_failed', message: 'DTLS failed: certificate of another fingerprint' } as const
      const failed: SessionEvent = { kind: 'camera-reported', state: 'failed', cause, at: 500 }
      expect(causeOf(answeredFor(assistant), ended(400), failed)).toMatchObject(cause)
      expect(causeOf(answeredFor(assistant), failed, ended(600))).toMatchObject(cause)
    },
  )

  test('a failure after a view that ran is none', () => {
    const events: readonly SessionEvent[] = [
      { kind: 'display-connected', at: 100 },
      ended(400),
      { kind: 'camera-reported', state: 'failed', at: 500 },
    ]
    expect(causeOf(answeredFor('alexa'), ...events)).toBeUndefined()
  })

  test('names the TURN server that gave the camera no relay', () => {
    const servers = { turn: true, stun: true, turnUrls: ['turn:relay.example:3478'] }
    const { session } = play({ kind: 'servers-known', servers, at: 12 }, answered(20), {
      kind: 'camera-gathered',
      at: 25,
    })
    expect(viewOf(session, 30).timeline).toContainEqual({ step: 'no-relay', at: 25, detail: 'turn:relay.example:3478' })
    const message = expect.stringMatching(
      /no relay address from turn:relay\.example:3478, which refused or did not reply$/,
    )
    expect(causeOf(session, ended(4_000))).toMatchObject({ message })
    expect(causeOf(session, { kind: 'camera-reported', state: 'failed', at: 400 })).toMatchObject({ message })
  })

  test('names no server that gave one, and none that nobody knows of', () => {
    const servers = { turn: true, stun: true, turnUrls: ['turn:relay.example:3478'] }
    const good = play({ kind: 'servers-known', servers, at: 12 }, found(relayCandidate, 15), answered(20), {
      kind: 'camera-gathered',
      at: 25,
    })
    const unknown = play(answered(20), { kind: 'camera-gathered', at: 25 })
    for (const { session } of [good, unknown])
      expect(viewOf(session, 30).timeline.map((one) => one.step)).not.toContain('no-relay')
  })
})

const connectedWith = (at: number, videoPackets: number): SessionEvent => ({
  kind: 'camera-reported',
  state: 'connected',
  sent: { videoPackets, audioPackets: 50 },
  at,
})
const leftWith = (at: number, videoPackets: number): SessionEvent => ({
  ...connectedWith(at, videoPackets),
  kind: 'camera-reported',
  state: 'left',
})
const after = (...events: readonly SessionEvent[]): Session =>
  events.reduce((one, event) => step(one, event)[0], answeredBy(facts, cSdkAnswer))
const codeOf = (session: Session) => viewOf(session, 1_000).cause?.code

describe('a picture that is promised and never sent', () => {
  test('is the cause while it lasts, and no more once it comes', () => {
    const dark = after(connectedWith(100, 0), connectedWith(10_100, 0))
    expect([dark.phase, codeOf(dark)]).toEqual(['answered', 'no_picture'])
    expect(viewOf(dark, 1_000).timeline.at(-1)).toEqual({ step: 'no-picture', at: 10_100 })
    expect(step(dark, connectedWith(20_100, 0))[0]).toBe(dark)
    expect(codeOf(step(dark, connectedWith(20_100, 30))[0])).toBeUndefined()
  })

  test.each<[name: string, session: () => Session, code: string | undefined]>([
    ['is the cause of a view that ends', () => after(connectedWith(100, 0), leftWith(9_000, 0)), 'no_picture'],
    [
      'also when the display ended it first',
      () => after(connectedWith(100, 0), { kind: 'ended', reason: 'x', at: 9_000 }, leftWith(9_010, 0)),
      'no_picture',
    ],
    [
      'is none of a view that ends before it could come',
      () => after(connectedWith(100, 0), leftWith(900, 0)),
      undefined,
    ],
    ['is none where it came', () => after(connectedWith(100, 0), leftWith(9_000, 300)), undefined],
    [
      'is none where the camera does not count',
      () =>
        after(
          { kind: 'camera-reported', state: 'connected', at: 100 },
          { kind: 'camera-reported', state: 'left', at: 9_000 },
        ),
      undefined,
    ],
  ])('%s', (_, session, code) => {
    expect(codeOf(session())).toBe(code)
  })

  test('is none of a view of sound', () => {
    const offer = echoOffer.replace(/m=video \d+ /, 'm=video 0 ')
    const [first] = step(answeredBy(facts, cSdkAnswer, offer), connectedWith(100, 0))
    expect(codeOf(step(first, connectedWith(10_100, 0))[0])).toBeUndefined()
  })
})

describe('transitions', () => {
  test('a bad offer is refused at once', () => {
    const [session, effects] = open(facts, 'nonsense', 10)
    expect([phase(session), ...effects.map(brief)]).toEqual(['closed', 'refuse invalid_request', 'hang-up'])
  })

  test('a camera known to be gone is refused at once, one that may be reconnecting is asked', () => {
    const fault = { code: 'source_password', message: 'the camera refuses the password' } as const
    const [told] = open(facts, echoOffer, 3_500, { sinceAt: 3_400, fault })
    expect(told).toMatchObject({ phase: 'closed', cause: fault })
    expect(open(facts, echoOffer, 3_500, { sinceAt: 10 })[1].map(brief)).toEqual(['refuse camera_offline', 'hang-up'])
    expect(open(facts, echoOffer, 3_500, { sinceAt: 1_000 })[1].map(brief)).toEqual(['offer', deadline])
  })

  test('a camera is not asked when no time is left for it', () => {
    expect(open(facts, echoOffer, 4_900)[1].map(brief)).toEqual(['refuse internal', 'hang-up'])
  })

  test('offered + camera-answered -> gathering', () => {
    const { session, effects } = play(answered(20))
    expect([phase(session), ...effects]).toEqual(['gathering', deadline, 'wake 1520'])
  })

  test('gathering + camera-gathered -> answered', () => {
    const { session, effects } = play(answered(20), { kind: 'camera-gathered', at: 25 })
    expect([phase(session), ...effects]).toEqual(['answered', deadline, 'wake 1520', 'answer', 'hang-up'])
  })

  test('gathering + relay and reflexive and quiet -> answered', () => {
    const { session, effects } = play(answered(20), found(reflexiveCandidate, 60), found(relayCandidate, 160), {
      kind: 'woke',
      at: 360,
    })
    expect([phase(session), ...effects]).toEqual([
      'answered',
      deadline,
      'wake 1520',
      'wake 660',
      'wake 360',
      'answer',
      'hang-up',
    ])
  })

  test('a further candidate prolongs the quiet time', () => {
    const { effects } = play(answered(20), found(relayCandidate, 100), found(hostCandidate, 250), {
      kind: 'woke',
      at: 300,
    })
    expect(effects).toEqual([deadline, 'wake 1520', 'wake 300', 'wake 450', 'wake 450'])
  })

  test('a camera that gives away a relay alone has given all', () => {
    const relayOnly = cSdkAnswer.replace(/^a=candidate:.*\n/gm, '')
    const answer: SessionEvent = { kind: 'camera-answered', sdp: relayOnly, at: 20 }
    expect(play(answer, found(relayCandidate, 160)).effects).toEqual([deadline, 'wake 1520', 'wake 360'])
  })

  describe('a camera that sent no relay when it was waited for to the end', () => {
    const servers = { turn: true, stun: true }
    const expecting = (types: readonly string[], its = servers) => ({ ...facts, expected: { types, ...its } })

    test('is not waited for again: quiet after what it sent then is enough', () => {
      expect(lastOf(expecting(['host']))).toEqual(['wake 220'])
      expect(lastOf(expecting(['host', 'srflx']))).toEqual(['wake 1520'])
      expect(lastOf(expecting(['host', 'srflx']), found(reflexiveCandidate, 90))).toEqual(['wake 290'])
    })

    test('is waited for where it has other servers than then', () => {
      const others: SessionEvent = { kind: 'servers-known', servers, at: 30 }
      expect(lastOf(expecting(['host'], { turn: false, stun: true }), others)).toEqual(['wake 1520'])
    })

    test('is learned from who had all the time, and from nobody else', () => {
      const gathered = (...events: readonly SessionEvent[]) => {
        const { session } = play(...events)
        return [689, 690, 1_519, 1_520].map((at) => gatheredBy(session, at)?.types)
      }
      const both = ['host', 'srflx']
      expect(gathered(answered(20), found(reflexiveCandidate, 90))).toEqual([undefined, both, both, both])
      expect(gathered(answered(20))).toEqual([undefined, undefined, undefined, ['host']])
      expect(gathered(answered(20), { kind: 'servers-known', servers: { turn: false, stun: true }, at: 30 })).toEqual([
        ['host'],
        ['host'],
        ['host'],
        ['host'],
      ])
      expect(gatheredBy(play(answered(4_000)).session, 4_900)).toBeUndefined()
      expect(gatheredBy(play().session, 4_900)).toBeUndefined()
    })
  })

  describe('at the first view', () => {
    const bare = cSdkAnswer.replace(/^a=candidate:.*\n/gm, '')
    const bareAnswer: SessionEvent = { kind: 'camera-answered', sdp: bare, at: 20 }
    const reflexiveAnswer: SessionEvent = { ...bareAnswer, sdp: `${bare}a=${reflexiveCandidate}\n` }
    const atHome = hostCandidate.replace('192.0.2.9', '192.168.1.20')
    const homely: SessionEvent = { ...bareAnswer, sdp: cSdkAnswer.replaceAll('192.0.2.2', '192.168.1.20') }
    const whole: SessionEvent = { ...bareAnswer, sdp: cSdkAnswer.replaceAll(/a=ice-options.*\n/g, '') }
    const elsewhere = relayCandidate.replace('203.0.113.77', '2001:db8::77')

    test.each<[name: string, events: readonly SessionEvent[], wakesAt: number]>([
      [
        'a relay of its own ends it where we have no server',
        [servers(false, false), bareAnswer, found(relayCandidate, 160)],
        360,
      ],
      [
        'a relay of its own ends it where we have STUN',
        [servers(false, true), bareAnswer, found(relayCandidate, 160)],
        360,
      ],
      [
        'a relay ends it with the address at home',
        [servers(true, true), answered(20), found(relayCandidate, 160)],
        360,
      ],
      ['a reflexive address gives a relay three times the quiet', [answered(20), found(reflexiveCandidate, 90)], 690],
      ['or six round trips, if they are longer', [answered(20), found(reflexiveCandidate, 150)], 150 + 6 * 130],
      ['and never more than the cap', [answered(20), found(reflexiveCandidate, 420)], 1_520],
      ['so does one in the answer', [reflexiveAnswer], 620],
      ['and one before it', [found(reflexiveCandidate, 15), answered(20)], 620],
      [
        'a later one counts from then',
        [answered(20), found(reflexiveCandidate, 90), found(hostCandidate, 300)],
        300 + 600,
      ],
      ['a relay that the display cannot use may have a brother', [answered(20), found(elsewhere, 160)], 760],
      ['with nothing that the display can use it is waited for', [bareAnswer, found(elsewhere, 160)], 1_520],
      [
        'an address at home says nothing of the servers',
        [servers(true, true), answered(20), found(hostCandidate, 90)],
        1_520,
      ],
      ['without a TURN server only STUN can add to it', [servers(false, true), homely, found(atHome, 90)], 690],
      ['as also when that is known later', [homely, servers(false, true)], 620],
      ['nothing follows an answer that does not promise trickle', [servers(true, true), whole], 620],
      ['unless something does all the same', [servers(true, true), whole, found(hostCandidate, 90)], 1_520],
      ['or has come before it', [servers(true, true), found(hostCandidate, 15), whole], 1_520],
    ])('%s', (_, events, wakesAt) => {
      expect(play(...events).effects.at(-1)).toBe(`wake ${wakesAt}`)
    })

    test('after one that failed, all the time is given', () => {
      expect(lastOf({ ...facts, expected: 'all' }, found(reflexiveCandidate, 90))).toEqual(['wake 1520'])
      const [opened] = open({ ...facts, expected: 'all' }, echoOffer, 10)
      expect(step(step(opened, servers(false, true))[0], homely)[1].map(brief)).toEqual(['wake 1520'])
      expect(lastOf({ ...facts, expected: 'all' }, found(relayCandidate, 90))).toEqual(['wake 290'])
    })
  })

  test('where the camera has no TURN server no relay is waited for', () => {
    const { effects } = play(answered(20), { kind: 'servers-known', servers: { turn: false, stun: false }, at: 21 })
    expect(effects).toEqual([deadline, 'wake 1520', 'wake 220'])
  })

  test('where it has STUN, a private address alone is not enough', () => {
    const servers: SessionEvent = { kind: 'servers-known', servers: { turn: false, stun: true }, at: 21 }
    const homely: SessionEvent = {
      kind: 'camera-answered',
      sdp: cSdkAnswer.replaceAll('192.0.2.2', '192.168.1.20'),
      at: 20,
    }
    expect(play(homely, servers).effects).toEqual([deadline, 'wake 1520', 'wake 620'])
    expect(play(homely, servers, found(reflexiveCandidate, 90)).effects.at(-1)).toBe('wake 290')
    expect(play(answered(20), servers).effects.at(-1)).toBe('wake 220')
  })

  test('offered + an answer that says it is complete -> answered', () => {
    const { session, effects } = play({ kind: 'camera-answered', sdp: `${cSdkAnswer}a=end-of-candidates\n`, at: 20 })
    expect([phase(session), ...effects]).toEqual(['answered', deadline, 'answer', 'hang-up'])
  })

  test('gathering + garbage changes nothing', () => {
    const { session } = play(answered(20))
    expect(step(session, { kind: 'camera-garbled', what: 'x', at: 30 })).toEqual([session, []])
  })

  test('gathering + settle cap -> answered with what is there', () => {
    const { session, effects } = play(answered(20), { kind: 'woke', at: 1_520 })
    expect([phase(session), ...effects]).toEqual(['answered', deadline, 'wake 1520', 'answer', 'hang-up'])
  })

  test('a late answer leaves no more time than the deadline', () => {
    expect(play(answered(4_000)).effects).toEqual([deadline, deadline])
  })

  test('candidates that come before the answer are kept', () => {
    const { session } = play(found(relayCandidate, 15), answered(20), { kind: 'camera-gathered', at: 25 })
    expect('answer' in session && session.answer).toContain('typ relay')
  })

  test.each<[name: string, code: string, ...events: SessionEvent[]]>([
    ['offered + deadline -> closed', 'camera_silent', { kind: 'woke', at: 4_900 }],
    ['offered + an answer after the deadline -> closed', 'camera_silent', answered(4_950)],
    [
      'offered + camera-garbled -> closed',
      'camera_garbled',
      { kind: 'camera-garbled', what: 'an answer that is not JSON', at: 20 },
    ],
    [
      'offered + an answer that is no SDP -> closed',
      'camera_garbled',
      { kind: 'camera-answered', sdp: 'nonsense', at: 20 },
    ],
    ['offered + camera-gone since before -> closed', 'camera_offline', { kind: 'camera-gone', sinceAt: -5, at: 4_900 }],
    ['offered + camera-gone since then -> closed', 'camera_hung_up', { kind: 'camera-gone', sinceAt: 500, at: 4_900 }],
    ['offered + signaling-ended -> closed', 'camera_hung_up', { kind: 'signaling-ended', at: 20 }],
    [
      'offered + signaling-failed -> closed',
      'camera_busy',
      { kind: 'signaling-failed', code: 'camera_busy', message: 'full', at: 20 },
    ],
    ['offered + ended -> closed', 'display_gave_up', { kind: 'ended', reason: 'gone', at: 20 }],
    ['gathering + ended -> closed', 'display_gave_up', answered(20), { kind: 'ended', reason: 'gone', at: 30 }],
  ])('%s', (_, code, ...events) => {
    const { session, effects } = play(...events)
    expect(effects.slice(-2)).toEqual([`refuse ${code}`, 'hang-up'])
    expect(session).toMatchObject({ phase: 'closed', cause: { code } })
  })

  test('an answer without any usable candidate is refused', () => {
    const bare = cSdkAnswer.replaceAll(/a=candidate.*\n/g, '')
    const { session } = play(
      { kind: 'camera-answered', sdp: bare, at: 20 },
      found('candidate:1 1 udp 1 abc.local 9 typ host', 30),
      { kind: 'woke', at: 1_520 },
    )
    expect(session).toMatchObject({ phase: 'closed', cause: { code: 'no_candidates' } })
  })

  test('gathering + signaling lost -> answered: the camera has said enough', () => {
    expect(phase(play(answered(20), { kind: 'signaling-ended', at: 30 }).session)).toBe('answered')
    expect(
      phase(play(answered(20), { kind: 'signaling-failed', code: 'signaling_failed', message: '', at: 30 }).session),
    ).toBe('answered')
  })

  test('a second answer changes nothing', () => {
    const once = play(answered(20))
    expect(step(once.session, { kind: 'camera-answered', sdp: cSdkAnswer.replaceAll('aBcD', 'evil'), at: 30 })).toEqual(
      [once.session, []],
    )
  })

  test('answered + display-connected -> connected + ended -> closed', () => {
    const { session } = play(answered(20), { kind: 'camera-gathered', at: 25 }, { kind: 'display-connected', at: 300 })
    expect(phase(session)).toBe('connected')
    const [closed] = step(session, { kind: 'ended', reason: 'the display said goodbye', at: 900 })
    expect(closed).toMatchObject({ phase: 'closed', reason: 'the display said goodbye', answeredAt: 25 })
  })

  test('answered + camera-reported failed -> closed: the picture never came, and this is why', () => {
    const { session } = play(
      answered(20),
      { kind: 'camera-gathered', at: 25 },
      { kind: 'camera-reported', state: 'failed', at: 15_000 },
    )
    expect(session).toMatchObject({ phase: 'closed', cause: { code: 'media_failed' } })
  })

  test('offered + camera-reported busy -> closed, at once; later it says nothing', () => {
    const busy = { kind: 'camera-reported', state: 'busy', at: 15 } as const
    const { session, effects } = play(busy)
    expect([phase(session), ...effects]).toEqual(['closed', deadline, 'refuse camera_busy', 'hang-up'])
    const there = play(answered(20), busy, { kind: 'camera-gathered', at: 25 }, busy).session
    expect(there).toMatchObject({ phase: 'answered' })
  })

  test.each<[name: string, ...events: SessionEvent[]]>([['offered'], ['gathering', answered(20)]])(
    '%s + camera-reported failed -> closed, with its own cause',
    (_, ...events) => {
      const cause = { code: 'no_common_codec', message: 'it offers no H.264' } as const
      const { session, effects } = play(...events, { kind: 'camera-reported', state: 'failed', cause, at: 30 })
      expect(effects.slice(-2)).toEqual(['refuse no_common_codec', 'hang-up'])
      expect(session).toMatchObject({ phase: 'closed', cause })
    },
  )

  test('offered + an answer without the picture -> closed, at once', () => {
    const rules = { ...facts.rules, needsPicture: true }
    const [offered] = open({ ...facts, rules }, echoOffer, 10)
    const sdp = cSdkAnswer.replace('m=video 9', 'm=video 0')
    const [session, effects] = step(offered, { kind: 'camera-answered', sdp, at: 20 })
    expect([session.phase, ...effects.map(brief)]).toEqual(['closed', 'refuse no_picture', 'hang-up'])
  })

  test('an offer that no camera can serve is refused before the camera is asked', () => {
    const [session, effects] = open(
      facts,
      echoOffer
        .replaceAll('H264', 'VP9')
        .replaceAll(/(opus|^m=audio.*)/gm, (text) => text.replace('opus', 'L16').replace(' 0 8', '')),
      10,
    )
    expect([session.phase, ...effects.map(brief)]).toEqual(['closed', 'refuse no_common_codec', 'hang-up'])
  })

  test.each([
    ['left', 'the camera saw the display leave'],
    ['silent', 'nothing came from the display any more'],
  ] as const)('answered + camera-reported %s -> closed: %s', (state, reason) => {
    const { session } = play(
      answered(20),
      { kind: 'camera-gathered', at: 25 },
      { kind: 'camera-reported', state, at: 900 },
    )
    expect(session).toMatchObject({ phase: 'closed', reason })
    expect(session).not.toHaveProperty('cause')
  })

  test('answered + camera-reported connected, again -> the same: nothing is to be kept', () => {
    const connected = { kind: 'camera-reported', state: 'connected', heard: { packets: 3, level: 0.2 } } as const
    const { session } = play(answered(20), { kind: 'camera-gathered', at: 25 }, { ...connected, at: 900 })
    expect(step(session, { ...connected, at: 10_900 })).toEqual([session, []])
    expect(step(session, { ...connected, at: 10_900 })[0]).toBe(session)
    expect(step(session, { ...connected, heard: { packets: 4, level: 0.2 }, at: 10_900 })[0]).toMatchObject({
      heard: { packets: 4 },
    })
  })

  test('answered + camera-reported connected, after its lifetime -> closed', () => {
    const { session } = play(answered(20), { kind: 'camera-gathered', at: 25 })
    const [late] = step(session, { kind: 'camera-reported', state: 'connected', at: 25 + budgets.lifetimeMs })
    expect(late).toMatchObject({ phase: 'closed', reason: 'its lifetime is over' })
  })

  test('answered + camera-reported connected, in the second half of its lifetime -> answered for another one', () => {
    const { session } = play(answered(20), { kind: 'camera-gathered', at: 25 })
    const at = 25 + budgets.lifetimeMs - 1
    const [seen] = step(session, { kind: 'camera-reported', state: 'connected', at })
    expect(viewOf(seen, at + budgets.lifetimeMs - 1)).toMatchObject({
      phase: 'answered',
      endsBy: at + budgets.lifetimeMs,
    })
    expect(isOverdue(seen, at + budgets.lifetimeMs)).toBe(true)
  })

  test('the fault of a source is the cause while it lasts, and when the view ends with it', () => {
    const fault = { code: 'source_stopped', message: 'no picture came for 5 s' } as const
    const connected = { kind: 'camera-reported', state: 'connected' } as const
    const { session } = play(
      answered(20),
      { kind: 'camera-gathered', at: 25 },
      { ...connected, at: 900 },
      { ...connected, cause: fault, at: 1_000 },
    )
    expect(session).toMatchObject({ phase: 'answered', cause: fault })
    expect(step(session, { ...connected, at: 1_100 })[0].timeline.at(-1)?.step).toBe('source-back')
    expect(step(session, { ...connected, at: 1_100 })[0]).toMatchObject({ cause: undefined })
    const left = { kind: 'camera-reported', state: 'left', cause: fault, at: 1_200 } as const
    expect(step(session, left)[0]).toMatchObject({ phase: 'closed', cause: fault })
  })

  test('why there is no sound is the camera’s own word, once, and gives way to the failure of its source', () => {
    const connected = { kind: 'camera-reported', state: 'connected' } as const
    const noSound = { code: 'no_sound', message: 'FFmpeg is not installed' } as const
    const fault = { code: 'source_stopped', message: 'no picture' } as const
    const { session } = play(
      answered(20),
      { kind: 'camera-gathered', at: 25 },
      { ...connected, cause: noSound, at: 900 },
      { ...connected, cause: noSound, at: 1_900 },
    )
    expect(session).toMatchObject({ phase: 'answered', cause: noSound })
    expect(session.timeline.filter(({ step: name }) => name === 'no-sound')).toHaveLength(1)
    const broken = step(session, { ...connected, cause: fault, at: 2_000 })[0]
    expect(broken).toMatchObject({ cause: fault })
    const back = step(broken, { ...connected, cause: noSound, at: 3_000 })[0]
    expect(back).toMatchObject({ cause: noSound })
    expect(back.timeline.at(-1)?.step).toBe('source-back')
    expect(step(back, { ...connected, cause: noSound, at: 4_000 })[0]).toBe(back)
  })

  test('what the camera heard is kept, also when it says so after the end', () => {
    const { session } = play(
      answered(20),
      { kind: 'camera-gathered', at: 25 },
      { kind: 'ended', reason: 'bye', at: 900 },
      { kind: 'camera-reported', state: 'left', heard: { packets: 150, level: 0.2 }, at: 950 },
    )
    expect(session).toMatchObject({ phase: 'closed', reason: 'bye', heard: { packets: 150, level: 0.2 } })
  })

  test('a session that nobody ends is over when its lifetime is', () => {
    const { session } = play(answered(20), { kind: 'camera-gathered', at: 25 })
    expect(isOverdue(session, 25 + budgets.lifetimeMs - 1)).toBe(false)
    expect(viewOf(session, 25 + budgets.lifetimeMs)).toMatchObject({ phase: 'closed', answerMs: 25 })
  })
})

describe('on a random walk', () => {
  const event: fc.Arbitrary<SessionEvent> = fc.oneof(
    fc.constantFrom<SessionEvent>(
      answered(0),
      { kind: 'camera-answered', sdp: 'nonsense', at: 0 },
      { kind: 'camera-answered', sdp: cSdkAnswer.replaceAll(/a=candidate.*\n/g, ''), at: 0 },
      { kind: 'camera-gathered', at: 0 },
      { kind: 'camera-garbled', what: 'x', at: 0 },
      { kind: 'camera-gone', sinceAt: 7, at: 0 },
      { kind: 'signaling-ended', at: 0 },
      { kind: 'signaling-failed', code: 'signaling_failed', message: 'x', at: 0 },
      { kind: 'servers-known', servers: { turn: false, stun: false }, at: 0 },
      { kind: 'camera-reported', state: 'connected', at: 0 },
      { kind: 'camera-reported', state: 'busy', at: 0 },
      { kind: 'camera-reported', state: 'failed', at: 0 },
      { kind: 'camera-reported', state: 'connected', sent: { videoPackets: 0, audioPackets: 0 }, at: 0 },
      { kind: 'servers-known', servers: { turn: true, stun: true, turnUrls: ['turn:x'] }, at: 0 },
      { kind: 'camera-reported', state: 'left', heard: { packets: 1, level: 0 }, at: 0 },
      { kind: 'display-connected', at: 0 },
      { kind: 'ended', reason: 'x', at: 0 },
    ),
    fc
      .constantFrom(hostCandidate, reflexiveCandidate, relayCandidate, 'candidate:', '')
      .map((line): SessionEvent => found(line, 0)),
  )
  const walk = fc.array(fc.record({ event, waitMs: fc.oneof(fc.nat(50), fc.nat(2_000)) }), { maxLength: 60 })

  test('one verdict by the deadline, one hang-up with it, no wake past it, and closed stays closed', () => {
    fc.assert(
      fc.property(walk, (moves) => {
        let now = 10
        let [session, effects] = open(facts, echoOffer, now)
        let wakeAt: number | undefined
        const verdicts: { kind: string; at: number }[] = []
        let hangUps = 0
        const carry = (): void => {
          for (const effect of effects) {
            if (effect.kind === 'wake') {
              expect(effect.at).toBeLessThanOrEqual(facts.answerBy)
              wakeAt = effect.at
            } else if (effect.kind === 'answer' || effect.kind === 'refuse')
              verdicts.push({ kind: effect.kind, at: now })
            else if (effect.kind === 'hang-up') {
              hangUps++
              wakeAt = undefined
            }
          }
        }
        const feed = (one: SessionEvent): void => {
          const before = session
          ;[session, effects] = step(session, { ...one, at: now })
          if (before.phase === 'closed') expect(session.phase).toBe('closed')
          if (verdicts.length > 0) expect(effects).toEqual([])
          carry()
        }
        const passUntil = (until: number): void => {
          while (wakeAt !== undefined && wakeAt <= until) {
            now = Math.max(now, wakeAt)
            wakeAt = undefined
            feed({ kind: 'woke', at: now })
          }
          now = until
        }
        carry()
        for (const move of moves) {
          passUntil(now + move.waitMs)
          feed(move.event)
          // A record is plain data: what the store gives back moves on just the same.
          session = JSON.parse(JSON.stringify(session)) as Session
        }
        passUntil(now + 10_000)
        expect(verdicts).toHaveLength(1)
        expect(hangUps).toBe(1)
        expect(verdicts[0]!.at).toBeLessThanOrEqual(facts.answerBy)
        expect(wakeAt).toBeUndefined()
        expect(['answered', 'connected', 'closed']).toContain(session.phase)
        if (verdicts[0]!.kind === 'refuse')
          expect(session).toMatchObject({ phase: 'closed', cause: { code: expect.any(String) } })
      }),
      { numRuns: 300 },
    )
  })
})
