import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'
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
  const { say } = useToast()
  const { isBusy, problem, onSubmit } = useForm(async () => {
    await api.leave(id)
    await reload().catch(() => undefined)
    say(`You left ${name}.`)
    onClose()
  })
  return (
    <Dialog title={`Leave ${name}?`} onClose={onClose}>
      <form onSubmit={onSubmit}>
        <p>You and your assistants will no longer see this camera. Only its owner can invite you again.</p>
        {problem && (
          <p class="alert" role="alert">
            {problem.message} {problem.advice}
          </p>
        )}
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            Stay
          </button>
          <button type="submit" class="button bad" aria-disabled={isBusy}>
            Leave
          </button>
        </div>
      </form>
    </Dialog>
  )
}
