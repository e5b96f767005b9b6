import type { Camera } from '../api.ts'
import { useLanguage } from '../language/language.ts'

/** Online or not: as a word, and as a dot. */
export function OnlineState({ camera }: { readonly camera: Pick<Camera, 'isOnline' | 'fault'> }) {
  const { words, explain } = useLanguage()
  const { isOnline, fault } = camera
  if (isOnline === null) return <span class="state">{words.state.unknown}</span>
  if (fault && !isOnline) {
    return (
      <span class="state is-off" title={explain(fault).message}>
        {words.state.offline}
      </span>
    )
  }
  return (
    <span class={isOnline ? 'state is-on' : 'state is-off'}>{isOnline ? words.state.online : words.state.offline}</span>
  )
}

/** Whoever looks, or is looked at through it, should know. */
export function RecordingState({
  camera: { isRecording, isRecordingPaused },
}: {
  readonly camera: Pick<Camera, 'isRecording' | 'isRecordingPaused'>
}) {
  const { state } = useLanguage().words
  if (isRecording) return <span class="state is-recording">{state.recording}</span>
  return isRecordingPaused ? <span class="state">{state.recordingPaused}</span> : null
}
