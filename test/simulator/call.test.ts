/** Whole calls of both assistants against the fake bridge, and what each fault of the bridge is called. */

import { afterEach, describe, expect, test } from '@jest/globals'
import { call, type CallLimits } from '../../src/simulator/call.ts'
import { printReport } from '../../src/simulator/print.ts'
import type { CallReport } from '../../src/simulator/report.ts'
import type { AssistantName } from '../../src/simulator/settings.ts'
import { type Faults, type FakeBridge, type Json, startFakeBridge } from './fake-bridge.ts'

const tone = Array.from({ length: 50 }, () => Buffer.from([0xf8, 0xff, 0xfe]))
const limits: Partial<CallLimits> = { gatherMs: 10_000, iceMs: 1500, dtlsMs: 1500, heardMs: 300 }

let bridge: FakeBridge | undefined

afterEach(async () => {
  await bridge?.close()
  bridge = undefined
})

async function make(
  assistant: AssistantName,
  faults: Faults = {},
  more: Partial<CallLimits> = {},
): Promise<CallReport> {
  bridge = await startFakeBridge(faults)
  const { report } = await call({
    assistant,
    settings: bridge.settings,
    // A call that shall go well gets the time that a busy machine needs; a faulty one is over when the fault shows.
    seconds: Object.keys(faults).length === 0 ? 1 : 0.25,
    tone,
    limits: { ...limits, ...more },
  })
  return report
}

describe('a call that goes well', () => {
  test('an Echo Show links, discovers, connects, sees, hears, talks back and hangs up', async () => {
    const report = await make('alexa')
    expect(report).toMatchObject({ ok: true, assistant: 'alexa', cameraId: 'bell-1', cause: null })
    expect(report.video).toMatchObject({ codec: 'H264', profileLevelId: '42e01f' })
    expect(report.video.frames).toBeGreaterThan(5)
    expect(report.video).toMatchObject({ decoded: expect.any(Number), reason: null })
    expect(report.audioIn.codec).toBe('opus')
    expect(report.audioOut).toMatchObject({ codec: 'opus', heardByCamera: report.audioOut.packets })
    expect(report.answerMs).toBeLessThan(report.connectedMs ?? 0)
    expect(report.connectedMs).toBeLessThan(report.firstFrameMs ?? 0)
    expect(bridge?.log).toEqual([
      'Discover',
      'ReportState',
      'InitiateSessionWithOffer',
      'SessionConnected',
      'SessionDisconnected',
    ])
    const steps = report.timeline.map(({ step }) => step)
    expect(steps).toEqual(
      expect.arrayContaining([
        'account linked',
        'offer sent',
        'ICE connected',
        'first video frame decodable',
        'hung up',
      ]),
    )
  })

  test('a Nest Hub links, syncs, asks for the stream, connects and hangs up', async () => {
    const report = await make('google')
    expect(report).toMatchObject({ ok: true, assistant: 'google', cameraId: 'bell-1', cause: null })
    expect(report.audioOut.heardByCamera).toBeGreaterThan(5)
    expect(bridge?.log).toEqual(['SYNC', 'QUERY', 'EXECUTE', 'preflight', 'offer', 'end'])
  })

  test('a Nest Hub is content with a camera that takes no sound', async () => {
    const report = await make('google', { camera: { audio: 'sendonly' } })
    expect(report).toMatchObject({ ok: true, audioOut: { codec: null, packets: 0 } })
  })

  test('a second call uses the link of the first', async () => {
    bridge = await startFakeBridge()
    const options = { assistant: 'alexa', settings: bridge.settings, seconds: 0.2, tone, limits } as const
    const { link } = await call(options)
    const { report } = await call({ ...options, link: link ?? { accessToken: '', refreshToken: '', expiresAt: 0 } })
    expect(report).toMatchObject({ ok: true, cause: null })
  })
})

