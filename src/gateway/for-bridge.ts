/** A gateway that reads the cameras of a bridge, here or elsewhere: the bridge says which, and is told how each of them fares. */
import { isDeepStrictEqual } from 'node:util'
import { boundedFetch, fetchLines, whyFailed } from 'transom-core/fetch'
import type { Clock, Log } from 'transom-core/ports'
import { aliveEachMs, gatewayLine, type TaskResult, type Wanted, type WantedCamera } from 'transom-core/wire/gateway'
import type { SeenCertificate } from 'transom-core/wire/source'
import { startCamera, type CameraMaster } from './camera.ts'
import { createPictureMemory, type PictureMemory } from './picture-memory.ts'
import { startRecordingPlayer, type RecordingPlayer } from './playback/player.ts'
import { createRecordingPlace } from './record/place.ts'
import { createReporter, createStillPoster } from './report.ts'
import { createRoster } from './roster.ts'
import { stayConnected } from './stay-connected.ts'
import { createTasks } from './tasks.ts'
import { createTrust, type KeptTrust } from './trust.ts'

const silenceMs = 3 * aliveEachMs

export interface BridgeGatewayOptions {
  /** Where the bridge is, without a path. */
  readonly bridge: string
  /** The gateway's own key, as the bridge gave it out. */
  readonly key: string
  /** Keeps the latest pictures of all its cameras. */
  readonly pictures?: PictureMemory
  readonly clock: Clock
  readonly log: Log
}

export interface BridgeGateway {
  /** Leaves all cameras alone and hangs up. May be called again. */
  close(): Promise<void>
}

type Where = Omit<Wanted, 'kind' | 'cameras' | 'playback'>
/** A camera and where its channel is: what its master runs by. */
type Assignment = Where & WantedCamera
/** The same of the master for recordings. */
type PlaybackAssignment = Where & NonNullable<Wanted['playback']>

