/** A story as a waterfall: a table whose last column is the picture of it. */
import { rowsOf, type Row, type StoryStep, type Teller } from '../timeline.ts'
import { duration } from '../words.ts'

interface WaterfallProps {
  readonly title: string
  readonly steps: readonly StoryStep[]
  /** How the browser and the cloud are called in this story. */
  readonly tellers?: Partial<Record<Teller, string>>
}

const defaultTellers: Record<Teller, string> = { bridge: 'Bridge', display: 'Browser', cloud: 'Cloud' }

export function Waterfall({ title, steps, tellers = {} }: WaterfallProps) {
  const names = { ...defaultTellers, ...tellers }
  const rows = rowsOf(steps)
  const present = (['cloud', 'display', 'bridge'] as const).filter((teller) =>
    rows.some((row) => row.teller === teller),
  )
  if (rows.length === 0) return <p class="soft">Nothing has happened yet.</p>
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
            <th scope="col">Step</th>
            <th scope="col">Told by</th>
            <th scope="col">Since the step before</th>
            <th scope="col">Since the beginning</th>
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
  const { label, detail, from, size, isCut, atMs, tookMs } = row
  return (
    <tr class={row.teller}>
      <th scope="row">
        {label}
        {detail !== undefined && <span class="detail"> {detail}</span>}
      </th>
      <td class="unseen">{teller}</td>
      <td class="took">{tookMs > 0 ? `+${duration(tookMs)}` : ''}</td>
      <td class="at">
        {duration(atMs)}
        <span class={isCut ? 'bar is-cut' : 'bar'} style={{ '--from': from, '--size': size }} />
      </td>
    </tr>
  )
}
