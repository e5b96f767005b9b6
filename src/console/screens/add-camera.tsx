/** Adds a camera: one that a gateway reads, or one whose firmware connects by itself and needs keys, shown only once. */
import { useState } from 'preact/hooks'
import type { Registration } from '../api.ts'
import { useHouse } from '../house.ts'
import { Alert } from '../parts/alert.tsx'
import { Copied, Fact } from '../parts/copied.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { useForm } from '../parts/use-form.ts'
import { AddNetworkCamera, type Way } from './add-network-camera.tsx'

type Chosen = Way | 'firmware'
const ways: readonly (readonly [Chosen, string, string])[] = [
  ['found', 'Found on your network', 'ONVIF cameras that answer'],
  ['address', 'RTSP or ONVIF address', 'with its user and password'],
  ['restream', 'go2rtc or Frigate', 'its streams, by its base URL'],
  ['firmware', 'Firmware with KVS', 'a camera that connects by itself'],
]

/** Begins with what one has. */
export function AddCamera({ onClose }: { readonly onClose: () => void }) {
  const { me } = useHouse()
  const [way, setWay] = useState<Chosen | undefined>(me.canNameSource ? undefined : 'firmware')
  const [made, setMade] = useState<Registration>()
  if (made !== undefined) return <Made registration={made} onClose={onClose} />
  const [, title = 'Add a camera'] = ways.find(([name]) => name === way && me.canNameSource) ?? []
  return (
    <Dialog title={title} onClose={onClose}>
      {way === undefined && (
        <ul class="choices">
          {ways.map(([name, what, how]) => (
            <li key={name}>
              <button type="button" class="button" onClick={() => setWay(name)}>
                <span>{what}</span> <span class="soft">{how}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {way === 'firmware' && <FirmwareForm onMade={setMade} onClose={onClose} />}
      {way !== undefined && way !== 'firmware' && <AddNetworkCamera way={way} onClose={onClose} />}
    </Dialog>
  )
}

interface FirmwareFormProps {
  readonly onMade: (made: Registration) => void
  readonly onClose: () => void
}

function FirmwareForm({ onMade, onClose }: FirmwareFormProps) {
  const { api, reload } = useHouse()
  const { isBusy, problem, onSubmit } = useForm(async (fields) => {
    const text = (name: string): string => {
      const value = fields.get(name)
      return typeof value === 'string' ? value.trim() : ''
    }
    const room = text('room')
    const kind = fields.get('kind') === 'camera' ? 'camera' : 'doorbell'
    const added = await api.addCamera({ name: text('name'), kind, ...(room !== '' && { room }) })
    if ('environment' in added) onMade(added)
    await reload().catch(() => undefined)
  })
  return (
    <form onSubmit={onSubmit}>
      <label>
        Name
        <input name="name" required maxLength={128} autoComplete="off" placeholder="Back porch" />
      </label>
      <label>
        Room <span class="soft">(if you like)</span>
        <input name="room" maxLength={128} autoComplete="off" placeholder="Garden" />
      </label>
      <fieldset>
        <legend>Kind</legend>
        <label class="choice">
          <input type="radio" name="kind" value="doorbell" defaultChecked /> Doorbell
        </label>
        <label class="choice">
          <input type="radio" name="kind" value="camera" /> Camera
        </label>
      </fieldset>
      {problem && <Alert problem={problem} />}
      <div class="actions">
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" class="button primary" aria-disabled={isBusy}>
          {isBusy ? 'Adding …' : 'Add'}
        </button>
      </div>
    </form>
  )
}

function Made({ registration, onClose }: { readonly registration: Registration; readonly onClose: () => void }) {
  const { endpoint, region, channelName, accessKeyId, secretAccessKey, cameraKey, eventsUrl, caPath } = registration
  const facts: readonly (readonly [string, string | null | undefined])[] = [
    ['Signaling endpoint', endpoint],
    ['Region', region],
    ['Channel', channelName],
    ['Access key', accessKeyId],
    ['Secret key', secretAccessKey],
    ['Events go to', eventsUrl],
    ['Key for events', cameraKey],
    ['Certificate authority, a file on the bridge', caPath],
  ]
  const environment = Object.entries(registration.environment).map(([name, value]) => `export ${name}='${value}'`)
  return (
    <Dialog title={`For the firmware of ${registration.cameraId}`} onClose={onClose} isKept>
      <p class="notice">The keys are shown this one time. Copy what you need before you close this.</p>
      {registration.warnings.map((warning) => (
        <p key={warning} class="alert is-warning">
          {warning}
        </p>
      ))}
      <dl class="facts">{facts.map(([name, value]) => value && <Fact key={name} name={name} value={value} />)}</dl>
      {environment.length > 0 && (
        <>
          <h3>For AWS’s C SDK and its samples</h3>
          <div class="script">
            <Copied as="pre" text={environment.join('\n')} what="the environment" />
          </div>
        </>
      )}
      <div class="actions">
        <button type="button" class="button primary" onClick={onClose}>
          I have copied it
        </button>
      </div>
    </Dialog>
  )
}
