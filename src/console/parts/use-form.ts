/** A form that is sent once at a time, and says under its fields what went wrong. */
import { useState } from 'preact/hooks'
import { problemOf, type Problem } from 'transom-player'

export function useForm(send: (fields: FormData) => Promise<void>) {
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    if (isBusy) return
    setBusy(true)
    setProblem(undefined)
    try {
      await send(new FormData(event.currentTarget as HTMLFormElement))
    } catch (error) {
      setProblem(problemOf(error))
    } finally {
      setBusy(false)
    }
  }
  return { isBusy, problem, onSubmit: (event: SubmitEvent) => void submit(event) }
}
