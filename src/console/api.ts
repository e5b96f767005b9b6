/** The bridge's API as the page uses it: types of what comes, and one function for each call. */
import { PlayerError, type Problem } from 'transom-player'
import type {
  Activity,
  AddedCamera,
  AssistantName,
  Cameras,
  ClipAddress,
  EditedCamera,
  Figures,
  Guests,
  GuestRights,
  Invitations,
  Me,
  Notices,
  Pressed,
  Refused,
  Session,
  Sessions,
  WantedCamera,
} from 'transom-core/wire/api'
import type { EchoAnswer, FailedView, Links, LinkStart, Shown } from 'transom-core/wire/displays'
import type {
  CameraSource,
  FoundCameras,
  PlayedTone,
  Restreams,
  SeenCertificate,
  SourceAddress,
  SourceProbe,
  TriedSource,
} from 'transom-core/wire/source'
import type { Device, Devices, WantedDevice } from 'transom-core/wire/push'
import type { CameraWebhooks } from 'transom-core/wire/registration'
import { spanOf, type ActivityFilter } from './activity.ts'
import { askBridge } from './ask.ts'
import { queryOf, type SessionFilter } from './sessions.ts'
import type { SignIn } from './sign-in.ts'

export type {
  AssistantName as Assistant,
  CameraRow as Camera,
  Guest,
  Invitation,
  Me,
  Notice,
  Session,
  SessionRow,
  Step,
} from 'transom-core/wire/api'
export type { Shown } from 'transom-core/wire/displays'
export type { CameraWebhooks } from 'transom-core/wire/registration'
/** What the firmware of a camera that connects by itself needs. */
export type Registration = Extract<AddedCamera, { readonly environment: unknown }>

