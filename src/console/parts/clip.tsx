/** Plays a recording: at an address of its own, since a video element shows no token. */
import { useEffect, useState } from 'preact/hooks'
import { problemOf, type Problem } from 'transom-player'
import type { ActivityEntry } from 'transom-core/wire/api'
import { beginOf } from '../activity.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { Alert } from './alert.tsx'

interface ClipProps {
  readonly entry: ActivityEntry
  readonly recording: NonNullable<ActivityEntry['recording']>
  readonly label: string
}

export function Clip({ entry, recording: { id, from }, label }: ClipProps) {
  const { api } = useHouse()
  const { activity } = useLanguage().words
  const [url, setUrl] = useState<string>()
  const [problem, setProblem] = useState<Problem>()
  useEffect(() => {
    api.clipAddress(entry.cameraId, id).then(
      (address) => setUrl(address.url),
      (error: unknown) => setProblem(problemOf(error)),
    )
  }, [entry.cameraId, id])
  const beginS = ((beginOf(entry) ?? from) - from) / 1_000
  const onError = (): void => setProblem({ code: 'media_failed', message: activity.notPlayed })
  return (
    <div class="clip">
      {problem && <Alert problem={problem} />}
      {url !== undefined && (
        <video
          src={beginS > 1 ? `${url}#t=${beginS}` : url}
          aria-label={label}
          controls
          autoPlay
          playsInline
          onError={onError}
        />
      )}
    </div>
  )
}
