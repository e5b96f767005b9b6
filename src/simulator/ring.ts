/** `--ring`: presses the bell as the camera does, and hears at the event receivers in the bridge when it is announced. */

import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { DisplayEvent } from 'transom-core/wire/api'
import type { Assistant } from './assistant.ts'
import { CallError, toCallError } from './causes.ts'
import { untilAborted, bounded } from 'transom-core/deadline'
import { listenAt } from './event-stream.ts'
import { jsonOf, mustFit, postJson } from './http.ts'
import type { AssistantName, Settings } from './settings.ts'

export interface Bell {
  /** Lets the bridge send events, where the assistant must permit that. */
  permit(assistant: Assistant, signal: AbortSignal): Promise<void>
  /** Presses the bell of this camera. Throws `press_refused`, or `ring_impossible` without its key. */
  press(cameraId: string, signal: AbortSignal): Promise<Press>
  /** Resolves when this press is announced. Throws `not_announced` after `ms`, or `announcement_invalid`. */
  announced(press: Press, ms: number, signal: AbortSignal): Promise<void>
  /** What the bridge has sent so far that the assistant would refuse. */
  complaints(): readonly string[]
  close(): void
}

export interface Press {
  readonly cameraId: string
  readonly eventId: string
  readonly at: number
}

/** Listens from now on for the account of this token. Throws `ring_impossible` when there is nothing to be heard. */
export async function openBell(
  { bridge, receivers, cameraKeys }: Settings,
  assistant: AssistantName,
  accessToken: string,
  signal: AbortSignal,
): Promise<Bell> {
  if (receivers?.plays.includes(assistant) !== true) {
    throw new CallError(
      'ring_impossible',
      'the bridge does not tell this simulator of a press, but the real vendor or nobody: see TRANSOM_SIMULATOR',
    )
  }
  const { url } = receivers
  const hangUp = new AbortController()
  const heard: DisplayEvent[] = []
  let ended: CallError | undefined
  let changed = Promise.withResolvers<void>()
  const wake = (): void => {
    changed.resolve()
    changed = Promise.withResolvers<void>()
  }
  const events = await listenAt(`${url}/stream`, accessToken, AbortSignal.any([signal, hangUp.signal])).catch(
    (thrown: unknown) => {
      hangUp.abort()
      throw thrown
    },
  )
  const listening = async (): Promise<void> => {
    for await (const each of events) {
      heard.push(each)
      wake()
    }
  }
  listening().catch((thrown: unknown) => {
    ended = toCallError(thrown)
    wake()
  })

  const complaints = (): readonly string[] =>
    heard.flatMap(({ event, data }) => (event === 'complaint' && data.assistant === assistant ? [data.message] : []))

  return {
    async permit({ acceptGrant }, signal) {
      if (acceptGrant === undefined) return
      const reply = await postJson(`${url}/grants`, {}, { authorization: `Bearer ${accessToken}` }, signal)
      const what = 'the code for AcceptGrant'
      const { code } = mustFit(
        z.object({ code: z.string() }),
        jsonOf(reply, 'ring_impossible', what),
        'ring_impossible',
        what,
      )
      await acceptGrant(code, signal)
    },

    async press(cameraId, signal) {
      const key = cameraKeys?.[cameraId]
      if (key === undefined)
        throw new CallError('ring_impossible', `simulator.json has no key of the camera ${cameraId}`)
      const press = { kind: 'press', eventId: randomUUID(), at: Date.now() }
      const headers = { authorization: `Bearer ${key}` }
      const { status } = await postJson(
        `${bridge}/cameras/${encodeURIComponent(cameraId)}/events`,
        press,
        headers,
        signal,
      )
      if (status !== 202)
        throw new CallError('press_refused', `the press was answered with HTTP status ${status}, not 202`)
      return { cameraId, ...press }
    },

    async announced(press, ms, signal) {
      await bounded(
        signal,
        ms,
        () => new CallError('not_announced', `not within ${ms} ms`),
        async (within) => {
          for (;;) {
            const [complaint] = complaints()
            if (complaint !== undefined) throw new CallError('announcement_invalid', complaint)
            if (heard.some((each) => isAbout(each, assistant, press))) return
            if (ended !== undefined) throw ended
            await untilAborted(changed.promise, within)
          }
        },
      )
    },

    complaints,
    close: () => hangUp.abort(),
  }
}

/** Google is told the event's name and its instant, Amazon whole seconds. */
function isAbout({ event, data }: DisplayEvent, assistant: AssistantName, { cameraId, eventId, at }: Press): boolean {
  if (event !== 'announced' || data.assistant !== assistant || data.cameraId !== cameraId) return false
  if (assistant === 'alexa') return data.pressedAt === Math.floor(at / 1000) * 1000
  return data.pressedAt === at && data.eventId?.includes(eventId) === true
}
