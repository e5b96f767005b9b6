/** Cameras in Home Assistant, by MQTT discovery: each is a device with its press, motion, persons, online state and last still. */
import { createHash } from 'node:crypto'
import type { Camera, Clock } from 'transom-core/ports'
import { version } from 'transom-core/version'
import type { PageNews } from 'transom-bridge/cameras/events'

/** Nobody stands at the door any more. */
const staleMs = 30_000

export interface HomeAssistantDeps {
  /** First part of the discovery topics: `homeassistant`. */
  readonly prefix: string
  /** First part of ours: `transom`. */
  readonly topic: string
  /** Never rejects. */
  readonly publish: (topic: string, payload: string | Buffer, isRetained: boolean) => Promise<void>
  readonly cameras: () => Promise<readonly Camera[]>
  readonly isOnline: (camera: Camera) => boolean
  /** Somebody has paused what is recorded of it. */
  readonly isPaused: (camera: Camera) => boolean
  readonly stillOf: (camera: Camera) => Promise<Buffer | undefined>
  readonly clock: Clock
}

export interface HomeAssistant {
  /** The bridge is there, and each of its cameras: at each connection, and when Home Assistant has started (its birth message). */
  announce(): Promise<void>
  /** Something new of a camera. */
  tell(camera: Camera, news: PageNews): Promise<void>
}

/** Where the bridge says whether it is there; its last will says that it is not. */
export const statusTopic = (topic: string): string => `${topic}/status`

export function createHomeAssistant(deps: HomeAssistantDeps): HomeAssistant {
  const { prefix, topic, publish, cameras, isOnline, isPaused, stillOf, clock } = deps
  const at = (camera: Camera, what: string) => `${topic}/${camera.id}/${what}`
  const configTopic = ({ id }: Camera) => `${prefix}/device/${objectIdOf(topic, id)}/config`
  const tellOnline = (camera: Camera, is: boolean) => publish(at(camera, 'online'), is ? 'ON' : 'OFF', true)

  const tellRecords = (camera: Camera) =>
    publish(at(camera, 'recording'), camera.record === undefined ? '' : isPaused(camera) ? 'OFF' : 'ON', true)

  async function tellStill(camera: Camera): Promise<void> {
    const still = await stillOf(camera)
    if (still !== undefined) await publish(at(camera, 'still'), still, true)
  }
  const describe = (camera: Camera) => publish(configTopic(camera), JSON.stringify(configOf(camera, topic)), true)

  return {
    async announce() {
      await publish(statusTopic(topic), 'online', true)
      for (const camera of await cameras()) {
        await describe(camera)
        await tellOnline(camera, isOnline(camera))
        await tellRecords(camera)
        await tellStill(camera)
      }
    },
    async tell(camera, news) {
      switch (news.kind) {
        case 'press':
        case 'person':
          if (clock() - news.at > staleMs) return
          return publish(at(camera, news.kind), JSON.stringify({ event_type: news.kind }), false)
        case 'motion':
          return publish(at(camera, 'motion'), news.isDetected ? 'ON' : 'OFF', true)
        case 'online':
          return tellOnline(camera, news.isOnline)
        case 'pictured':
          return tellStill(camera)
        case 'changed':
          await describe(camera)
          await tellRecords(camera)
          return tellOnline(camera, isOnline(camera))
        case 'removed':
          // An empty retained message takes the device, and what was retained of it, away.
          for (const one of [
            configTopic(camera),
            ...['motion', 'online', 'recording', 'still'].map((what) => at(camera, what)),
          ])
            await publish(one, '', true)
          return
        case 'battery':
        case 'switch':
        case 'sensor':
          return
      }
    },
  }
}

/** As discovery allows it: `[a-zA-Z0-9_-]`. Ids that differ in a dot alone stay different. */
function objectIdOf(topic: string, id: string): string {
  const plain = `${topic}_${id}`.replace(/[^\w-]/g, '_')
  return plain === `${topic}_${id}`
    ? plain
    : `${plain}_${createHash('sha256').update(`${topic} ${id}`).digest('hex').slice(0, 8)}`
}

/** MQTT device discovery, https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload. */
function configOf(camera: Camera, topic: string) {
  const { id, name, room, manufacturer, model, serialNumber, firmwareVersion, kind, hasMotion, detects, record } =
    camera
  const objectId = objectIdOf(topic, id)
  const component = (key: string, platform: string, more: object) => ({
    [key]: { platform, unique_id: `${objectId}_${key}`, ...more },
  })
  const isBell = kind === 'doorbell'
  return {
    device: {
      identifiers: [objectId],
      name,
      manufacturer,
      model,
      ...(serialNumber !== undefined && { serial_number: serialNumber }),
      ...(firmwareVersion !== undefined && { sw_version: firmwareVersion }),
      ...(room !== undefined && { suggested_area: room }),
    },
    origin: { name: 'Transom', sw_version: version },
    availability: [{ topic: statusTopic(topic) }],
    qos: 1,
    components: {
      ...(isBell && {
        ...component('press', 'event', {
          name: 'Doorbell',
          device_class: 'doorbell',
          event_types: ['press'],
          state_topic: `${topic}/${id}/press`,
        }),
        ...component('press_trigger', 'device_automation', {
          automation_type: 'trigger',
          type: 'button_short_press',
          subtype: 'button_1',
          topic: `${topic}/${id}/press`,
        }),
        ...component('ring', 'button', {
          name: 'Ring',
          command_topic: `${topic}/${id}/event`,
          payload_press: '{"kind":"press"}',
        }),
      }),
      ...(hasMotion === true &&
        component('motion', 'binary_sensor', {
          name: 'Motion',
          device_class: 'motion',
          state_topic: `${topic}/${id}/motion`,
        })),
      ...(detects?.includes('person') === true &&
        component('person', 'event', {
          name: 'Person',
          device_class: 'motion',
          event_types: ['person'],
          state_topic: `${topic}/${id}/person`,
        })),
      ...(record !== undefined &&
        component('recording', 'switch', {
          name: 'Recording',
          icon: 'mdi:record-rec',
          state_topic: `${topic}/${id}/recording`,
          command_topic: `${topic}/${id}/recording/set`,
        })),
      ...component('online', 'binary_sensor', {
        name: 'Online',
        device_class: 'connectivity',
        entity_category: 'diagnostic',
        state_topic: `${topic}/${id}/online`,
      }),
      ...component('still', 'image', {
        name: 'Last still',
        content_type: 'image/jpeg',
        image_topic: `${topic}/${id}/still`,
      }),
    },
  }
}
