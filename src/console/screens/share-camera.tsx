/** Who else may see a camera, talk through it, and see what was recorded. */
import { useEffect, useState } from 'preact/hooks'
import { problemOf, type Problem } from 'transom-player'
import type { Camera, Guest } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { Alert } from '../parts/alert.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { useForm } from '../parts/use-form.ts'
import { initialOf } from '../words.ts'

interface ShareCameraProps {
  readonly camera: Camera
  readonly onClose: () => void
}

export function ShareCamera({ camera: { id, name }, onClose }: ShareCameraProps) {
  const { api } = useHouse()
  const { share, common } = useLanguage().words
  // Here, and not at the foot of the page, which lies behind the dialog.
  const [trouble, setTrouble] = useState<Problem>()
  const [guests, setGuests] = useState<readonly Guest[]>()
  const [login, setLogin] = useState('')
  /** The guest whose share ends if the question is answered with yes. */
  const [ending, setEnding] = useState<string>()
  const load = async (): Promise<void> => setGuests(await api.guests(id))
  const complain = (error: unknown): void => setTrouble(problemOf(error))
  const change = (work: Promise<void>): void => {
    setTrouble(undefined)
    setEnding(undefined)
    // What was refused is shown as it still is.
    void work.catch(complain).then(load).catch(complain)
  }
  useEffect(() => void load().catch(complain), [])
  const { isBusy, problem, onSubmit } = useForm(async (fields) => {
    const has = (name: string): boolean => fields.get(name) !== null
    await api.share(id, login.trim(), { mayTalk: has('mayTalk'), mayViewRecordings: has('mayViewRecordings') })
    setLogin('')
    await load()
  })
  return (
    <Dialog title={share.title(name)} onClose={onClose}>
      {guests === undefined && trouble === undefined && <p class="soft">{common.moment}</p>}
      {guests?.length === 0 && <p class="soft">{share.none}</p>}
      <ul class="guests">
        {guests?.map((guest) => (
          <li key={guest.login}>
            <span class="initial" aria-hidden="true">
              {initialOf(guest.name ?? guest.login)}
            </span>
            <p>
              {guest.name ?? guest.login}
              <br />
              <span class="soft">{guest.isInvited ? share.pending : guest.login}</span>
            </p>
            <label class="choice">
              <input
                type="checkbox"
                checked={guest.mayTalk}
                aria-label={share.mayTalkOf(guest.name ?? guest.login)}
                onChange={({ currentTarget }) => change(api.share(id, guest.login, { mayTalk: currentTarget.checked }))}
              />{' '}
              {share.mayTalk}
            </label>
            <label class="choice">
              <input
                type="checkbox"
                checked={guest.mayViewRecordings === true}
                aria-label={share.mayViewRecordingsOf(guest.name ?? guest.login)}
                onChange={({ currentTarget: { checked: mayViewRecordings } }) =>
                  change(api.share(id, guest.login, { mayTalk: guest.mayTalk, mayViewRecordings }))
                }
              />{' '}
              {share.mayViewRecordings}
            </label>
            {ending === guest.login ? (
              <div class="sure" role="group" aria-label={share.stopQuestion(guest.name ?? guest.login)}>
                <p>{share.stopQuestion(guest.name ?? guest.login)}</p>
                <button type="button" class="button" autoFocus onClick={() => setEnding(undefined)}>
                  {share.goOn}
                </button>
                <button type="button" class="button bad" onClick={() => change(api.unshare(id, guest.login))}>
                  {share.stopNow}
                </button>
              </div>
            ) : (
              <button
                type="button"
                class="button"
                aria-label={guest.isInvited ? share.withdrawOf(guest.login) : share.stopOf(guest.name ?? guest.login)}
                // A new invitation has to be accepted again.
                onClick={() => (guest.isInvited ? change(api.unshare(id, guest.login)) : setEnding(guest.login))}
              >
                {guest.isInvited ? share.withdraw : share.stop}
              </button>
            )}
          </li>
        ))}
      </ul>
      {trouble && <Alert problem={trouble} />}
      <form onSubmit={onSubmit}>
        <label>
          {share.login}
          <input
            required
            maxLength={254}
            autoComplete="off"
            autoCapitalize="none"
            spellcheck={false}
            value={login}
            onInput={({ currentTarget }) => setLogin(currentTarget.value)}
          />
        </label>
        <label class="choice">
          <input type="checkbox" name="mayTalk" defaultChecked /> {share.talkToo}
        </label>
        <label class="choice">
          <input type="checkbox" name="mayViewRecordings" /> {share.viewRecordingsToo}
        </label>
        <p class="soft small">{share.how}</p>
        {problem && <Alert problem={problem} />}
        <div class="actions">
          <button type="submit" class="button primary" aria-disabled={isBusy}>
            {share.invite}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
