/** The addresses of a camera that buttons and sensors may call, and others instead. */
import { useEffect, useState } from 'preact/hooks'
import { problemOf, type Problem } from 'transom-player'
import type { Camera, CameraWebhooks } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { Alert } from '../parts/alert.tsx'
import { Fact } from '../parts/copied.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { useToast } from '../parts/toast.tsx'
import { useForm } from '../parts/use-form.ts'

interface WebhooksProps {
  readonly camera: Camera
  readonly onClose: () => void
}

export function Webhooks({ camera: { id, name, kind }, onClose }: WebhooksProps) {
  const { api } = useHouse()
  const { webhooks: words, common } = useLanguage().words
  const { say } = useToast()
  const [hooks, setHooks] = useState<CameraWebhooks>()
  const [trouble, setTrouble] = useState<Problem>()
  useEffect(() => {
    api.webhooks(id).then(setHooks, (error: unknown) => setTrouble(problemOf(error)))
  }, [])
  const { isBusy, problem, onSubmit } = useForm(async () => {
    setHooks(await api.rollWebhooks(id))
    say(words.renewed(name))
  })
  const wrong = problem ?? trouble
  const shown = [
    ...(kind === 'doorbell' ? [[words.events.press, hooks?.press] as const] : []),
    [words.events.motion, hooks?.motion] as const,
    [words.events.person, hooks?.person] as const,
  ]
  return (
    <Dialog title={words.title(name)} onClose={onClose}>
      <form onSubmit={onSubmit}>
        <p>{words.what}</p>
        <dl class="facts">{shown.map(([label, url]) => url && <Fact key={label} name={label} value={url} />)}</dl>
        {wrong && <Alert problem={wrong} />}
        <div class="actions">
          <button type="submit" class="button" aria-disabled={isBusy}>
            {words.renew}
          </button>
          <button type="button" class="button primary" onClick={onClose}>
            {common.done}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
