/** Edits a camera; of a network camera also where it is read, with what tries it and the certificates that are trusted. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { problemOf, type Problem } from 'transom-player'
import type { CameraSource, SeenCertificate, TriedSource } from 'transom-core/wire/source'
import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'
import { Alert } from '../parts/alert.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { ProbeResult } from '../parts/probe-result.tsx'
import { useToast } from '../parts/toast.tsx'
import { useForm } from '../parts/use-form.ts'

interface EditCameraProps {
  readonly camera: Camera
  readonly onClose: () => void
}

export function EditCamera({ camera, onClose }: EditCameraProps) {
  const { id, name, room = '' } = camera
  const { api, me, reload } = useHouse()
  const { say } = useToast()
  const [source, setSource] = useState<CameraSource>()
  useEffect(() => {
    // A camera that connects by itself has none.
    api.source(id).then(setSource, () => undefined)
  }, [id])
  const { isBusy, problem, onSubmit } = useForm(async (fields) => {
    const text = (field: string): string => {
      const value = fields.get(field)
      return typeof value === 'string' ? value : ''
    }
    const [address, user, password] = [text('address').trim(), text('user'), text('password')]
    const changed = {
      ...(address !== '' && { address }),
      ...(user !== (source?.user ?? '') && { user: user === '' ? null : user }),
      ...(password !== '' && { password }),
    }
    const newRoom = text('room').trim()
    await api.editCamera(id, {
      name: text('name').trim(),
      ...(newRoom !== room && { room: newRoom === '' ? null : newRoom }),
      ...(source !== undefined && Object.keys(changed).length > 0 && { source: changed }),
    })
    await reload().catch(() => undefined)
    say(`${text('name').trim()} is saved.`)
    onClose()
  })
  return (
    <Dialog title={`Edit ${name}`} onClose={onClose}>
      <form onSubmit={onSubmit}>
        <label>
          Name
          <input name="name" required maxLength={128} autoComplete="off" defaultValue={name} />
        </label>
        <label>
          Room <span class="soft">(if you like)</span>
          <input name="room" maxLength={128} autoComplete="off" defaultValue={room} />
        </label>
        {source && me.canNameSource && <Address source={source} />}
        {problem && <Alert problem={problem} />}
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" aria-disabled={isBusy}>
            Save
          </button>
        </div>
      </form>
      {source && <Trying camera={camera} certificates={source.certificates} />}
    </Dialog>
  )
}

function Address({ source: { place, user } }: { readonly source: CameraSource }) {
  return (
    <>
      <label>
        Address <span class="soft">(empty: as before, at {place})</span>
        <input name="address" maxLength={2048} autoComplete="off" spellcheck={false} placeholder={`${place}/…`} />
      </label>
      <label>
        User
        <input name="user" maxLength={256} autoComplete="off" spellcheck={false} defaultValue={user ?? ''} />
      </label>
      <label>
        Password <span class="soft">(empty: as before; it is never shown)</span>
        <input name="password" type="password" maxLength={256} autoComplete="new-password" />
      </label>
    </>
  )
}

interface TryingProps {
  readonly camera: Camera
  readonly certificates: readonly SeenCertificate[]
}

/** What tries the camera as it is saved. */
function Trying({ camera: { id, fault }, certificates }: TryingProps) {
  const { api, me } = useHouse()
  const leaving = useRef(new AbortController())
  const [doing, setDoing] = useState<string>()
  const [tried, setTried] = useState<TriedSource>()
  const [heard, setHeard] = useState<string>()
  const [problem, setProblem] = useState<Problem>()
  useEffect(() => () => leaving.current.abort(), [])

  async function run(what: string, work: () => Promise<void>): Promise<void> {
    if (doing !== undefined) return
    setDoing(what)
    setProblem(undefined)
    await work().catch((error: unknown) => setProblem(problemOf(error)))
    setDoing(undefined)
  }
  const tryIt = () =>
    run('Playing each stream of the camera …', async () => setTried(await api.tryCamera(id, leaving.current.signal)))
  const talk = () =>
    run('Playing a tone at the camera …', async () => {
      const { packets, sent } = await api.playTone(id)
      setHeard(
        packets === sent
          ? 'The camera accepted the tone. If nobody heard it, turn up the volume of its speaker.'
          : `The camera accepted ${packets} of ${sent} packets of the tone.`,
      )
    })
  const trust = (seen: SeenCertificate) =>
    run('Saving …', async () => {
      await api.trust(id, seen)
      setTried(undefined)
    })
  const failed = tried && 'fault' in tried ? tried : undefined
  return (
    <section aria-label="Try the camera">
      <div class="actions">
        <button type="button" class="button" aria-disabled={doing !== undefined} onClick={() => void tryIt()}>
          {tried === undefined ? 'Try' : 'Try again'}
        </button>
        <button type="button" class="button" aria-disabled={doing !== undefined} onClick={() => void talk()}>
          Test talk-back
        </button>
      </div>
      <p role="status">{doing ?? heard}</p>
      {problem && <Alert problem={problem} />}
      {tried === undefined && fault && <Alert problem={fault} />}
      {failed && <Alert problem={failed.fault} />}
      {failed?.certificate && me.canNameSource && (
        <div class="alert is-warning">
          <p>If you changed the camera or its firmware, trust its new certificate:</p>
          <code>{failed.certificate.fingerprint}</code>
          <button type="button" class="button" onClick={() => failed.certificate && void trust(failed.certificate)}>
            Trust this certificate
          </button>
        </div>
      )}
      {tried && 'streams' in tried && <ProbeResult probe={tried} />}
      {certificates.length > 0 && (
        <details>
          <summary>Trusted certificates</summary>
          {certificates.map(({ place, fingerprint }) => (
            <p key={place} class="probe">
              {place} <code>{fingerprint}</code>
            </p>
          ))}
        </details>
      )}
    </section>
  )
}
