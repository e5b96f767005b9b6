/** The bridge's API as the page uses it: types of what comes, and one function for each call. */
import { PlayerError, type Problem } from 'transom-player'
import { askBridge } from './ask.ts'
import type { SignIn } from './sign-in.ts'

export type Assistant = 'alexa' | 'google'

export interface Me {
  readonly name: string
  readonly login: string
  readonly canRegister: boolean
  readonly canSimulate: boolean
}

export interface Camera {
  readonly id: string
  readonly name: string
  readonly room?: string
  readonly kind: 'doorbell' | 'camera'
  readonly isOwner: boolean
  readonly mayTalk: boolean
  readonly hasVideo: boolean
  /** Null: nobody can know. */
  readonly isOnline: boolean | null
  readonly sinceAt?: number
  /** Why it is offline, where its gateway has said so. */
  readonly fault?: Problem
  /** The STUN and TURN servers that give it nothing, and why. */
  readonly failedServers?: readonly { readonly url: string; readonly message: string }[]
  readonly viewers: number
  readonly lastPressAt?: number
  readonly snapshotAt?: number
  readonly model: string
  readonly manufacturer: string
}

export interface Step {
  readonly step: string
  readonly at: number
  readonly detail?: string
}

export type Phase = 'offered' | 'gathering' | 'answered' | 'connected' | 'closed'

/** A row of the list of sessions. */
export interface SessionRow {
  readonly id: string
  readonly assistant: Assistant | 'console'
  readonly cameraId: string
  /** The login of a guest, whose view of one's own camera it is. */
  readonly guest?: string
  readonly reference: string
  readonly phase: Phase
  readonly startedAt: number
  readonly answerMs?: number
  readonly cause?: Problem
  readonly endedAt?: number
}

export interface Session extends SessionRow {
  readonly timeline: readonly Step[]
  readonly heard?: { readonly packets: number; readonly level?: number }
  /** Sound may go to the camera; absent in sessions of an older bridge. */
  readonly mayTalk?: boolean
}

export interface NewCamera {
  readonly name: string
  readonly room?: string
  readonly kind: Camera['kind']
}

/** Everything that the firmware needs; its secrets are told once. */
export interface Registration {
  readonly cameraId: string
  readonly channelName: string
  readonly channelArn: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly cameraKey?: string
  readonly eventsUrl: string
  readonly endpoint: string
  readonly caPath: string | null
  readonly environment: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
}

export interface Guest {
  readonly login: string
  /** Known once the person has accepted. */
  readonly name?: string
  readonly mayTalk: boolean
  readonly isInvited?: true
}

/** What is wrong for this account, with what to do about it. */
export interface Notice {
  readonly kind: string
  readonly message: string
  readonly at: number
}

/** What somebody wants to share with whoever is signed in. */
export interface Invitation {
  readonly id: string
  readonly camera: string
  readonly owner: { readonly login: string; readonly name: string }
  readonly mayTalk: boolean
}

export type Api = ReturnType<typeof createApi>

