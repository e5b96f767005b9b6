/** What the owner should know and can put right, on top of every screen. */
import { useEffect, useState } from 'preact/hooks'
import type { Notice } from '../api.ts'
import { useHouse } from '../house.ts'

export function Notices() {
  const { api, cameras, isUp } = useHouse()
  const [notices, setNotices] = useState<readonly Notice[]>([])
  useEffect(() => {
    // What cannot be read now is read when the cameras change next, or the bridge is back.
    if (isUp.value) api.notices().then(setNotices, () => undefined)
  }, [isUp.value, cameras.value?.length])
  if (notices.length === 0) return null
  return (
    <section aria-label="Notices">
      {notices.map(({ kind, message }) => (
        <p key={kind} class="notice">
          {message}
        </p>
      ))}
    </section>
  )
}
