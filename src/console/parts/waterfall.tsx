/** A story as a waterfall: a table whose last column is the picture of it. */
import { useLanguage } from '../language/language.ts'
import { rowsOf, type Row, type StoryStep, type Teller } from '../timeline.ts'

interface WaterfallProps {
  readonly title: string
  readonly steps: readonly StoryStep[]
  /** How the browser and the cloud are called in this story. */
  readonly tellers?: Partial<Record<Teller, string>>
}

export function Waterfall({ title, steps, tellers = {} }: WaterfallProps) {
  const { story } = useLanguage().words
  const names = { ...story.tellers, ...tellers }
  const rows = rowsOf(steps, story)
  const present = (['cloud', 'display', 'bridge'] as const).filter((teller) =>
    rows.some((row) => row.teller === teller),
  )
  if (rows.length === 0) return <p class="soft">{story.nothing}</p>
  return (
    <figure class="waterfall">
      {present.length > 1 && (
        <p class="legend" aria-hidden="true">
          {present.map((teller) => (
            <span key={teller} class={teller}>
              {names[teller]}
            </span>
          ))}
        </p>
      )}
      <table>
        <caption class="unseen">{title}</caption>
        <thead class="unseen">
          <tr>
            <th scope="col">{story.columns.step}</th>
            <th scope="col">{story.columns.teller}</th>
            <th scope="col">{story.columns.took}</th>
            <th scope="col">{story.columns.at}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            // Steps are only ever added, but may be sorted in between.
            <StepRow key={`${row.teller} ${row.step} ${row.at} ${index}`} row={row} teller={names[row.teller]} />
          ))}
        </tbody>
      </table>
    </figure>
  )
}

function StepRow({ row, teller }: { readonly row: Row; readonly teller: string }) {
  const { formats } = useLanguage()
  const { label, detail, from, size, isCut, atMs, tookMs } = row
  return (
    <tr class={row.teller}>
      <th scope="row">
        {label}
        {detail !== undefined && (
          <span class="detail" lang="en">
            {' '}
            {detail}
          </span>
        )}
      </th>
      <td class="unseen">{teller}</td>
      <td class="took">{tookMs > 0 ? `+${formats.duration(tookMs)}` : ''}</td>
      <td class="at">
        {formats.duration(atMs)}
        <span class={isCut ? 'bar is-cut' : 'bar'} style={{ '--from': from, '--size': size }} />
      </td>
    </tr>
  )
}