export function createApi({ token, refused }: Pick<SignIn, 'token' | 'refused'>) {
  async function failure(response: Response): Promise<PlayerError> {
    if (response.status === 401) refused()
    return new PlayerError(await refusal(response))
  }

  async function send(
    method: string,
    path: string,
    body?: unknown,
    options: Pick<RequestInit, 'signal' | 'keepalive'> = {},
  ): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${await token()}` }
    if (body !== undefined) headers['content-type'] = 'application/json'
    const response = await askBridge(path, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...options,
    })
    if (!response.ok) throw await failure(response)
    return response
  }
  async function read<T>(
    method: string,
    path: string,
    body?: unknown,
    options?: Pick<RequestInit, 'signal' | 'keepalive'>,
  ): Promise<T> {
    const text = await (await send(method, path, body, options)).text()
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  return {
    me: () => read<Me>('GET', '/api/me'),
    cameras: async () => (await read<{ cameras: Camera[] }>('GET', '/api/cameras')).cameras,
    addCamera: (camera: NewCamera) => read<Registration>('POST', '/api/cameras', camera),
    removeCamera: (id: string) => read<void>('DELETE', camera(id)),
    snapshot: async (id: string, signal: AbortSignal) => {
      const response = await send('GET', `/cameras/${encodeURIComponent(id)}/snapshot`, undefined, { signal })
      return response.blob()
    },
    ring: (id: string) => read<{ eventId: string; at: number }>('POST', camera(id, '/ring'), {}),
    guests: async (id: string) => (await read<{ guests: Guest[] }>('GET', camera(id, '/guests'))).guests,
    share: (id: string, login: string, mayTalk: boolean) => read<void>('PUT', guest(id, login), { mayTalk }),
    unshare: (id: string, login: string) => read<void>('DELETE', guest(id, login)),
    notices: async () => (await read<{ notices: Notice[] }>('GET', '/notices')).notices,
    invitations: async () => (await read<{ invitations: Invitation[] }>('GET', '/api/invitations')).invitations,
    answer: (id: string, answer: 'accept' | 'decline') =>
      read<void>('POST', `/api/invitations/${encodeURIComponent(id)}/${answer}`, {}),
    leave: (id: string) => read<void>('DELETE', camera(id, '/share')),
    sessions: async () => (await read<{ sessions: SessionRow[] }>('GET', '/api/sessions')).sessions,
    session: (id: string) => read<Session>('GET', `/api/sessions/${encodeURIComponent(id)}`),
    /** A stream of server-sent events; it has no deadline. */
    async stream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
      const headers = { authorization: `Bearer ${await token()}`, accept: 'text/event-stream' }
      const response = await fetch(path, { headers, signal, cache: 'no-store' })
      if (!response.ok || response.body === null) throw await failure(response)
      return response.body
    },

    links: () => read<Record<Assistant, { linked: boolean }>>('GET', '/simulator/state'),
    link: (assistant: Assistant, returnTo: string) =>
      read<{ url: string }>('POST', display(assistant, 'link'), { returnTo }),
    show: (assistant: Assistant, cameraId: string, signal: AbortSignal) =>
      read<Shown>('POST', display(assistant, 'sessions'), { cameraId }, { signal }),
    echoOffer: (reference: string, sdp: string, signal: AbortSignal) =>
      read<{ sdp: string; steps?: Step[]; sessionId?: string }>(
        'POST',
        display('alexa', `sessions/${encodeURIComponent(reference)}/offer`),
        { sdp },
        { signal },
      ),
    echoTells: (reference: string, what: 'connected' | 'end') =>
      // The goodbye outlives the page.
      read<unknown>(
        'POST',
        display('alexa', `sessions/${encodeURIComponent(reference)}/${what}`),
        {},
        { keepalive: true },
      ),
  }
}

const camera = (id: string, rest = ''): string => `/api/cameras/${encodeURIComponent(id)}${rest}`
const guest = (id: string, login: string): string => camera(id, `/guests/${encodeURIComponent(login)}`)
const display = (assistant: Assistant, rest: string): string => `/simulator/${assistant}/${rest}`

/** What the simulator's cloud gives a display that is to show a camera. */
export interface Shown {
  readonly reference?: string
  readonly sessionId?: string
  readonly steps?: readonly Step[]
  readonly iceServers?: RTCIceServer[]
  /** Google: where the display posts its offer, and with which token. */
  readonly signalingUrl?: string
  readonly token?: string
}

/** A refusal of the simulator tells how far it came. */
export interface Refusal extends Problem {
  readonly steps?: readonly Step[]
  readonly sessionId?: string
}

export async function refusal(response: Response): Promise<Refusal> {
  const text = await response.text()
  try {
    const { error, ...rest } = JSON.parse(text) as Omit<Refusal, 'code'> & { error: string }
    return { ...rest, code: error }
  } catch {
    return { code: 'internal', message: `The bridge answered ${response.status}.` }
  }
}
