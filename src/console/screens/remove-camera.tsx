import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'
import { Dialog } from '../parts/dialog.tsx'
import { useToast } from '../parts/toast.tsx'
import { useForm } from '../parts/use-form.ts'

interface RemoveCameraProps {
  readonly camera: Camera
  readonly onClose: () => void
}

export function RemoveCamera({ camera: { id, name }, onClose }: RemoveCameraProps) {
  const { api, reload } = useHouse()
  const { say } = useToast()
  const { isBusy, problem, onSubmit } = useForm(async () => {
    await api.removeCamera(id)
    await reload().catch(() => undefined)
    say(`${name} is removed.`)
    onClose()
  })
  return (
    <Dialog title={`Remove ${name}?`} onClose={onClose}>
      <form onSubmit={onSubmit}>
        <p>
          The assistants forget it, its keys stop working, and nobody it is shared with sees it any more. It must be
          registered anew to come back.
        </p>
        {problem && (
          <p class="alert" role="alert">
            {problem.message} {problem.advice}
          </p>
        )}
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            Keep it
          </button>
          <button type="submit" class="button bad" aria-disabled={isBusy}>
            Remove
          </button>
        </div>
      </form>
    </Dialog>
  )
}
