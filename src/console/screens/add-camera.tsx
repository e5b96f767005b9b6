/** Adds a camera: one that a gateway reads, or one whose firmware connects by itself and needs keys, shown only once. */
import { useState } from 'preact/hooks'
import type { Registration } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { Alert } from '../parts/alert.tsx'
import { Copied, Fact } from '../parts/copied.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { useForm } from '../parts/use-form.ts'
import { AddNetworkCamera, type Way } from './add-network-camera.tsx'

type Chosen = Way | 'firmware'
const ways: readonly Chosen[] = ['found', 'address', 'restream', 'firmware']

/** Begins with what one has. */
export function AddCamera({ onClose }: { readonly onClose: () => void }) {
  const { me } = useHouse()
  const { add } = useLanguage().words
  const [way, setWay] = useState<Chosen | undefined>(me.canNameSource ? undefined : 'firmware')
  const [made, setMade] = useState<Registration>()
  if (made !== undefined) return <Made registration={made} onClose={onClose} />
  const title = way !== undefined && me.canNameSource ? add.ways[way].title : add.title
  return (
    <Dialog title={title} onClose={onClose}>
      {way === undefined && (
        <ul class="choices">
          {ways.map((name) => (
            <li key={name}>
              <button type="button" class="button" onClick={() => setWay(name)}>
                <span>{add.ways[name].title}</span> <span class="soft">{add.ways[name].what}</span>
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
  const { add, common } = useLanguage().words
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
        {common.name}
        <input name="name" required maxLength={128} autoComplete="off" placeholder={add.exampleName} />
      </label>
      <label>
        {common.room} <span class="soft">{common.optional}</span>
        <input name="room" maxLength={128} autoComplete="off" placeholder={add.exampleRoom} />
      </label>
      <fieldset>
        <legend>{common.kind}</legend>
        <label class="choice">
          <input type="radio" name="kind" value="doorbell" defaultChecked /> {common.kinds.doorbell}
        </label>
        <label class="choice">
          <input type="radio" name="kind" value="camera" /> {common.kinds.camera}
        </label>
      </fieldset>
      {problem && <Alert problem={problem} />}
      <div class="actions">
        <button type="button" class="button" onClick={onClose}>
          {common.cancel}
        </button>
        <button type="submit" class="button primary" aria-disabled={isBusy}>
          {isBusy ? add.adding : add.add}
        </button>
      </div>
    </form>
  )
}

function Made({ registration, onClose }: { readonly registration: Registration; readonly onClose: () => void }) {
  const { add } = useLanguage().words
  const { endpoint, region, channelName, accessKeyId, secretAccessKey, cameraKey, eventsUrl, caPath } = registration
  const facts: readonly (readonly [string, string | null | undefined])[] = [
    [add.facts.endpoint, endpoint],
    [add.facts.region, region],
    [add.facts.channel, channelName],
    [add.facts.accessKey, accessKeyId],
    [add.facts.secretKey, secretAccessKey],
    [add.facts.eventsUrl, eventsUrl],
    [add.facts.cameraKey, cameraKey],
    [add.facts.ca, caPath],
  ]
  const environment = Object.entries(registration.environment).map(([name, value]) => `export ${name}='${value}'`)
  return (
    <Dialog title={add.keysFor(registration.cameraId)} onClose={onClose} isKept>
      <p class="notice">{add.onlyOnce}</p>
      {registration.warnings.map((warning) => (
        <p key={warning} class="alert is-warning">
          {warning}
        </p>
      ))}
      <dl class="facts">{facts.map(([name, value]) => value && <Fact key={name} name={name} value={value} />)}</dl>
      {environment.length > 0 && (
        <>
          <h3>{add.forSdk}</h3>
          <div class="script">
            <Copied as="pre" text={environment.join('\n')} what={add.environment} />
          </div>
        </>
      )}
      <div class="actions">
        <button type="button" class="button primary" onClick={onClose}>
          {add.hasCopied}
        </button>
      </div>
    </Dialog>
  )
}
