/** The player's requests of the bridge: the few that a view needs, each with a limit, each failing as a `PlayerError`. */
import type { IceServer } from './display.ts'
import { PlayerError, type Problem } from './problem.ts'
import type { Past, Span, Stretch } from './past.ts'
import type { Moments, RecordingList, Refused, Session, View, ViewAnswer, ViewOffer } from 'transom-core/wire/api'

const requestMs = 15_000
/** Of a hundred recordings each: more than a time line can show. */
const mostPages = 20

/** Which camera of which bridge is asked for, and with whose token. */
export interface BridgeOptions {
  /** The origin of the bridge. */
  readonly bridge: string
  readonly cameraId: string
  /** A valid access token of the bridge, whenever one is needed. */
  token(): Promise<string>
  readonly fetch?: typeof fetch
}

/** Leave to view a camera, as `View` of the wire: published types name no package that is not installed with them. */
export interface Leave {
  /** The name of the view. */
  readonly reference: string
  readonly iceServers: readonly IceServer[]
  readonly answerWithinMs: number
}

/** What came of an offer, as `ViewAnswer` of the wire. */
export interface Answered {
  readonly sessionId: string
  /** The complete SDP answer of the camera. */
  readonly sdp: string
}

/** What a player asks the bridge for. Everything rejects with a `PlayerError`, or with the reason of the signal. */
export interface Bridge {
  /** Whether the bridge knows that the camera is not connected. */
  isOffline(signal: AbortSignal): Promise<boolean>
  /** Asks for leave to view the camera, live or what was recorded from an instant on. */
  view(signal: AbortSignal, recording?: RecordingFrom): Promise<Leave>
  /** Brings the view's SDP offer to the camera. */
  offer(reference: string, sdp: string, signal: AbortSignal, recording?: RecordingFrom): Promise<Answered>
  /** Whether this session talks while somebody else does, whom the camera plays instead. */
  isWaitingToTalk(sessionId: string, signal: AbortSignal): Promise<boolean>
  /** What happened, and what was recorded, in this time. */
  past(span: Span, signal: AbortSignal): Promise<Past>
  /** The picture that stands for a recording. */
  thumbnail(id: number, signal: AbortSignal): Promise<Blob>
  /** Tells what became of a view. Waits for nothing and never fails: the bridge learns of the end from the camera, too. */
  tell(reference: string, what: 'connected' | 'end', body?: object): void
}

/** What was recorded from this instant on, epoch milliseconds. */
export interface RecordingFrom {
  readonly from: number
}

/** Makes the requests with this `fetch`, or the page's own. */
export function createBridge(options: BridgeOptions): Bridge {
  const { bridge, cameraId, fetch: given } = options
  const request = given ?? fetch.bind(globalThis)
  const camera = `/api/cameras/${encodeURIComponent(cameraId)}`

  const call = (path: string, body: unknown, signal?: AbortSignal): Promise<unknown> =>
    ask(path, { method: 'POST', body: JSON.stringify(body) }, signal)

  async function ask(path: string, init: RequestInit, signal?: AbortSignal): Promise<unknown> {
    const text = await (await send(path, init, signal)).text()
    return text === '' ? undefined : JSON.parse(text)
  }

  async function send(path: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    const token = await options.token()
    const limit = AbortSignal.timeout(requestMs)
    let response: Response
    try {
      response = await request(new URL(path, bridge), {
        ...init,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
        // The goodbye outlives the page.
        keepalive: signal === undefined,
      })
    } catch (cause) {
      signal?.throwIfAborted()
      throw new PlayerError(unreachable, { cause })
    }
    if (response.ok) return response
    throw new PlayerError(refusal(response.status, await response.text()))
  }

  return {
    isOffline: async (signal) => ((await ask(camera, {}, signal)) as { isOnline: boolean | null }).isOnline === false,
    view: async (signal, recording) => (await call(`${camera}/views`, { recording }, signal)) as View,
    async offer(reference, sdp, signal, recording) {
      const body = { cameraId, sdp, ...(recording && { recording }) } satisfies ViewOffer
      return (await call(pathOf(reference, 'offer'), body, signal)) as ViewAnswer
    },
    async isWaitingToTalk(sessionId, signal) {
      const { heard } = (await ask(`/api/sessions/${encodeURIComponent(sessionId)}`, {}, signal)) as Session
      return heard?.isWaiting === true
    },
    async past(span, signal) {
      const read = <T>(what: string, { from, to }: Span): Promise<T> =>
        ask(`${camera}/${what}?from=${from}&to=${to}`, {}, signal) as Promise<T>
      const stretches: Stretch[] = []
      const { events } = await read<Moments>('events', span)
      for (let from: number | undefined = span.from, page = 0; from !== undefined && page < mostPages; page += 1) {
        const list: RecordingList = await read<RecordingList>('recordings', { ...span, from })
        stretches.push(...list.recordings)
        from = list.next
      }
      return { marks: events, stretches }
    },
    async thumbnail(id, signal) {
      return (await send(`${camera}/recordings/${id}/thumbnail.jpg`, {}, signal)).blob()
    },
    tell(reference, what, body = {}) {
      call(pathOf(reference, what), body).catch(() => undefined)
    },
  }
}

const pathOf = (reference: string, what: string): string => `/api/views/${encodeURIComponent(reference)}/${what}`

const unreachable: Problem = {
  code: 'unreachable',
  message: 'The bridge cannot be reached.',
  advice: 'Look whether it runs, and whether this device is on its network.',
}

/** `{error, message, advice}` of the bridge, or of something in between that is not the bridge. */
function refusal(status: number, text: string): Problem {
  try {
    const { error, message, advice } = JSON.parse(text) as Refused
    return { code: error, message, ...(advice !== undefined && { advice }) }
  } catch {
    return { ...unreachable, message: `The bridge, or what stands before it, answered ${status}.` }
  }
}