describe('a call that fails names its cause', () => {
  test.each<[string, AssistantName, Faults, string, RegExp]>([
    ['a wrong password', 'alexa', { login: 'refused' }, 'link_failed', /refused the user/],
    [
      'tokens that live too short',
      'alexa',
      { reply: change('refresh_token', { expires_in: 300 }) },
      'link_failed',
      /expires_in/,
    ],
    [
      'a JWT for Google',
      'google',
      { reply: change('refresh_token', { access_token: 'eyJhIjoxfQ.eyJhIjoxfQ.c2ln' }) },
      'link_failed',
      /JWT/,
    ],
    ['a camera that the account lacks', 'alexa', { reply: discovered([]) }, 'no_camera', /there is none: register one/],
    ['a silent camera', 'alexa', { reply: errorResponse('ENDPOINT_UNREACHABLE') }, 'refused', /ENDPOINT_UNREACHABLE/],
    [
      'an error type that Alexa does not know',
      'alexa',
      { reply: errorResponse('CAMERA_GONE') },
      'reply_invalid',
      /type/,
    ],
    ['more in the answer than its schema allows', 'alexa', { reply: withSessionId }, 'answer_invalid', /sessionId/],
    [
      'a wrong ICE password',
      'alexa',
      { answer: (sdp) => sdp.replace(/a=ice-pwd:.{6}/g, 'a=ice-pwd:wrong0') },
      'ice_failed',
      /candidates \(host\)/,
    ],
    [
      'a foreign fingerprint',
      'alexa',
      { answer: (sdp) => sdp.replace(/sha-256 ..:/g, 'sha-256 00:') },
      'dtls_failed',
      /fingerprint|handshake/,
    ],
    ['no video', 'alexa', { camera: { without: 'video' } }, 'no_video', /no video/],
    ['no key frame', 'google', { camera: { without: 'key-frames' } }, 'no_key_frame', /video packets/],
    ['B-frames', 'alexa', { camera: { shows: 'b-frames' } }, 'b_frames', /switch B-frames off/],
    ['a black picture', 'google', { camera: { shows: 'black' } }, 'black_picture', /check the lens/],
    ['pictures that cannot be decoded', 'alexa', { camera: { shows: 'nothing' } }, 'not_decodable', /none of \d+/],
    ['no audio', 'alexa', { camera: { without: 'audio' } }, 'no_audio', /no audio/],
    [
      'a stream of another profile than announced',
      'google',
      { camera: { profileLevelId: '64001f' } },
      'profile_mismatch',
      /64001f/,
    ],
    [
      'a two-way camera that takes no sound',
      'alexa',
      { camera: { audio: 'sendonly' } },
      'talk_back_refused',
      /two-way/,
    ],
    ['talk-back that nobody hears', 'alexa', { hears: 'nothing' }, 'talk_back_unheard', /reports none/],
    ['a wrong CORS origin', 'google', { corsOrigin: '*' }, 'cors_refused', /\*/],
    ['an offline camera', 'google', { reply: offline }, 'refused', /deviceOffline/],
    ['an empty field in the stream', 'google', { reply: emptyOffer }, 'stream_invalid', /cameraStreamOffer/],
    ['a reply to end that is not empty', 'google', { reply: change('end', { ok: true }) }, 'reply_invalid', /end/],
  ])('%s', async (_, assistant, faults, code, message) => {
    const report = await make(assistant, faults)
    expect(report.ok).toBe(false)
    expect(report.cause?.code).toBe(code)
    expect(report.cause?.message).toMatch(message)
  })

  test('a picture that does not change from beginning to end has not failed, and is remarked on', async () => {
    bridge = await startFakeBridge({ camera: { shows: 'still' } })
    const { report } = await call({ assistant: 'alexa', settings: bridge.settings, seconds: 3, tone, limits })
    expect(report).toMatchObject({ ok: true, cause: null })
    expect(report.video.remark).toMatch(/^The picture did not change for \d\.\d s\.$/)
    expect(printReport(report)).toContain(report.video.remark)
    expect(report.video.decoded).toBeGreaterThan(10)
    expect(printReport(report)).toMatch(/frames, \d+ decoded/)
  })

  test('a camera that says nothing of its viewers has not failed', async () => {
    const report = await make('alexa', { hears: 'untold' })
    expect(report).toMatchObject({ ok: true, cause: null, audioOut: { heardByCamera: null } })
    expect(printReport(report)).toContain('how many were heard nobody says')
  })

  test('an answer that comes too late', async () => {
    const report = await make('alexa', { answerAfterMs: 1000 }, { answerMs: 150 })
    expect(report).toMatchObject({ ok: false, answerMs: null, cause: { code: 'answer_late' } })
    expect(bridge?.log).toContain('SessionDisconnected')
  })

  test('a call that takes longer than its limit', async () => {
    const report = await make('alexa', { answerAfterMs: 3000 }, { totalMs: 0 })
    expect(report.cause?.code).toBe('out_of_time')
  })

  test('the cause that the bridge knows goes before what the assistant saw', async () => {
    const cause = { code: 'camera_silent', message: 'the camera did not answer in time', advice: 'Wait.' } as const
    const report = await make('alexa', { cause, answer: () => 'nonsense' })
    expect(report.cause?.code).toBe('camera_silent')
    expect(report.cause?.message).toMatch(/answer_invalid/)
  })

  test('no bridge at the address', async () => {
    bridge = await startFakeBridge()
    const { settings } = bridge
    await bridge.close()
    const { report } = await call({ assistant: 'google', settings, seconds: 0.1, tone })
    expect(report).toMatchObject({ ok: false, cameraId: null, cause: { code: 'bridge_unreachable' } })
    expect(report.cause?.message).toMatch(/npm start/)
    bridge = undefined
  })

  test('an interrupted call is hung up', async () => {
    bridge = await startFakeBridge()
    const interrupt = new AbortController()
    const onStep = (step: string): void => {
      if (step === 'DTLS connected') setImmediate(() => interrupt.abort())
    }
    const { report } = await call({
      assistant: 'alexa',
      settings: bridge.settings,
      seconds: 5,
      tone,
      limits,
      onStep,
      signal: interrupt.signal,
    })
    expect(report.cause?.code).toBe('interrupted')
    expect(bridge.log.at(-1)).toBe('SessionDisconnected')
  })
})

