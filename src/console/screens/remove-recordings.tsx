/** Asks before recordings are deleted: one, those of a day, or all of a camera. */
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { Alert } from '../parts/alert.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { useToast } from '../parts/toast.tsx'
import { useForm } from '../parts/use-form.ts'

/** Which: one by its id, or all of a time; `what` is it in words. */
export interface Removal {
  readonly cameraId: string
  readonly what: string
  readonly which: number | { readonly from: number; readonly to: number } | 'all'
}

export function RemoveRecordings({ cameraId, what, which, onClose }: Removal & { readonly onClose: () => void }) {
  const { api } = useHouse()
  const { removeRecordings: words, common } = useLanguage().words
  const { say } = useToast()
  const { isBusy, problem, onSubmit } = useForm(async () => {
    await (typeof which === 'number'
      ? api.removeRecording(cameraId, which)
      : api.removeRecordings(cameraId, which === 'all' ? undefined : which))
    say(words.removed)
    onClose()
  })
  return (
    <Dialog title={words.title} onClose={onClose}>
      <form onSubmit={onSubmit}>
        <p>
          <strong>{what}</strong>
        </p>
        <p>{words.what}</p>
        {problem && <Alert problem={problem} />}
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            {common.cancel}
          </button>
          <button type="submit" class="button bad" aria-disabled={isBusy}>
            {words.remove}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
