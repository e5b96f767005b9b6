/** The command line, the settings file, the forms of a page, and the printed report. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { endpointProblems } from '../../src/simulator/alexa-messages.ts'
import { overridden, readArguments } from '../../src/simulator/arguments.ts'
import { formsOf } from '../../src/simulator/browser.ts'
import type { CallReport } from '../../src/simulator/report.ts'
import { printLine, printReport, printSummary, summarize } from '../../src/simulator/print.ts'
import { readSettings } from '../../src/simulator/settings.ts'

const run = (...args: readonly string[]) => {
  const program = join(import.meta.dirname, '..', '..', 'src', 'simulator', 'main.ts')
  const env = { ...process.env, NODE_OPTIONS: '' }
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', env })
}

describe('the arguments', () => {
  test('have defaults', () => {
    expect(readArguments(['--assistant', 'alexa'])).toEqual({
      assistant: 'alexa',
      surface: 'hub',
      camera: undefined,
      ring: false,
      seconds: 3,
      repeat: 1,
      json: false,
      bridge: undefined,
      login: undefined,
      password: undefined,
    })
    expect(readArguments(['--help'])).toBeUndefined()
  })

  test.each([
    [[], /--assistant must be alexa or google/],
    [['--assistant', 'siri'], /not siri/],
    [['--assistant', 'alexa', '--seconds', 'x'], /--seconds/],
    [['--assistant', 'alexa', '--seconds', '0'], /--seconds/],
    [['--assistant', 'alexa', '--repeat', '1.5'], /whole number/],
    [['--assistant', 'alexa', '--bridge', 'localhost'], /--bridge/],
    [['--assistant', 'alexa', '--loud'], /--loud/],
    [['--assistant', 'google', '--surface', 'watch'], /--surface watch/],
    [['--assistant', 'alexa', '--surface', 'phone'], /--surface phone/],
    [['--assistant', 'alexa', 'more'], /more/],
  ])('%j are refused', (args, message) => {
    expect(() => readArguments(args)).toThrow(message)
  })
})

describe('a wrong usage', () => {
  test('is told to a person in words', () => {
    const { status, stdout, stderr } = run('--assistant', 'siri')
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/not siri[^]*--help/)
  })

  test('is told to a program in JSON', () => {
    const { status, stdout, stderr } = run('--json', '--assistant', 'siri')
    expect({ status, stderr }).toEqual({ status: 2, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      cause: { code: 'wrong_usage', message: expect.stringMatching(/not siri/) },
    })
  })
})

describe('the settings', () => {
  const dir = mkdtempSync(join(tmpdir(), 'simulator-'))
  afterAll(() => rmSync(dir, { recursive: true }))
  const client = { clientId: 'a', clientSecret: 'b', redirectUri: 'https://a.example/back' }
  const good = {
    bridge: 'http://localhost:8080/',
    user: { login: 'demo', password: 'x' },
    clients: { alexa: client, google: client },
  }

  test('are read, and the command line goes before them', () => {
    writeFileSync(join(dir, 'simulator.json'), JSON.stringify(good))
    const settings = readSettings(dir)
    const args = readArguments(['--assistant', 'google', '--login', 'me'])
    expect(args && overridden(settings, args)).toEqual({
      ...good,
      bridge: 'http://localhost:8080',
      user: { login: 'me', password: 'x' },
    })
  })

  test('that are missing or broken say what to do', () => {
    expect(() => readSettings(join(dir, 'nowhere'))).toThrow(/npm start/)
    writeFileSync(join(dir, 'simulator.json'), '{')
    expect(() => readSettings(dir)).toThrow(/not JSON/)
    writeFileSync(join(dir, 'simulator.json'), '{}')
    expect(() => readSettings(dir)).toThrow(/bridge/)
  })
})

describe('the forms of a page', () => {
  const url = 'https://bridge.example/oauth/interaction/1?a=b'
  const forms = (html: string) => formsOf({ url, html })

  test('are filled and pressed as a person would', () => {
    const html = `<form method="POST" action="../login?x=1&amp;y=2"><input type=hidden name=csrf value='a&quot;&#x26;&#38;'>
      <input name="who" autocomplete="section-a username"><input name="secret" type="password"><input type="checkbox" name="keep">
      <input type="checkbox" name="terms" required><button type="button" name="show">show</button>
      <button name="act" value="cancel">Cancel</button><button name="act" value="go">Go on</button></form>`
    expect(forms(html)).toEqual([
      {
        action: 'https://bridge.example/oauth/login?x=1&y=2',
        method: 'POST',
        fields: [
          { name: 'csrf', value: 'a"&&', meaning: 'other' },
          { name: 'who', value: '', meaning: 'login' },
          { name: 'secret', value: '', meaning: 'password' },
          { name: 'terms', value: 'on', meaning: 'other' },
          { name: 'act', value: 'go', meaning: 'other' },
        ],
      },
    ])
  })

  test('that can only say no, or nothing, are left out', () => {
    expect(
      forms('<form><button>Use a different account</button></form><form><input name=a></form><p>text</p>'),
    ).toEqual([])
  })

  test('without an action go to the page itself', () => {
    expect(forms('<form method=post><input type="submit" value="Yes" name="ok"></form>')).toEqual([
      { action: url, method: 'POST', fields: [{ name: 'ok', value: 'Yes', meaning: 'other' }] },
    ])
  })
})

describe('an endpoint that Alexa would not like', () => {
  const rtc = {
    type: 'AlexaInterface',
    interface: 'Alexa.RTCSessionController',
    version: '3',
    configuration: { isFullDuplexAudioSupported: true },
  } as const
  const alexa = { type: 'AlexaInterface', interface: 'Alexa', version: '3' } as const
  const endpoint = {
    endpointId: 'a',
    manufacturerName: 'b',
    description: 'c',
    friendlyName: 'd',
    displayCategories: ['CAMERA'],
    capabilities: [alexa, rtc],
  }

  test.each([
    ['nothing wrong', {}, /^$/],
    ['DOORBELL first', { displayCategories: ['DOORBELL', 'CAMERA'] }, /before CAMERA/],
    ['no CAMERA', { displayCategories: ['DOORBELL'] }, /no CAMERA/],
    ['no Alexa interface', { capabilities: [rtc] }, /Alexa version 3/],
    ['an interface twice', { capabilities: [alexa, rtc, rtc] }, /twice/],
    ['a withdrawn interface', { capabilities: [alexa, { ...alexa, interface: 'Alexa.MediaMetadata' }] }, /withdrawn/],
    ['no duplex flag', { capabilities: [alexa, { ...rtc, configuration: {} }] }, /isFullDuplex/],
    [
      'a silent bell',
      { capabilities: [alexa, rtc, { ...alexa, interface: 'Alexa.DoorbellEventSource' }] },
      /proactivelyReported/,
    ],
  ])('%s', (_, change, problem) => {
    expect(endpointProblems({ ...endpoint, ...change }).join('; ')).toMatch(problem)
  })
})

describe('the printed report', () => {
  const report: CallReport = {
    ok: true,
    assistant: 'alexa',
    display: 'Echo Show',
    cameraId: 'bell-1',
    answerMs: 20.5,
    connectedMs: 170,
    ring: null,
    firstFrameMs: 201.25,
    video: {
      codec: 'H264',
      profileLevelId: '42e01f',
      packets: 200,
      frames: 60,
      decoded: 60,
      reason: null,
      remark: null,
    },
    audioIn: { codec: 'opus', packets: 150 },
    audioOut: { codec: 'opus', packets: 149, heardByCamera: 149, reason: null },
    cause: null,
    timeline: [
      { step: 'account linked', atMs: -80 },
      { step: 'offer sent', atMs: 0, detail: '1847 bytes' },
    ],
    bridgeTimeline: [{ step: 'offer-received', atMs: 0 }],
  }
  const failed: CallReport = {
    ...report,
    ok: false,
    answerMs: null,
    connectedMs: null,
    firstFrameMs: null,
    cause: { code: 'answer_late', message: 'no answer' },
  }

  test('aligns the timeline and sums up', () => {
    const text = printReport(report)
    expect(text).toContain('   -80.0  account linked\n     0.0  offer sent                   1847 bytes\n')
    expect(text).toContain('149 packets, 149 heard by the camera')
    expect(text.endsWith('\nok')).toBe(true)
    expect(text.startsWith('Echo Show showed bell-1\n')).toBe(true)
    expect(printReport({ ...failed, display: 'Chromecast' })).toMatch(/^Chromecast could not show bell-1\n/)
    expect(printReport(failed)).toMatch(/failed: answer_late: no answer$/)
  })

  test('has one line for each of many calls, and percentiles', () => {
    expect(printLine(2, failed)).toMatch(/^ {3}2 {2}failed .* answer_late: no answer$/)
    const times = [30, 10, 20].map((answerMs) => ({ ...report, answerMs }))
    const summary = summarize([...times, failed])
    expect(summary).toMatchObject({ calls: 4, failed: 1, answerMs: { p50: 20, p95: 30, max: 30 } })
    expect(printSummary(summary)).toContain('4 calls, 1 failed')
    expect(printSummary(summarize([failed]))).toMatch(/answer +-/)
  })
})
