/** What others want to share with whoever is signed in: to accept or decline, on top of the cameras. */
import { useEffect, useState } from 'preact/hooks'
import type { Invitation } from '../api.ts'
import { useHouse } from '../house.ts'
import { useToast } from './toast.tsx'

export function Invitations() {
  const { api, isUp, reload } = useHouse()
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
    say(answer === 'accept' ? `You can see ${camera} now.` : `The invitation to ${camera} is declined.`)
  }
  if (open.length === 0) return null
  return (
    <section class="notices" aria-label="Invitations">
      {open.map((invitation) => (
        <div key={invitation.id} class="notice">
          <p>
            <bdi>{invitation.owner.name}</bdi> ({invitation.owner.login}) wants to share <bdi>{invitation.camera}</bdi>{' '}
            with you. You may view {invitation.mayTalk ? 'it and talk' : 'it'}; the owner sees when you look.
          </p>
          <div class="doings">
            <button
              type="button"
              class="button primary"
              aria-label={`Accept ${invitation.camera}`}
              onClick={() => void answer(invitation, 'accept').catch(complain)}
            >
              Accept
            </button>
            <button
              type="button"
              class="button"
              aria-label={`Decline ${invitation.camera}`}
              onClick={() => void answer(invitation, 'decline').catch(complain)}
            >
              Decline
            </button>
          </div>
        </div>
      ))}
    </section>
  )
}
