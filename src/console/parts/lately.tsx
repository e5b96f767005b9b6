/** The last few sessions; for a newcomer, what leads to one. */
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { hrefs } from '../route.ts'
import { causeName, outcomeOf } from '../words.ts'

const most = 6

export function Lately() {
  const { cameras, sessions, now } = useHouse()
  const { words, formats } = useLanguage()
  const { lately } = words
  const rows = sessions.value
  const isEmpty = cameras.value?.length === 0
  // The advice is for who has a camera.
  if (rows === undefined || (rows.length === 0 && isEmpty)) return null
  const nameOf = (id: string): string => cameras.value?.find((camera) => camera.id === id)?.name ?? id
  return (
    <section class="card lately" aria-labelledby="lately">
      <h2 id="lately">{lately.title}</h2>
      {rows.length === 0 && (
        <>
          <p class="soft">{lately.none}</p>
          <ol>
            {lately.tries.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ol>
          <p class="soft">{lately.why}</p>
        </>
      )}
      <ul>
        {rows.slice(0, most).map((row) => (
          <li key={row.id}>
            <a href={hrefs.session(row.id)}>
              <span class={`outcome ${outcomeOf(row)}`}>{words.outcomes[outcomeOf(row)]}</span>
              <span class="what">
                <bdi>{nameOf(row.cameraId)}</bdi>{' '}
                <span class="soft">
                  {words.onDisplay[row.assistant]}
                  {row.guest !== undefined && ` ${words.byGuest(row.guest)}`}
                </span>
                <br />
                <span class="soft small">
                  {formats.ago(row.startedAt, now.value)}
                  {row.cause && ` · ${causeName(row.cause.code)}`}
                </span>
              </span>
            </a>
          </li>
        ))}
      </ul>
      {rows.length > most && <a href={hrefs.sessions}>{lately.all}</a>}
    </section>
  )
}
