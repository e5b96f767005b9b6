/** The session whose reference is known: as far as it is told, and as it goes on. */
import { useEffect, useState } from 'preact/hooks'
import type { Session, SessionRow } from '../api.ts'
import { useHouse } from '../house.ts'

export function useSession(is: (row: SessionRow) => boolean, key: string | undefined): Session | undefined {
  const { api, sessions, onSession } = useHouse()
  const [session, setSession] = useState<Session>()
  useEffect(() => {
    setSession(undefined)
    if (key === undefined) return
    let isOver = false
    const take = (one: Session): void => {
      if (!isOver && is(one)) setSession(one)
    }
    const off = onSession(take)
    // It may have begun before we listened.
    const known = sessions.peek()?.find(is)
    if (known)
      api
        .session(known.id)
        .then((one) => setSession((newer) => newer ?? (isOver ? undefined : one)))
        .catch(() => undefined)
    return () => {
      isOver = true
      off()
    }
  }, [key])
  return session
}
