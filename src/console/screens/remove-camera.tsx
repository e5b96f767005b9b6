import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { Alert } from '../parts/alert.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { useToast } from '../parts/toast.tsx'
import { useForm } from '../parts/use-form.ts'

interface RemoveCameraProps {
  readonly camera: Camera
  readonly onClose: () => void
}

export function RemoveCamera({ camera: { id, name }, onClose }: RemoveCameraProps) {
  const { api, reload } = useHouse()
  const { remove } = useLanguage().words
  const { say } = useToast()
  const { isBusy, problem, onSubmit } = useForm(async () => {
    await api.removeCamera(id)
    await reload().catch(() => undefined)
    say(remove.removed(name))
    onClose()
  })
  return (
    <Dialog title={remove.title(name)} onClose={onClose}>
      <form onSubmit={onSubmit}>
        <p>{remove.what}</p>
        {problem && <Alert problem={problem} />}
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            {remove.keep}
          </button>
          <button type="submit" class="button bad" aria-disabled={isBusy}>
            {remove.remove}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
