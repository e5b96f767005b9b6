/** The session that a view has become: as far as it is told, and as it goes on. */
import { useEffect, useState } from 'preact/hooks'
import type { Session, SessionRow } from '../api.ts'
import { useHouse } from '../house.ts'

/** `is` knows it; with another `key` another one is meant. */
export function useSession(is: (row: SessionRow) => boolean, key: string | undefined): Session | undefined {
  const { api, sessions, isUp, on } = useHouse()
  const [session, setSession] = useState<Session>()
  useEffect(() => setSession(undefined), [key])
  useEffect(() => {
    if (key === undefined) return
    let isOver = false
    // What was asked for may be older than what was told meanwhile.
    const take = (one: Session): void => {
      if (isOver || !is(one)) return
      setSession((before) => (before && before.timeline.length > one.timeline.length ? before : one))
    }
    const off = on('session', take)
    // It may have begun, or gone on, while nobody listened.
    const known = sessions.peek()?.find(is)
    if (known) api.session(known.id).then(take, () => undefined)
    return () => {
      isOver = true
      off()
    }
  }, [key, isUp.value])
  return session
}
