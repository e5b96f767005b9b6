/** Whatever comes in, one well-formed event goes out, and nothing secret reaches the log. */
import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { alexaEvent, proactiveEvent } from '../../src/core/wire/alexa.ts'
import * as directive from './directives.ts'
import { sampleMessages } from './samples.ts'
import { createWorld } from './world.ts'

describe('whatever comes in, one well-formed event goes out', () => {
  test('for every sample', async () => {
    for (const [name, message] of await sampleMessages()) {
      const isProactive = /^(DoorbellPress|ChangeReport|ObjectDetection|AddOrUpdateReport|DeleteReport)/.test(name)
      const schema = isProactive ? proactiveEvent : alexaEvent
      expect([name, schema.safeParse(message).error]).toEqual([name, undefined])
    }
  })

  test('for any value at all', async () => {
    const { handle } = createWorld()
    await fc.assert(
      fc.asyncProperty(fc.anything(), async (input) => {
        expect(alexaEvent.safeParse(await handle(input)).error).toBeUndefined()
      }),
    )
  })

  test('for directives with any part replaced by anything', async () => {
    const { handle, lines } = createWorld()
    const whole = [
      directive.discover(),
      directive.acceptGrant(),
      directive.reportState(),
      directive.initiateSession(),
      directive.sessionConnected(),
    ]
    const parts = [...new Set(whole.flatMap((event) => pathsOf(event)))]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...whole),
        fc.constantFrom(...parts),
        fc.jsonValue(),
        async (event, path, value) => {
          const broken = structuredClone<unknown>(event)
          replaceAt(broken, path.split('.'), value)
          expect(alexaEvent.safeParse(await handle(broken)).error).toBeUndefined()
        },
      ),
      { numRuns: 400 },
    )
    expect(lines.filter(({ level }) => level === 'error')).toEqual([])
  })
})

test('the log holds no token, no correlation token and no SDP', async () => {
  const secret = 'c2VjcmV0LXRva2Vu'
  const { handle, lines } = createWorld()
  for (const event of [directive.initiateSession(undefined, { token: secret }), directive.discover(secret)]) {
    await handle(event)
  }
  await handle(directive.acceptGrant(secret))
  await handle(directive.initiateSession({ format: secret, value: directive.offerSdp }))
  const text = JSON.stringify(lines)
  for (const hidden of [secret, directive.correlationToken, 'a=fingerprint']) expect(text).not.toContain(hidden)
})

function pathsOf(value: unknown, path = ''): string[] {
  const here = path === '' ? [] : [path]
  if (typeof value !== 'object' || value === null) return here
  return [
    ...here,
    ...Object.entries(value).flatMap(([key, part]) => pathsOf(part, path === '' ? key : `${path}.${key}`)),
  ]
}

function replaceAt(target: unknown, [key, ...rest]: readonly string[], value: unknown): void {
  if (typeof target !== 'object' || target === null || key === undefined) return
  if (rest.length === 0) Object.assign(target, { [key]: value })
  else replaceAt(Reflect.get(target, key), rest, value)
}