/** Connects, again and again. What runs goes on while the bridge cannot be reached; where it refuses the key, nothing does. */
export function startGatewayForBridge({
  bridge,
  key,
  clock,
  log,
  pictures = createPictureMemory(),
}: BridgeGatewayOptions): BridgeGateway {
  const authorization = { authorization: `Bearer ${key}` }
  const life = new AbortController()
  const trusts = new Map<string, KeptTrust>()
  const roster = createRoster<Assignment, CameraMaster>({
    start,
    isSame,
    adjust: (master, { record }) => master.record(record),
    log,
  })
  const players = createRoster<PlaybackAssignment, RecordingPlayer>({
    start: async (_id, wanted) => startPlayer(wanted),
    isSame: isDeepStrictEqual,
    log,
  })
  const { answer, keep } = createLetters({ bridge, authorization, life: life.signal, log })
  const tasks = createTasks({ master: roster.master, answer })
  /** Nothing was said on this connection yet. */
  let isNew = true

  async function start(id: string, wanted: Assignment): Promise<CameraMaster> {
    const {
      channelName,
      source,
      onvif,
      accessKeyId,
      secretAccessKey,
      region,
      endpoint,
      ca,
      maxViewers,
      hasRelayAtHand,
    } = wanted
    const url = `${bridge}/gateway/cameras/${id}`
    const master = await startCamera({
      access: { region, endpoint, credentials: { accessKeyId, secretAccessKey }, ...(ca !== undefined && { ca }) },
      channelName,
      source,
      ...(onvif && { onvif }),
      trust: trustOf(id, wanted),
      report: createReporter({ url: `${url}/events`, key, clock, log, signal: life.signal }),
      leaveStill: createStillPoster({ url: `${url}/snapshot`, key }),
      recordings: createRecordingPlace({ url: `${url}/recordings`, key, log }),
      ...(maxViewers !== undefined && { maxViewers }),
      ...(hasRelayAtHand !== undefined && { hasRelayAtHand }),
      pictures,
      clock,
      log,
    })
    master.record(wanted.record)
    return master
  }

  function startPlayer({ channelName, maxViewers, ...wanted }: PlaybackAssignment): RecordingPlayer {
    const { region, endpoint, ca, accessKeyId, secretAccessKey } = wanted
    return startRecordingPlayer({
      access: { region, endpoint, credentials: { accessKeyId, secretAccessKey }, ...(ca !== undefined && { ca }) },
      channelName,
      url: `${bridge}/gateway/playback`,
      key,
      ...(maxViewers !== undefined && { maxViewers }),
      clock,
      log,
    })
  }

  function trustOf(id: string, { certificates, networks }: Assignment): KeptTrust {
    const onFirst = (place: string, fingerprint: string) => void keep(id, { place, fingerprint })
    const made = createTrust({ certificates, networks, onFirst })
    trusts.set(id, made)
    return made
  }

  /**
   * Whether the master that runs will still do. The certificates are compared with what is known by now: that the first one
   * was seen here is no change. What is recorded changes while it runs, and nobody's view ends for it.
   */
  function isSame(running: Assignment, wanted: Assignment): boolean {
    const certificates = trusts.get(wanted.cameraId)?.certificates()
    return isDeepStrictEqual({ ...running, certificates, record: undefined }, { ...wanted, record: undefined })
  }

  function receive(text: string): void {
    const line = gatewayLine.safeParse(parse(text))
    // Also of a newer bridge, with a word that is not known here.
    if (!line.success) return log('warn', 'gateway.bridge-line-ignored', {})
    switch (line.data.kind) {
      case 'press': {
        const { cameraId, eventId } = line.data
        return void roster.master(cameraId).then((master) => master?.rang(eventId))
      }
      case 'happened':
        return void roster.master(line.data.cameraId).then((master) => master?.happened())
      case 'task':
        return void tasks.run(line.data)
      case 'cancel':
        return tasks.cancel(line.data.id)
      case 'cameras':
        return follow(line.data)
      case 'alive':
    }
  }

  function follow({ kind: _kind, cameras, playback, ...where }: Wanted): void {
    roster.set(new Map(cameras.map((camera) => [camera.cameraId, { ...where, ...camera }])))
    players.set(new Map(playback ? [[playback.channelName, { ...where, ...playback }]] : []))
    // To a bridge that was not there when it was last said.
    if (isNew) for (const master of roster.masters()) void master.then((one) => one?.reportSource())
    isNew = false
  }

  const following = stayConnected({
    read: () => fetchLines(`${bridge}/gateway/cameras`, { headers: authorization, signal: life.signal }, { silenceMs }),
    begin: () => (isNew = true),
    receive,
    refused() {
      roster.set(new Map())
      players.set(new Map())
    },
    life: life.signal,
    log,
  })
  return {
    async close() {
      life.abort()
      await Promise.all([following, tasks.close(), roster.close(), players.close()])
    },
  }
}

interface LettersDeps {
  readonly bridge: string
  readonly authorization: Readonly<Record<string, string>>
  readonly life: AbortSignal
  readonly log: Log
}

/** What is posted to the bridge beside the cameras' own reports. Nothing rejects: what fails is logged. */
function createLetters({ bridge, authorization, life, log }: LettersDeps) {
  const send = boundedFetch({ ms: 5_000 })

  async function answer(id: string, result: TaskResult): Promise<void> {
    try {
      const { ok, status } = await post(`/gateway/tasks/${id}`, result)
      if (!ok) log('warn', 'gateway.task-not-answered', { kind: result.kind, status })
    } catch (error) {
      if (!life.aborted) log('warn', 'gateway.task-not-answered', { kind: result.kind, error: whyFailed(error) })
    }
  }

  const post = (path: string, body: object): Promise<Response> =>
    send(`${bridge}${path}`, {
      method: 'POST',
      headers: { ...authorization, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: life,
    })

  /** Where it fails the bridge learns of it at the next start; until then this gateway remembers it. */
  async function keep(id: string, seen: SeenCertificate): Promise<void> {
    try {
      const { ok, status } = await post(`/gateway/cameras/${id}/certificates`, seen)
      if (!ok) log('warn', 'gateway.certificate-not-kept', { cameraId: id, status })
    } catch (error) {
      if (!life.aborted) log('warn', 'gateway.certificate-not-kept', { cameraId: id, error: whyFailed(error) })
    }
  }

  return { answer, keep }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
