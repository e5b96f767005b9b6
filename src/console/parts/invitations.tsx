/** What others want to share with whoever is signed in: to accept or decline, on top of the cameras. */
import { useEffect, useState } from 'preact/hooks'
import type { Invitation } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { useToast } from './toast.tsx'

export function Invitations() {
  const { api, isUp, reload } = useHouse()
  const { invitations: words } = useLanguage().words
  const { say, complain } = useToast()
  const [open, setOpen] = useState<readonly Invitation[]>([])
  const load = async (): Promise<void> => setOpen(await api.invitations())
  useEffect(() => {
    // What cannot be read now is read when the page is opened next.
    if (isUp.value) load().catch(() => undefined)
  }, [isUp.value])
  async function answer({ id, camera }: Invitation, answer: 'accept' | 'decline'): Promise<void> {
    await api.answer(id, answer)
    await Promise.all([load(), reload()])
    say(answer === 'accept' ? words.accepted(camera) : words.declined(camera))
  }
  if (open.length === 0) return null
  return (
    <section class="notices" aria-label={words.title}>
      {open.map((invitation) => (
        <div key={invitation.id} class="notice">
          <p>
            {words.offer(<bdi>{invitation.owner.name}</bdi>, invitation.owner.login, <bdi>{invitation.camera}</bdi>)}{' '}
            {invitation.mayTalk ? words.mayTalk : words.mayView}{' '}
            {invitation.mayViewRecordings && words.mayViewRecordings}
          </p>
          <div class="doings">
            <button
              type="button"
              class="button primary"
              aria-label={words.acceptOf(invitation.camera)}
              onClick={() => void answer(invitation, 'accept').catch(complain)}
            >
              {words.accept}
            </button>
            <button
              type="button"
              class="button"
              aria-label={words.declineOf(invitation.camera)}
              onClick={() => void answer(invitation, 'decline').catch(complain)}
            >
              {words.decline}
            </button>
          </div>
        </div>
      ))}
    </section>
  )
}
