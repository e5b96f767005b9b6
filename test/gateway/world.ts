/** A camera on the real embedded signaling service, and viewers with real peer connections, for the tests of the gateway. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  RTCPeerConnection,
  RTCRtpCodecParameters,
  RtpHeader,
  RtpPacket,
  useH264,
  useNACK,
  useOPUS,
  usePCMA,
  usePCMU,
  usePLI,
} from 'werift'
import { startCamera, type CameraMaster, type CameraOptions } from '../../src/gateway/camera.ts'
import { startRecordingPlayer } from '../../src/gateway/playback/player.ts'
import { openKvs } from '../../src/kvs/access.ts'
import { openChannel } from '../../src/kvs/channel.ts'
import type { ChannelMessage, Outgoing } from '../../src/kvs/message.ts'
import { findChannel } from '../../src/kvs/resources.ts'
import type { SoundCodec } from '../../src/gateway/media.ts'
import type { IceServer, Log } from '../../src/core/ports.ts'
import { startSignalingService, type SignalingService } from '../../src/signaling/service.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import type { CameraEvent } from '../../src/core/wire/camera-event.ts'
import { until } from '../until.ts'

const channelName = 'front-door'

export interface World {
  readonly service: SignalingService
  readonly events: CameraEvent[]
  readonly logged: { readonly event: string; readonly fields: Readonly<Record<string, unknown>> }[]
  /** Ends the service and starts another at the same port. */
  restartService(): Promise<void>
  startCamera(source?: string, more?: Pick<CameraOptions, 'onvif' | 'hasRelayAtHand'>): Promise<CameraMaster>
  /** The master that plays recordings, instead of a camera. `bridge`: where it asks what its viewers may see. */
  startPlayer(bridge: string, maxViewers?: number): void
  /** What the bridge answers to reports from now on; a rejection is a report that failed. At first no session is over. */
  answerReports(answer: (event: CameraEvent) => Promise<boolean>): void
  /** A viewer's place on the channel, without any peer connection. */
  callIn(viewerId: string): Promise<Line>
  /** A viewer that makes a full connection. */
  view(viewerId: string, wishes?: Wishes): Promise<TestViewer>
  close(): Promise<void>
}

export interface Line {
  close(): void
  readonly received: ChannelMessage[]
  send(message: Outgoing): void
}

/** What a viewer offers; a picture, and sound both ways, if nothing else is said. */
export interface Wishes {
  readonly video?: false
  /** It offers H.265 up to this level, as `level-id` has it, and then H.264. */
  readonly h265Level?: number
  readonly audio?: 'recvonly'
  /** It opens a data channel of this label. */
  readonly channel?: string
  /** The codecs for sound that it knows, default Opus. */
  readonly sound?: readonly SoundCodec[]
}

const sounds = { opus: useOPUS, PCMU: usePCMU, PCMA: usePCMA }

export interface TestViewer {
  readonly connection: RTCPeerConnection
  /** `at`: when the first packet came, milliseconds after the connection was made. */
  readonly video: { readonly at: number; readonly packets: RtpPacket[] }
  readonly audio: RtpPacket[]
  /** Where it has a data channel. */
  readonly channel: { readonly received: string[]; send(text: string): void } | undefined
  /** Sends these payloads in the codec of the answer, 20 ms each. */
  say(payloads: readonly Buffer[]): Promise<void>
  /** The same, although its own description says that it sends nothing. */
  disobey(payloads: readonly Buffer[]): Promise<void>
  leave(): Promise<void>
}

const sayingNo = async (_event: CameraEvent): Promise<boolean> => false

