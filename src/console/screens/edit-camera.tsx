/** Edits a camera; of a network camera also where it is read, with what tries it and the certificates that are trusted. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { problemOf, type Problem } from 'transom-player'
import type { CameraSource, SeenCertificate, TriedSource } from 'transom-core/wire/source'
import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
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
  const { id, name, room = '', records = 'never' } = camera
  const { api, me, reload } = useHouse()
  const { edit, common } = useLanguage().words
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
    const record = recordWishes.find((wish) => wish === text('record')) ?? records
    await api.editCamera(id, {
      name: text('name').trim(),
      ...(newRoom !== room && { room: newRoom === '' ? null : newRoom }),
      ...(record !== records && { record: record === 'never' ? null : record }),
      ...(source !== undefined && Object.keys(changed).length > 0 && { source: changed }),
    })
    await reload().catch(() => undefined)
    say(edit.saved(text('name').trim()))
    onClose()
  })
  return (
    <Dialog title={edit.title(name)} onClose={onClose}>
      <form onSubmit={onSubmit}>
        <label>
          {common.name}
          <input name="name" required maxLength={128} autoComplete="off" defaultValue={name} />
        </label>
        <label>
          {common.room} <span class="soft">{common.optional}</span>
          <input name="room" maxLength={128} autoComplete="off" defaultValue={room} />
        </label>
        {me.canRecord && <RecordWish now={records} />}
        {source && me.canNameSource && <Address source={source} />}
        {problem && <Alert problem={problem} />}
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            {common.cancel}
          </button>
          <button type="submit" class="button primary" aria-disabled={isBusy}>
            {common.save}
          </button>
        </div>
      </form>
      {source && <Trying camera={camera} certificates={source.certificates} />}
    </Dialog>
  )
}

const recordWishes = ['never', 'events', 'always'] as const

/** What is recorded, and what that asks of the owner. */
function RecordWish({ now }: { readonly now: (typeof recordWishes)[number] }) {
  const { record } = useLanguage().words
  return (
    <fieldset class="wishes">
      <legend>{record.title}</legend>
      {recordWishes.map((wish) => (
        <label key={wish} class="choice">
          <input type="radio" name="record" value={wish} defaultChecked={wish === now} />
          <span>
            {record.wishes[wish].name}
            <br />
            <span class="soft small">{record.wishes[wish].what}</span>
          </span>
        </label>
      ))}
      <p class="soft small">{record.law}</p>
    </fieldset>
  )
}

function Address({ source: { place, user } }: { readonly source: CameraSource }) {
  const { edit, common } = useLanguage().words
  return (
    <>
      <label>
        {common.address} <span class="soft">{edit.addressHint(place)}</span>
        <input name="address" maxLength={2048} autoComplete="off" spellcheck={false} placeholder={`${place}/…`} />
      </label>
      <label>
        {common.user}
        <input name="user" maxLength={256} autoComplete="off" spellcheck={false} defaultValue={user ?? ''} />
      </label>
      <label>
        {common.password} <span class="soft">{edit.passwordHint}</span>
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
  const { edit } = useLanguage().words
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
  const tryIt = () => run(edit.trying, async () => setTried(await api.tryCamera(id, leaving.current.signal)))
  const talk = () =>
    run(edit.playing, async () => {
      const { packets, sent } = await api.playTone(id)
      setHeard(packets === sent ? edit.played : edit.playedSome(packets, sent))
    })
  const trust = (seen: SeenCertificate) =>
    run(edit.saving, async () => {
      await api.trust(id, seen)
      setTried(undefined)
    })
  const failed = tried && 'fault' in tried ? tried : undefined
  return (
    <section aria-label={edit.tryIt}>
      <div class="actions">
        <button type="button" class="button" aria-disabled={doing !== undefined} onClick={() => void tryIt()}>
          {tried === undefined ? edit.try : edit.tryAgain}
        </button>
        <button type="button" class="button" aria-disabled={doing !== undefined} onClick={() => void talk()}>
          {edit.testTalkBack}
        </button>
      </div>
      <p role="status">{doing ?? heard}</p>
      {problem && <Alert problem={problem} />}
      {tried === undefined && fault && <Alert problem={fault} />}
      {failed && <Alert problem={failed.fault} />}
      {failed?.certificate && me.canNameSource && (
        <div class="alert is-warning">
          <p>{edit.newCertificate}</p>
          <code>{failed.certificate.fingerprint}</code>
          <button type="button" class="button" onClick={() => failed.certificate && void trust(failed.certificate)}>
            {edit.trust}
          </button>
        </div>
      )}
      {tried && 'streams' in tried && <ProbeResult probe={tried} />}
      {certificates.length > 0 && (
        <details>
          <summary>{edit.trusted}</summary>
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