/** `ms`: how long the answer may take. */
type Options = Pick<RequestInit, 'signal' | 'keepalive'> & { readonly ms?: number }
/** A camera is measured for the better part of a minute. */
const probeMs = 65_000
/** What a camera has recorded for weeks is many files. */
const removalMs = 120_000

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
    { ms, ...options }: Options = {},
  ): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${await token()}` }
    if (body !== undefined) headers['content-type'] = 'application/json'
    const response = await askBridge(
      path,
      {
        method,
        headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...options,
      },
      ms,
    )
    if (!response.ok) throw await failure(response)
    return response
  }
  async function read<T>(method: string, path: string, body?: unknown, options?: Options): Promise<T> {
    const text = await (await send(method, path, body, options)).text()
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  return {
    me: () => read<Me>('GET', '/api/me'),
    cameras: async () => (await read<Cameras>('GET', '/api/cameras')).cameras,
    addCamera: (camera: WantedCamera) => read<AddedCamera>('POST', '/api/cameras', camera),
    editCamera: (id: string, change: EditedCamera) => read<void>('PATCH', camera(id), change),
    discover: (signal: AbortSignal) => read<FoundCameras>('POST', '/api/sources/discover', {}, { signal, ms: probeMs }),
    restreams: (given: SourceAddress) => read<Restreams>('POST', '/api/sources/restreams', given, { ms: probeMs }),
    probe: (given: SourceAddress, signal: AbortSignal) =>
      read<SourceProbe>('POST', '/api/sources/probe', given, { signal, ms: probeMs }),
    source: (id: string) => read<CameraSource>('GET', camera(id, '/source')),
    tryCamera: (id: string, signal: AbortSignal) =>
      read<TriedSource>('POST', camera(id, '/try'), {}, { signal, ms: probeMs }),
    playTone: (id: string) => read<PlayedTone>('POST', camera(id, '/tone'), {}, { ms: probeMs }),
    trust: (id: string, seen: SeenCertificate) => read<void>('PUT', camera(id, '/certificate'), seen),
    removeCamera: (id: string) => read<void>('DELETE', camera(id)),
    snapshot: async (id: string, signal: AbortSignal) => {
      const response = await send('GET', `/cameras/${encodeURIComponent(id)}/snapshot`, undefined, { signal })
      return response.blob()
    },
    ring: (id: string) => read<Pressed>('POST', camera(id, '/ring'), {}),
    webhooks: (id: string) => read<CameraWebhooks>('GET', camera(id, '/webhooks')),
    rollWebhooks: (id: string) => read<CameraWebhooks>('POST', camera(id, '/webhooks'), {}),
    guests: async (id: string) => (await read<Guests>('GET', camera(id, '/guests'))).guests,
    share: (id: string, login: string, rights: GuestRights) => read<void>('PUT', guest(id, login), rights),
    unshare: (id: string, login: string) => read<void>('DELETE', guest(id, login)),
    /** `before`: where the page before this one ended. */
    activity: (filter: ActivityFilter, before: number | undefined, signal?: AbortSignal) => {
      const { cameraId, kind, day } = filter
      const { from, to = before } = (day !== undefined && spanOf(day)) || {}
      const given = { camera: cameraId, kind, from, to: before ?? to }
      const query = new URLSearchParams()
      for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, String(value))
      return read<Activity>('GET', `/api/activity?${query.toString()}`, undefined, signal && { signal })
    },
    thumbnail: async (id: string, recording: number, signal: AbortSignal) => {
      const response = await send('GET', camera(id, `/recordings/${recording}/thumbnail.jpg`), undefined, { signal })
      return response.blob()
    },
    /** An address that plays for a while; with `days`, one to hand on. */
    clipAddress: (id: string, recording: number, days?: number) =>
      read<ClipAddress>('POST', camera(id, `/recordings/${recording}/address`), days === undefined ? {} : { days }),
    pauseRecording: (id: string, isPaused: boolean) =>
      read<void>(isPaused ? 'PUT' : 'DELETE', camera(id, '/recording/pause')),
    removeRecording: (id: string, recording: number) => read<void>('DELETE', camera(id, `/recordings/${recording}`)),
    removeRecordings: (id: string, span: { readonly from: number; readonly to: number } | undefined) =>
      read<void>('DELETE', camera(id, `/recordings${span ? `?from=${span.from}&to=${span.to}` : ''}`), undefined, {
        ms: removalMs,
      }),
    devices: () => read<Devices>('GET', '/api/devices'),
    addDevice: (device: WantedDevice) => read<Device>('POST', '/api/devices', device),
    removeDevice: (id: string) => read<void>('DELETE', `/api/devices/${encodeURIComponent(id)}`),
    notices: async () => (await read<Notices>('GET', '/api/notices')).notices,
    invitations: async () => (await read<Invitations>('GET', '/api/invitations')).invitations,
    answer: (id: string, answer: 'accept' | 'decline') =>
      read<void>('POST', `/api/invitations/${encodeURIComponent(id)}/${answer}`, {}),
    leave: (id: string) => read<void>('DELETE', camera(id, '/share')),
    sessions: (filter: SessionFilter, page: { readonly limit: number; readonly after?: string | undefined }) =>
      read<Sessions>('GET', `/api/sessions?${queryOf(filter, page)}`),
    figures: () => read<Figures>('GET', '/api/figures'),
    session: (id: string) => read<Session>('GET', `/api/sessions/${encodeURIComponent(id)}`),
    /** A stream of server-sent events; it has no deadline. */
    async stream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
      const headers = { authorization: `Bearer ${await token()}`, accept: 'text/event-stream' }
      const response = await fetch(path, { headers, signal, cache: 'no-store' })
      if (!response.ok || response.body === null) throw await failure(response)
      return response.body
    },

    links: () => read<Links>('GET', '/simulator/state'),
    link: (assistant: AssistantName, returnTo: string) =>
      read<LinkStart>('POST', display(assistant, 'link'), { returnTo }),
    show: (assistant: AssistantName, cameraId: string, signal: AbortSignal) =>
      read<Shown>('POST', display(assistant, 'sessions'), { cameraId }, { signal }),
    echoOffer: (reference: string, sdp: string, signal: AbortSignal) =>
      read<EchoAnswer>(
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
const display = (assistant: AssistantName, rest: string): string => `/simulator/${assistant}/${rest}`

/** A refusal of the simulator tells how far it came. */
export type Refusal = Problem & Partial<Pick<FailedView, 'steps' | 'sessionId'>>

export async function refusal(response: Response): Promise<Refusal> {
  const text = await response.text()
  try {
    const { error, ...rest } = JSON.parse(text) as Refused | FailedView
    return { ...rest, code: error }
  } catch {
    return { code: 'internal', message: `The bridge answered ${response.status}.` }
  }
}
