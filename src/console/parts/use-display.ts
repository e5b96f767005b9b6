/** The browser as an Echo Show or a Nest Hub: what it asks the assistant's cloud for, and what came of it. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { connectDisplay, PlayerError, problemOf, type Display, type PlayerStep, type Problem } from 'transom-player'
import { refusal, type Api, type Assistant, type Refusal, type Shown, type Step } from '../api.ts'
import { askBridge } from '../ask.ts'
import { useHouse } from '../house.ts'

export type Phase = 'idle' | 'asking' | 'live' | 'failed'

export interface Showing {
  readonly phase: Phase
  readonly problem?: Problem
  /** What the cloud and the browser did, each by its own clock. */
  readonly cloud: readonly Step[]
  readonly display: readonly PlayerStep[]
  /** By one of them the bridge's session is found. */
  readonly sessionId?: string
  readonly reference?: string
  readonly canTalk: boolean
}

const nothing: Showing = { phase: 'idle', cloud: [], display: [], canTalk: false }

export function useDisplay(assistant: Assistant, cameraId: string) {
  const { api } = useHouse()
  const video = useRef<HTMLVideoElement>(null)
  const [showing, setShowing] = useState(nothing)
  const running = useRef<{ abort: AbortController; display?: Display; end?: () => void }>(undefined)

  function stop(): void {
    const me = running.current
    running.current = undefined
    if (!me) return
    me.abort.abort()
    me.display?.close()
    me.end?.()
    setShowing((before) => ({ ...before, phase: 'idle', canTalk: false }))
  }
  // The frame is taken off the wall, or the window is closed.
  useEffect(() => {
    addEventListener('pagehide', stop)
    return () => {
      removeEventListener('pagehide', stop)
      stop()
    }
  }, [])

  async function show(): Promise<void> {
    stop()
    const me: NonNullable<typeof running.current> = { abort: new AbortController() }
    running.current = me
    const { signal } = me.abort
    const isMine = (): boolean => running.current === me
    const tell = (news: Partial<Showing>): void => {
      if (isMine()) setShowing((before) => ({ ...before, ...news }))
    }
    // Each reply tells the cloud's steps from the beginning.
    const learn: Learn = ({ steps, sessionId, reference }) =>
      tell({
        ...(steps && { cloud: steps }),
        ...(sessionId !== undefined && { sessionId }),
        ...(reference !== undefined && { reference }),
      })
    setShowing({ ...nothing, phase: 'asking' })
    try {
      const shown = await api.show(assistant, cameraId, signal)
      learn(shown)
      const road = roadOf(assistant, api, cameraId, shown, learn)
      me.end = road.end
      me.display = await connectDisplay({
        video: video.current!,
        iceServers: shown.iceServers,
        signal,
        exchange: road.exchange,
        onStep: (step) => isMine() && setShowing((before) => ({ ...before, display: [...before.display, step] })),
        onLost: () => fail({ code: 'media_lost', message: 'The connection to the camera was lost.' }),
      })
      road.connected?.()
      tell({ phase: 'live', canTalk: me.display.canTalk })
    } catch (error) {
      if (signal.aborted) return
      const problem: Refusal = problemOf(error)
      learn(problem)
      fail(problem)
    }

    function fail(problem: Problem): void {
      if (!isMine()) return
      running.current = undefined
      me.abort.abort()
      me.end?.()
      setShowing((before) => ({ ...before, phase: 'failed', problem, canTalk: false }))
    }
  }

  const talk = async (on: boolean): Promise<void> => running.current?.display?.talk(on)
  return { video, showing, show: () => void show(), stop, talk }
}

type Learn = (reply: Pick<Refusal, 'steps' | 'sessionId'> & Partial<Pick<Shown, 'reference'>>) => void

interface Road {
  exchange(sdp: string, signal: AbortSignal): Promise<string>
  connected?(): void
  end(): void
}

function roadOf(assistant: Assistant, api: Api, cameraId: string, shown: Shown, learn: Learn): Road {
  if (assistant === 'alexa') {
    const { reference } = shown
    return {
      async exchange(offer, signal) {
        const answered = await api.echoOffer(reference, offer, signal)
        learn(answered)
        return answered.sdp
      },
      connected: () => polite(api.echoTells(reference, 'connected')),
      end: () => polite(api.echoTells(reference, 'end')),
    }
  }
  // A Hub's player speaks to the bridge itself, with the token that it was given for this one stream.
  const { signalingUrl = '', token = '' } = shown
  const post = (message: object, signal?: AbortSignal): Promise<Response> =>
    askBridge(signalingUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ deviceId: cameraId, ...message }),
      ...(signal ? { signal } : { keepalive: true }),
    })
  return {
    async exchange(sdp, signal) {
      const response = await post({ action: 'offer', sdp }, signal)
      if (!response.ok) {
        const { code } = await refusal(response)
        throw new PlayerError({ code, message: `The signaling URL answered ${response.status}: ${code}.` })
      }
      return ((await response.json()) as { sdp: string }).sdp
    },
    end: () => polite(post({ action: 'end' })),
  }
}

/** What is told at the end is a courtesy: the bridge and the simulator let go by themselves, too. */
function polite(work: Promise<unknown>): void {
  work.catch(() => undefined)
}
