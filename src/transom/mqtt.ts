/** Camera events by MQTT, as Home Assistant and Frigate speak it: `<topic>/<camera id>/event`, acknowledged once durable. */
import { createHmac, randomUUID } from 'node:crypto'
import type { IPublishPacket, MqttClient } from 'mqtt'
import type { PageNews } from 'transom-bridge/cameras/events'
import { toBridgeError } from 'transom-core/errors'
import type { Camera, CameraNews, Clock, Log, Store } from 'transom-core/ports'
import { mqttEvent } from 'transom-core/wire/camera-event'
import { faultsOf } from 'transom-core/wire/faults'
import type { Frigate, FrigateNews } from './frigate.ts'
import { statusTopic, type HomeAssistant, type HomeAssistantDeps } from './home-assistant.ts'

export interface MqttIntake {
  /** Tells Home Assistant what is new of a camera. */
  tell(camera: Camera, news: PageNews): void
  /** Ends the connection; what was not acknowledged comes again at the next start. May be called again. */
  close(): Promise<void>
}

const connectMs = 10_000
/** Between two attempts where somebody else takes our place. */
const contestedMs = 30_000
const rivalReason =
  'the broker ends each connection soon after it was made: probably another bridge with a copy of this data directory is connected. Stop one of the two, or let it begin with an empty TRANSOM_DATA'
const payloadLimit = 16 * 1024
/** Frigate's events carry the path of an object. */
const frigateLimit = 256 * 1024
/** A press that comes again after that is too old to be told. */
const namesMs = 3_600_000

/** The broker, what is read from it, and where that goes. */
export interface MqttDeps {
  /** `mqtt://…` or `mqtts://user:password@host`. */
  readonly url: string
  readonly topic: string
  /** Of this data directory and no other: of two clients with one id, a broker cuts off the older one (MQTT 3.1.1, 3.1.4). */
  readonly clientId: string
  /** After a connection that ended, default 1,000. */
  readonly reconnectMs?: number
  readonly find: (cameraId: string) => Promise<Camera | undefined>
  readonly receive: (camera: Camera, news: CameraNews, sentAt?: number) => Promise<void>
  readonly pauseRecording: (camera: Camera, isPaused: boolean) => Promise<void>
  /** Reads Frigate's messages below this topic. */
  readonly frigate?: { readonly topic: string; readonly reader: Frigate }
  /** Announces the cameras to Home Assistant; made of how one publishes. */
  readonly homeAssistant?: {
    readonly prefix: string
    readonly make: (publish: HomeAssistantDeps['publish']) => HomeAssistant
  }
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}

/**
 * Subscribes with quality of service 1 and a session that outlives us, so that the broker keeps what arrives while we are
 * down. Who may publish there may ring: the broker's access control is the key. Rejects when the broker cannot be reached.
 */
export async function startMqtt(deps: MqttDeps): Promise<MqttIntake> {
  const { topic, clientId, clock, log, frigate, homeAssistant, reconnectMs = 1_000 } = deps
  // Loaded where there is a broker.
  const { connectAsync } = await import('mqtt')
  const client: MqttClient = await connectAsync(
    deps.url,
    {
      clientId,
      clean: false,
      connectTimeout: connectMs,
      reconnectPeriod: reconnectMs,
      protocolVersion: 4,
      ...(deps.homeAssistant && {
        will: { topic: statusTopic(topic), payload: Buffer.from('offline'), qos: 1, retain: true },
      }),
    },
    false,
  ).catch((cause: Error) => {
    // The URL itself may hold the password.
    const { host } = new URL(deps.url)
    throw new Error(
      `TRANSOM_MQTT_URL: ${host}: ${cause.message}: is the broker running, are user and password right?`,
      {
        cause,
      },
    )
  })
  client.on('error', (error) => log('warn', 'mqtt.error', { error: error.message }))
  const rivalry = createRivalry(clock())
  client.on('connect', () => rivalry.connected(clock()))
  client.on('close', () => {
    log('warn', 'mqtt.disconnected')
    const isContested = rivalry.closed(clock())
    // Two that take the place from each other once a second would do nothing else.
    client.options.reconnectPeriod = isContested ? contestedMs : reconnectMs
    if (isContested) log('error', 'mqtt.contested', { clientId, error: rivalReason })
  })
  // The acknowledgement waits for `done`. What was not taken comes again when we connect again.
  client.handleMessage = (packet, done) => {
    if (packet.cmd !== 'publish') return done()
    const payload = Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload)
    void answer(packet, payload, done)
  }
  const inBackground = (work: Promise<void>) =>
    void work.catch((error: unknown) => log('warn', 'mqtt.not-published', { topic, error: String(error) }))
  const home = homeAssistant?.make(publish)
  const announce = () => (home ? inBackground(home.announce()) : undefined)
  client.on('connect', announce)
  const take = createReading(deps, announce)
  const topics = [
    `${topic}/+/event`,
    `${topic}/+/recording/set`,
    ...(frigate ? ['events', 'reviews', 'available'].map((one) => `${frigate.topic}/${one}`) : []),
    ...(homeAssistant ? [`${homeAssistant.prefix}/status`] : []),
  ]
  await client.subscribeAsync(topics, { qos: 1 })
  log('info', 'mqtt.subscribed', { topic: topics.join(' ') })
  announce()

  /** What Home Assistant is not told now it is told at the next connection. */
  async function publish(to: string, payload: string | Buffer, isRetained: boolean): Promise<void> {
    if (!client.connected) return
    await client
      .publishAsync(to, payload, { qos: 1, retain: isRetained })
      .catch((error: unknown) => log('warn', 'mqtt.not-published', { topic: to, error: String(error) }))
  }

  async function answer(packet: IPublishPacket, payload: Buffer, done: () => void): Promise<void> {
    try {
      await take(packet, payload)
      done()
    } catch (thrown) {
      // Sent again, it would come too often again.
      if (toBridgeError(thrown).code === 'rate_limited') {
        log('warn', 'mqtt.ignored', { topic: packet.topic, error: String(thrown) })
        return done()
      }
      log('error', 'mqtt.not-taken', { topic: packet.topic, error: String(thrown) })
      client.stream.destroy()
    }
  }

  return {
    tell(camera, news) {
      if (news.kind === 'changed' || news.kind === 'removed') frigate?.reader.changed(camera, news.kind)
      if (home) inBackground(home.tell(camera, news))
    },
    async close() {
      // Said by ourselves: a last will is for ends that nobody chose.
      if (home) await publish(statusTopic(topic), 'offline', true)
      await client.endAsync()
    },
  }
}

