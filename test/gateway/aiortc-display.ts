/** A display of another make (aiortc) at the built-in doorbell, for the suites that need Debian's python3-aiortc. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from '@jest/globals'
import { until, type World } from './world.ts'

/**
 * Shows the doorbell on an aiortc display; resolves to how long it took from the offer to the fifth decoded picture,
 * milliseconds. `setup`: the DTLS role that it offers. `wrapper`: a command that runs the display, as `ip netns exec`.
 */
export async function showOnAiortc(
  world: World,
  setup: 'actpass' | 'active',
  wrapper: readonly string[] = [],
): Promise<number> {
  const program = ['/usr/bin/python3', join(import.meta.dirname, 'aiortc-display.py')]
  const [command = '', ...args] = [...wrapper, ...program]
  const display = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: display.stdout })[Symbol.asyncIterator]()
  try {
    const offer = String(JSON.parse((await lines.next()).value ?? '{}').sdp)
    const line = await world.callIn('aiortc')
    const startedAt = performance.now()
    line.send({ kind: 'offer', sdp: offer.replaceAll('a=setup:actpass', `a=setup:${setup}`) })
    await until(() => line.received.some(({ kind }) => kind === 'end-of-candidates'))
    let answer = ''
    const candidates: string[] = []
    for (const message of line.received) {
      if (message.kind === 'answer') answer = message.sdp
      if (message.kind === 'candidate') candidates.push(`a=${message.candidate}\r\n`)
    }
    expect(answer).toContain(setup === 'active' ? 'a=setup:passive' : 'a=setup:active')
    const [session, ...sections] = answer.split(/^(?=m=)/m)
    const sdp = [session, ...sections.map((section) => section + candidates.join(''))].join('')
    display.stdin.write(`${JSON.stringify({ sdp })}\n`)
    const { value = '{}' } = await lines.next()
    expect(JSON.parse(value)).toEqual({ pictures: 5 })
    return performance.now() - startedAt
  } finally {
    display.kill()
  }
}
