/** What happened last; for a newcomer, what to try. */
import { dayOf } from '../activity.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { hrefs } from '../route.ts'
import { useActivity } from './use-activity.ts'
import { Details, Face, useSentence } from './visit.tsx'
import type { ActivityEntry } from 'transom-core/wire/api'

const most = 6
const everything = {}

export function Lately() {
  const { cameras, me } = useHouse()
  const { lately } = useLanguage().words
  const { entries } = useActivity(everything)
  const isEmpty = cameras.value?.length === 0
  const isOwner = cameras.value?.some((camera) => camera.isOwner) === true
  const hasTries = isOwner && me.canSimulate
  // The advice is for who has a camera.
  if (entries === undefined || (entries.length === 0 && isEmpty)) return null
  return (
    <section class="card lately" aria-labelledby="lately">
      <h2 id="lately">{lately.title}</h2>
      {entries.length === 0 && (
        <>
          <p class="soft">{hasTries ? lately.noneButTry : lately.none}</p>
          {hasTries && (
            <ol>
              {lately.tries.map((one) => (
                <li key={one}>{one}</li>
              ))}
            </ol>
          )}
          <p class="soft">
            {lately.what} {isOwner && me.canRecord && lately.keepClips}
          </p>
        </>
      )}
      <ul>
        {entries.slice(0, most).map((entry) => (
          <Line key={`${entry.cameraId} ${entry.recording?.id ?? entry.at}`} entry={entry} />
        ))}
      </ul>
      {entries.length > 0 && <a href={hrefs.activity({})}>{lately.all}</a>}
    </section>
  )
}

function Line({ entry }: { readonly entry: ActivityEntry }) {
  const { now } = useHouse()
  const { formats } = useLanguage()
  const says = useSentence(entry)
  const day = dayOf(entry.at)
  return (
    <li>
      <a href={hrefs.activity({ cameraId: entry.cameraId, day })}>
        <Face entry={entry} />
        <span class="what">
          {says}
          <br />
          {day !== dayOf(now.value) && <span class="soft small">{formats.dateOf(entry.at)} · </span>}
          <Details entry={entry} />
        </span>
      </a>
    </li>
  )
}
