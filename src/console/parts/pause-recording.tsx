/** Pauses what is recorded of a camera, or goes on with it. */
import { useState } from 'preact/hooks'
import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { useToast } from './toast.tsx'

/** For the owner of a camera that records. */
export function PauseRecording({ camera: { id, isRecordingPaused } }: { readonly camera: Camera }) {
  const { api, reload } = useHouse()
  const { record } = useLanguage().words
  const { say, complain } = useToast()
  const [isBusy, setBusy] = useState(false)
  async function toggle(): Promise<void> {
    setBusy(true)
    try {
      await api.pauseRecording(id, !isRecordingPaused)
      await reload()
      say(isRecordingPaused ? record.resumed : record.paused)
    } catch (error) {
      complain(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <button type="button" class="button" aria-disabled={isBusy} onClick={() => void (isBusy || toggle())}>
      {isRecordingPaused ? record.resume : record.pause}
    </button>
  )
}
