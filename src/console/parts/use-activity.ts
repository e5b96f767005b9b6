/** What a filter leaves of what happened, kept right while somebody looks at it. */
import { useEffect, useState } from 'preact/hooks'
import { problemOf, type Problem } from 'transom-player'
import type { Activity } from 'transom-core/wire/api'
import { renewed, withoutClip, writeFilter, type ActivityFilter } from '../activity.ts'
import { useHouse } from '../house.ts'

/** What happens at once is asked for once; the bridge keeps an event a moment after it tells of it. */
const gatherMs = 1_000

interface Shown extends Activity {
  /** The filter of which it is. */
  readonly key: string
}

export function useActivity(filter: ActivityFilter) {
  const { api, on } = useHouse()
  const key = writeFilter(filter)
  const [shown, setShown] = useState<Shown>()
  const [problem, setProblem] = useState<Problem>()
  const [round, setRound] = useState(0)
  const mine = shown?.key === key ? shown : undefined

  useEffect(() => {
    const abort = new AbortController()
    api.activity(filter, undefined, abort.signal).then(
      (first) => {
        setProblem(undefined)
        setShown((before) => ({ ...(before?.key === key ? renewed(before, first) : first), key }))
      },
      (error: unknown) => {
        if (!abort.signal.aborted) setProblem(problemOf(error))
      },
    )
    return () => abort.abort()
  }, [key, round])

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const later = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined
        setRound((last) => last + 1)
      }, gatherMs)
    }
    const offs = [
      on('hello', later),
      on('press', later),
      on('moment', later),
      on('recording', ({ cameraId, id, change }) => {
        if (change !== 'removed') return later()
        setShown((before) => before && { ...before, entries: withoutClip(before.entries, cameraId, id) })
      }),
    ]
    return () => {
      clearTimeout(timer)
      for (const off of offs) off()
    }
  }, [])

  async function more(): Promise<void> {
    const earlier = await api.activity(filter, mine?.next)
    setShown((before) =>
      before?.key === key ? { ...earlier, key, entries: [...before.entries, ...earlier.entries] } : before,
    )
  }

  return { entries: mine?.entries, hasMore: mine?.next !== undefined, more, problem }
}