export async function createWorld(iceServers: readonly IceServer[] = []): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-test-'))
  const logged: World['logged'] = []
  const events: CameraEvent[] = []
  const log: Log = (_level, event, fields) => void logged.push({ event, fields: fields ?? {} })
  const store = createSqliteStore(join(directory, 'store.sqlite'), Date.now)
  const serve = (port: number) =>
    startSignalingService({
      store,
      certificateDir: directory,
      host: '127.0.0.1',
      port,
      region: 'eu-west-1',
      iceServers,
      clock: Date.now,
      log,
    })
  let service = await serve(0)
  await service.ensureChannel(channelName)
  const { endpoint, ca = '' } = service
  const access = { region: 'eu-west-1', endpoint, ca }
  const cameraKeys = await service.createCredentials({ kind: 'camera', channelName })
  const kvs = openKvs({ ...access, credentials: await service.createCredentials({ kind: 'application' }) })
  const life = new AbortController()
  const closing: (() => Promise<unknown>)[] = []
  let isOver = sayingNo

  const callIn = async (viewerId: string): Promise<Line> => {
    const channel = await findChannel(kvs, channelName, 'VIEWER', life.signal)
    const line = await openChannel(kvs, channel, { role: 'VIEWER', clientId: viewerId }, life.signal)
    const received: ChannelMessage[] = []
    const reading = (async () => {
      for await (const message of line.messages) received.push(message)
    })()
    closing.push(async () => {
      line.close()
      await reading
    })
    return { received, send: (message) => line.send(message), close: () => line.close() }
  }

  return {
    get service() {
      return service
    },
    events,
    logged,
    async restartService() {
      await service.close()
      service = await serve(Number(new URL(endpoint).port))
    },
    async startCamera(source = 'synthetic', more = {}) {
      const camera = await startCamera({
        access: { ...access, credentials: cameraKeys },
        channelName,
        source,
        ...more,
        report: async (event) => {
          events.push(event)
          return isOver(event)
        },
        reportEachMs: 100,
        clock: Date.now,
        log,
      })
      closing.push(() => camera.close())
      return camera
    },
    startPlayer(bridge, maxViewers) {
      const player = startRecordingPlayer({
        access: { ...access, credentials: cameraKeys },
        channelName,
        url: bridge,
        key: 'gateway-key',
        ...(maxViewers !== undefined && { maxViewers }),
        clock: Date.now,
        log,
      })
      closing.push(() => player.close())
    },
    answerReports: (answer) => void (isOver = answer),
    callIn,
    async view(viewerId, wishes) {
      const viewer = await connectViewer(await callIn(viewerId), wishes)
      closing.push(() => viewer.leave())
      return viewer
    },
    async close() {
      await Promise.allSettled(closing.map((close) => close()))
      life.abort()
      kvs.close()
      await service.close()
      await store.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

const h265 = (level: number | undefined): RTCRtpCodecParameters[] =>
  level === undefined
    ? []
    : [
        new RTCRtpCodecParameters({
          mimeType: 'video/H265',
          clockRate: 90_000,
          rtcpFeedback: [useNACK(), usePLI()],
          parameters: `level-id=${level};profile-id=1;tier-flag=0;tx-mode=SRST`,
        }),
      ]

async function connectViewer(line: Line, wishes: Wishes = {}): Promise<TestViewer> {
  const connection = new RTCPeerConnection({
    codecs: {
      video: [...h265(wishes.h265Level), useH264()],
      audio: (wishes.sound ?? ['opus']).map((codec) => sounds[codec]()),
    },
    bundlePolicy: 'max-bundle',
    iceServers: [],
  })
  const startedAt = performance.now()
  const video = { at: 0, packets: [] as RtpPacket[] }
  const audio: RtpPacket[] = []
  if (wishes.video !== false) connection.addTransceiver('video', { direction: 'recvonly' })
  const { sender } = connection.addTransceiver('audio', { direction: wishes.audio ?? 'sendrecv' })
  const opened = wishes.channel === undefined ? undefined : connection.createDataChannel(wishes.channel)
  const received: string[] = []
  opened?.onMessage.subscribe((message) => void received.push(message.toString()))
  connection.onTrack.subscribe((track) => {
    track.onReceiveRtp.subscribe((packet) => {
      if (track.kind === 'video') {
        video.at ||= performance.now() - startedAt
        video.packets.push(packet)
      } else audio.push(packet)
    })
  })
  await connection.setLocalDescription(await connection.createOffer())
  line.send({ kind: 'offer', sdp: connection.localDescription?.sdp ?? '' })
  await until(() => line.received.some(({ kind }) => kind === 'answer'))
  for (let done = 0; connection.connectionState !== 'connected';) {
    await until(() => line.received.length > done || connection.connectionState === 'connected')
    const message = line.received[done]
    if (!message) break
    done += 1
    if (message.kind === 'answer') await connection.setRemoteDescription({ type: 'answer', sdp: message.sdp })
    if (message.kind === 'candidate') await connection.addIceCandidate(message)
  }
  let left: Promise<void> | undefined
  return {
    connection,
    video,
    audio,
    channel: opened && { received, send: (text) => opened.send(text) },
    async say(payloads) {
      for (const [index, payload] of payloads.entries()) {
        const timestamp = (index * (sender.codec?.clockRate ?? 48_000)) / 50
        const header = new RtpHeader({ sequenceNumber: 100 + index, timestamp })
        await sender.sendRtp(new RtpPacket(header, payload))
      }
    },
    async disobey(payloads) {
      const [dtls] = connection.dtlsTransports
      for (const [index, payload] of payloads.entries()) {
        const header = { payloadType: sender.codec?.payloadType ?? 111, ssrc: sender.ssrc, timestamp: index * 960 }
        await dtls?.sendRtp(payload, new RtpHeader({ ...header, sequenceNumber: 100 + index }))
      }
    },
    leave: () => (left ??= connection.close()),
  }
}

/** UDP sockets that are open in this process. */
export const openUdpSockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => name.startsWith('UDP')).length
