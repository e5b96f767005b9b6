import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { Alert } from '../parts/alert.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { useToast } from '../parts/toast.tsx'
import { useForm } from '../parts/use-form.ts'

interface LeaveCameraProps {
  readonly camera: Camera
  readonly onClose: () => void
}

/** A guest gives a camera back. */
export function LeaveCamera({ camera: { id, name }, onClose }: LeaveCameraProps) {
  const { api, reload } = useHouse()
  const { leave } = useLanguage().words
  const { say } = useToast()
  const { isBusy, problem, onSubmit } = useForm(async () => {
    await api.leave(id)
    await reload().catch(() => undefined)
    say(leave.left(name))
    onClose()
  })
  return (
    <Dialog title={leave.title(name)} onClose={onClose}>
      <form onSubmit={onSubmit}>
        <p>{leave.what}</p>
        {problem && <Alert problem={problem} />}
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            {leave.stay}
          </button>
          <button type="submit" class="button bad" aria-disabled={isBusy}>
            {leave.leave}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
