/** Which sessions a filter leaves, page by page, kept right while somebody looks at them. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { problemOf, type Problem } from 'transom-player'
import type { SessionRow, Sessions } from 'transom-core/wire/api'
import { useHouse } from '../house.ts'
import { renewedSessions, withChange, writeSessionFilter, type SessionFilter } from '../sessions.ts'

/** The first page fills a screen, and comes soon; whoever scrolls gets more at once. */
const firstPage = 50
const nextPage = 500

interface Shown extends Sessions {
  /** The filter of which it is. */
  readonly key: string
}

export function useSessions({ find: _find, ...filter }: SessionFilter) {
  const { api, on, isUp } = useHouse()
  const key = writeSessionFilter(filter)
  const [shown, setShown] = useState<Shown>()
  const [problem, setProblem] = useState<Problem>()
  const asked = useRef<string>(undefined)
  const mine = shown?.key === key ? shown : undefined

  useEffect(() => {
    let isLeft = false
    // What changes meanwhile may be missing from the page that comes.
    const changes: SessionRow[] = []
    const off = on('session', ({ timeline: _timeline, ...row }) => {
      changes.push(row)
      setShown((before) => (before?.key === key ? withChange(before, row, filter) : before))
    })
    api.sessions(filter, { limit: firstPage }).then(
      (first) => {
        if (isLeft) return
        setProblem(undefined)
        setShown((before) => {
          const whole = before?.key === key ? renewedSessions(before, first) : first
          return changes.reduce((list, row) => withChange(list, row, filter), { ...whole, key })
        })
      },
      (error: unknown) => !isLeft && setProblem(problemOf(error)),
    )
    return () => {
      isLeft = true
      off()
    }
  }, [key, isUp.value])

  /** Once for each page, however often it is wanted. */
  async function more(): Promise<void> {
    const after = mine?.next
    // Lists of two filters may go on from the same place.
    const page = `${key} ${after}`
    if (after === undefined || asked.current === page) return
    asked.current = page
    try {
      const later = await api.sessions(filter, { limit: nextPage, after })
      setShown((before) => {
        if (before?.key !== key) return before
        const there = new Set(before.sessions.map(({ id }) => id))
        return { ...later, key, sessions: [...before.sessions, ...later.sessions.filter(({ id }) => !there.has(id))] }
      })
    } catch (error) {
      asked.current = undefined
      setProblem(problemOf(error))
    }
  }

  return { rows: mine?.sessions, hasMore: mine?.next !== undefined, more, problem }
}