function change(name: string, fields: Json): Faults['reply'] & object {
  return (which, body) => (which === name ? { ...body, ...fields } : body)
}

function discovered(endpoints: readonly Json[]): Faults['reply'] & object {
  return (name, body) => (name === 'Discover' ? edit(body, (event) => ({ ...event, payload: { endpoints } })) : body)
}

function errorResponse(type: string): Faults['reply'] & object {
  return (name, body) => {
    if (name !== 'InitiateSessionWithOffer') return body
    return edit(body, (event) => ({
      ...event,
      header: { ...(event.header as Json), namespace: 'Alexa', name: 'ErrorResponse' },
      payload: { type, message: 'no answer' },
    }))
  }
}

function withSessionId(name: string, body: Json): Json {
  if (name !== 'InitiateSessionWithOffer') return body
  return edit(body, (event) => ({ ...event, payload: { ...(event.payload as Json), sessionId: 'x' } }))
}

const edit = (body: Json, change: (event: Json) => Json): Json => ({ ...body, event: change(body.event as Json) })

function offline(name: string, body: Json): Json {
  if (name !== 'EXECUTE') return body
  return { ...body, payload: { commands: [{ ids: ['bell-1'], status: 'ERROR', errorCode: 'deviceOffline' }] } }
}

function emptyOffer(name: string, body: Json): Json {
  if (name !== 'EXECUTE') return body
  const { commands } = body.payload as { commands: Json[] }
  return {
    ...body,
    payload: {
      commands: commands.map((each) => ({ ...each, states: { ...(each.states as Json), cameraStreamOffer: '' } })),
    },
  }
}
