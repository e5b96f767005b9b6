/** Camera events by MQTT, as Home Assistant and Frigate speak it: `<topic>/<camera id>/event`, acknowledged once durable. */
import { randomUUID } from 'node:crypto'
import { connectAsync, type IPublishPacket, type MqttClient } from 'mqtt'
import type { Camera, CameraNews, Clock, Log, Store } from '../ports.ts'
import { mqttEvent } from '../wire/camera-event.ts'
import { faultsOf } from '../wire/faults.ts'

export interface MqttIntake {
  /** Ends the connection; what was not acknowledged comes again at the next start. May be called again. */
  close(): Promise<void>
}

const connectMs = 10_000
const payloadLimit = 16 * 1024
/** A press that comes again after that is too old to be told. */
const namesMs = 3_600_000

/**
 * Subscribes with quality of service 1 and a session that outlives us, so that the broker keeps what arrives while we are
 * down. Who may publish there may ring: the broker's access control is the key. Rejects when the broker cannot be reached.
 */
export async function startMqtt(deps: {
  /** `mqtt://…` or `mqtts://user:password@host`. */
  readonly url: string
  readonly topic: string
  readonly find: (cameraId: string) => Promise<Camera | undefined>
  readonly receive: (camera: Camera, news: CameraNews, sentAt?: number) => Promise<void>
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}): Promise<MqttIntake> {
  const { topic, clock, log } = deps
  const names = deps.store.collection<{ readonly eventId: string }>('mqtt-name')
  const client: MqttClient = await connectAsync(
    deps.url,
    {
      clientId: `transom-${topic.replaceAll(/[^\w]/g, '-')}`,
      clean: false,
      connectTimeout: connectMs,
      reconnectPeriod: 1_000,
      protocolVersion: 4,
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
  client.on('error', (error) => log('warn', 'mqtt.error', { reason: error.message }))
  client.on('close', () => log('warn', 'mqtt.disconnected'))
  // The acknowledgement waits for `done`. What was not taken comes again when we connect again.
  client.handleMessage = (packet, done) => {
    if (packet.cmd !== 'publish') return done()
    const payload = Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload)
    void answer(packet, payload, done)
  }
  await client.subscribeAsync(`${topic}/+/event`, { qos: 1 })
  log('info', 'mqtt.subscribed', { topic: `${topic}/+/event` })

  async function answer(packet: IPublishPacket, payload: Buffer, done: () => void): Promise<void> {
    try {
      await take(packet, payload)
      done()
    } catch (thrown) {
      log('error', 'mqtt.not_taken', { topic: packet.topic, reason: String(thrown) })
      client.stream.destroy()
    }
  }

  async function take(packet: IPublishPacket, payload: Buffer): Promise<void> {
    const { topic: from, retain: isRetained } = packet
    const id = from.slice(topic.length + 1, -'/event'.length)
    // A retained message is the state of yesterday, not an event.
    if (isRetained || payload.length > payloadLimit) return log('warn', 'mqtt.ignored', { topic: from, isRetained })
    const camera = await deps.find(id)
    if (camera === undefined) return log('warn', 'mqtt.unknown_camera', { topic: from })
    const parsed = mqttEvent.safeParse(parse(payload))
    if (!parsed.success) return log('warn', 'mqtt.malformed', { topic: from, faults: faultsOf(parsed.error) })
    const { at = clock(), sentAt, ...event } = parsed.data
    if (event.kind === 'battery' || event.kind === 'switch' || event.kind === 'sensor')
      return deps.receive(camera, { ...event, at }, sentAt)
    const eventId = event.eventId ?? (await nameOf(packet))
    if (event.kind === 'motion') return deps.receive(camera, { ...event, eventId, at }, sentAt)
    return deps.receive(camera, { kind: event.kind, eventId, at }, sentAt)
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

  return {
    async close() {
      await client.endAsync()
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