/** Reads one message after the other, and hands on what it says. Rejects where that was not taken, so that it comes again. */
function createReading(deps: MqttDeps, announce: () => void) {
  const { topic, clock, log, frigate, homeAssistant } = deps
  const names = deps.store.collection<{ readonly eventId: string }>('mqtt-name')

  async function take(packet: IPublishPacket, payload: Buffer): Promise<void> {
    const { topic: from, retain: isRetained } = packet
    if (homeAssistant && from === `${homeAssistant.prefix}/status`) {
      if (payload.toString() === 'online' && !isRetained) announce()
      return
    }
    if (frigate && from.startsWith(`${frigate.topic}/`))
      return takeFrigate(frigate.reader, from.slice(frigate.topic.length + 1), payload, isRetained)
    const [id = '', ...what] = from.slice(topic.length + 1).split('/')
    // A retained message is the state of yesterday, not an event.
    if (isRetained || payload.length > payloadLimit) return log('warn', 'mqtt.ignored', { topic: from, isRetained })
    const camera = await deps.find(id)
    if (camera === undefined) return log('warn', 'mqtt.unknown-camera', { topic: from })
    if (what[0] === 'recording') return takeSwitch(camera, from, payload.toString())
    const parsed = mqttEvent.safeParse(parse(payload))
    if (!parsed.success) return log('warn', 'mqtt.malformed', { topic: from, faults: faultsOf(parsed.error) })
    const { at = clock(), sentAt, ...event } = parsed.data
    if (event.kind === 'battery' || event.kind === 'switch' || event.kind === 'sensor')
      return deps.receive(camera, { ...event, at }, sentAt)
    const eventId = event.eventId ?? (await nameOf(packet))
    if (event.kind === 'motion') return deps.receive(camera, { ...event, eventId, at }, sentAt)
    return deps.receive(camera, { kind: event.kind, eventId, at }, sentAt)
  }

  /** Home Assistant's switch of what is recorded. */
  async function takeSwitch(camera: Camera, from: string, text: string): Promise<void> {
    if (text !== 'ON' && text !== 'OFF') return log('warn', 'mqtt.malformed', { topic: from, faults: 'not ON or OFF' })
    if (camera.record === undefined) return log('warn', 'mqtt.ignored', { topic: from })
    await deps.pauseRecording(camera, text === 'OFF')
  }

  async function takeFrigate(reader: Frigate, what: string, payload: Buffer, isRetained: boolean): Promise<void> {
    const from = `${frigate?.topic}/${what}`
    if (what === 'available') return receiveAll(reader.restarted())
    if ((what !== 'events' && what !== 'reviews') || isRetained || payload.length > frigateLimit)
      return log('warn', 'mqtt.ignored', { topic: from, isRetained })
    const news = await reader.read(what, parse(payload))
    if (news === undefined) return log('warn', 'mqtt.malformed', { topic: from, faults: 'not a message of Frigate' })
    await receiveAll(news)
  }
  async function receiveAll(news: readonly FrigateNews[]): Promise<void> {
    for (const one of news) await deps.receive(one.camera, one.news)
  }

  /** A message that the broker sends again, because it never heard our word for it, has its number and so its name. */
  async function nameOf({ dup, messageId = 0 }: IPublishPacket): Promise<string> {
    const id = `${topic} ${messageId}`
    const known = dup ? await names.get(id) : undefined
    if (known) return known.value.eventId
    const eventId = randomUUID()
    await names.put(id, { eventId }, { expiresAt: clock() + namesMs })
    return eventId
  }

  return take
}

/** Kept from start to start, so that the broker keeps what arrives in between, and different in every data directory. */
export function mqttClientId(secret: string): string {
  return `transom-${createHmac('sha256', secret).update('mqtt client').digest('hex').slice(0, 12)}`
}

/** Connections that end so soon, so often in a row, are ended by somebody. */
const shortMs = 5_000
const shortOnes = 3

/** Tells a client that is pushed out of its place from a network that comes and goes; `at` is in epoch milliseconds. */
export function createRivalry(connectedAt: number) {
  let openedAt: number | undefined = connectedAt
  let short = 0
  return {
    connected(at: number): void {
      openedAt = at
    },
    /** True when a rival is likely. Attempts that never became a connection do not count. */
    closed(at: number): boolean {
      if (openedAt === undefined) return false
      short = at - openedAt < shortMs ? short + 1 : 0
      openedAt = undefined
      return short >= shortOnes
    },
  }
}

function parse(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'))
  } catch {
    return undefined
  }
}
