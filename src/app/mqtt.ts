/** Camera events by MQTT, as Home Assistant and Frigate speak it: `<topic>/<camera id>/event`, acknowledged once durable. */
import { randomUUID } from 'node:crypto'
import { connectAsync, type MqttClient } from 'mqtt'
import { z } from 'zod'
import type { Camera, CameraNews, Clock, Log } from '../ports.ts'
import { mqttEvent } from '../wire/camera-event.ts'

export interface MqttIntake {
  /** Ends the connection; what was not acknowledged comes again at the next start. May be called again. */
  close(): Promise<void>
}

const connectMs = 10_000
const payloadLimit = 16 * 1024

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
  readonly clock: Clock
  readonly log: Log
}): Promise<MqttIntake> {
  const { topic, clock, log } = deps
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
  )
  client.on('error', (error) => log('warn', 'mqtt.error', { reason: error.message }))
  client.on('close', () => log('warn', 'mqtt.disconnected'))
  // The acknowledgement waits for `done`. What was not taken comes again when we connect again.
  client.handleMessage = (packet, done) => {
    if (packet.cmd !== 'publish') return done()
    const payload = Buffer.isBuffer(packet.payload) ? packet.payload : Buffer.from(packet.payload)
    void answer(packet.topic, payload, packet.retain, done)
  }
  await client.subscribeAsync(`${topic}/+/event`, { qos: 1 })
  log('info', 'mqtt.subscribed', { topic: `${topic}/+/event` })

  async function answer(from: string, payload: Buffer, isRetained: boolean, done: () => void): Promise<void> {
    try {
      await take(from, payload, isRetained)
      done()
    } catch (thrown) {
      log('error', 'mqtt.not_taken', { topic: from, reason: String(thrown) })
      client.stream.destroy()
    }
  }

  async function take(from: string, payload: Buffer, isRetained: boolean): Promise<void> {
    const id = from.slice(topic.length + 1, -'/event'.length)
    // A retained message is the state of yesterday, not an event.
    if (isRetained || payload.length > payloadLimit) return log('warn', 'mqtt.ignored', { topic: from, isRetained })
    const camera = await deps.find(id)
    if (camera === undefined) return log('warn', 'mqtt.unknown_camera', { topic: from })
    const parsed = mqttEvent.safeParse(parse(payload))
    if (!parsed.success) return log('warn', 'mqtt.malformed', { topic: from, faults: z.prettifyError(parsed.error) })
    const { at = clock(), sentAt, ...event } = parsed.data
    if (event.kind === 'battery' || event.kind === 'switch' || event.kind === 'sensor')
      return deps.receive(camera, { ...event, at }, sentAt)
    const eventId = event.eventId ?? randomUUID()
    if (event.kind === 'motion') return deps.receive(camera, { ...event, eventId, at }, sentAt)
    return deps.receive(camera, { kind: event.kind, eventId, at }, sentAt)
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
