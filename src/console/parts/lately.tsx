/** The last few sessions; for a newcomer, what leads to one. */
import { useHouse } from '../house.ts'
import { hrefs } from '../route.ts'
import { ago, assistantNames, causeName, outcomeNames, outcomeOf } from '../words.ts'

const most = 6

export function Lately() {
  const { cameras, sessions, now } = useHouse()
  const rows = sessions.value
  const isEmpty = cameras.value?.length === 0
  // The advice is for who has a camera.
  if (rows === undefined || (rows.length === 0 && isEmpty)) return null
  const nameOf = (id: string): string => cameras.value?.find((camera) => camera.id === id)?.name ?? id
  return (
    <section class="card lately" aria-labelledby="lately">
      <h2 id="lately">Recent activity</h2>
      {rows.length === 0 && (
        <>
          <p class="soft">Nobody has looked yet. Try this:</p>
          <ol>
            <li>Watch the doorbell live, and talk to it.</li>
            <li>Be an Echo Show: link it, and let Alexa show the door.</li>
            <li>Ring, and see the display say so.</li>
          </ol>
          <p class="soft">Each view leaves its story here: what happened when, and why it failed if it did.</p>
        </>
      )}
      <ul>
        {rows.slice(0, most).map((row) => (
          <li key={row.id}>
            <a href={hrefs.session(row.id)}>
              <span class={`outcome ${outcomeOf(row)}`}>{outcomeNames[outcomeOf(row)]}</span>
              <span class="what">
                <bdi>{nameOf(row.cameraId)}</bdi>{' '}
                <span class="soft">
                  on {assistantNames[row.assistant]}
                  {row.guest !== undefined && ` by ${row.guest}`}
                </span>
                <br />
                <span class="soft small">
                  {ago(row.startedAt, now.value)}
                  {row.cause && ` · ${causeName(row.cause.code)}`}
                </span>
              </span>
            </a>
          </li>
        ))}
      </ul>
      {rows.length > most && <a href={hrefs.sessions}>All sessions</a>}
    </section>
  )
}
