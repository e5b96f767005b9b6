/** What the owner should know and can put right, on top of every screen. */
import { useEffect, useState } from 'preact/hooks'
import type { Notice } from '../api.ts'
import { useHouse } from '../house.ts'
import type { Words } from '../language/en.ts'
import type { Formats } from '../language/formats.ts'
import { useLanguage } from '../language/language.ts'

export function Notices() {
  const { api, cameras, isUp } = useHouse()
  const { words, formats } = useLanguage()
  const [notices, setNotices] = useState<readonly Notice[]>([])
  useEffect(() => {
    // What cannot be read now is read when the cameras change next, or the bridge is back.
    if (isUp.value) api.notices().then(setNotices, () => undefined)
  }, [isUp.value, cameras.value?.length])
  if (notices.length === 0) return null
  return (
    <section aria-label={words.frame.notices}>
      {notices.map((notice) => (
        <p key={notice.kind} class="notice">
          {say(notice, words.notices, formats)}
        </p>
      ))}
    </section>
  )
}

function say({ kind, about, until, message }: Notice, words: Words['notices'], { dateOf }: Formats): string {
  if (kind === 'alexa_unlinked' || kind === 'google_unlinked') return words[kind]
  // One of an earlier version has no more than its message.
  if (about === undefined) return message
  if (kind !== 'certificate_ending') return words[kind](about)
  return until === undefined ? message : words.certificate_ending(dateOf(until), about)
}
