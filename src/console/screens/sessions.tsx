/** The recent sessions: filtered here, because all that the bridge keeps are here. */
import { useMemo, useState } from 'preact/hooks'
import type { SessionRow } from '../api.ts'
import { useHouse } from '../house.ts'
import { useTitle } from '../parts/use-title.ts'
import { VirtualList } from '../parts/virtual-list.tsx'
import { hrefs } from '../route.ts'
import { assistantNames, causeName, dateOf, outcomeNames, outcomeOf, timeOfDay } from '../words.ts'

interface Filter {
  readonly assistant: string
  readonly cameraId: string
  readonly outcome: string
  readonly text: string
}

const all: Filter = { assistant: '', cameraId: '', outcome: '', text: '' }
const rowHeight = 64

export function SessionsScreen() {
  const { cameras, sessions } = useHouse()
  const [filter, setFilter] = useState(all)
  const nameOf = useMemo(() => {
    const names = new Map(cameras.value?.map(({ id, name }) => [id, name]))
    return (id: string) => names.get(id) ?? id
  }, [cameras.value])
  const rows = sessions.value
  useTitle('Sessions')
  const shown = useMemo(() => (rows ?? []).filter((row) => matches(row, filter, nameOf)), [rows, filter, nameOf])
  const ids = useMemo(() => [...new Set(rows?.map(({ cameraId }) => cameraId))], [rows])
  const select = (label: string, field: keyof Filter, options: readonly (readonly [string, string])[]) => (
    <label>
      {label}
      <select
        value={filter[field]}
        onChange={({ currentTarget }) => setFilter({ ...filter, [field]: currentTarget.value })}
      >
        <option value="">All</option>
        {options.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
  return (
    <>
      <div class="title">
        <h1>Sessions</h1>
        <p class="soft" role="status">
          {rows === undefined
            ? ''
            : shown.length === rows.length
              ? `${rows.length}`
              : `${shown.length} of ${rows.length}`}
        </p>
      </div>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        {select('Shown on', 'assistant', Object.entries({ ...assistantNames, console: 'This page' }))}
        {select(
          'Camera',
          'cameraId',
          ids.map((id) => [id, nameOf(id)] as const),
        )}
        {select('Outcome', 'outcome', Object.entries(outcomeNames))}
        <label>
          Find
          <input
            type="search"
            placeholder="cause, id …"
            value={filter.text}
            onInput={({ currentTarget }) => setFilter({ ...filter, text: currentTarget.value })}
          />
        </label>
      </form>
      {rows?.length === 0 && (
        <div class="empty">
          <h2>No session yet</h2>
          <p>
            Each view of a camera, from whatever display, leaves its story here.{' '}
            <a href={hrefs.cameras}>Look at one.</a>
          </p>
        </div>
      )}
      {rows && rows.length > 0 && shown.length === 0 && (
        <div class="empty">
          <h2>None of them</h2>
          <button type="button" class="button" onClick={() => setFilter(all)}>
            Show all
          </button>
        </div>
      )}
      {shown.length > 0 && (
        <VirtualList label="Sessions, newest first" items={shown} rowHeight={rowHeight} keyOf={({ id }) => id}>
          {(row) => <Line row={row} name={nameOf(row.cameraId)} />}
        </VirtualList>
      )}
    </>
  )
}

function Line({ row, name }: { readonly row: SessionRow; readonly name: string }) {
  const outcome = outcomeOf(row)
  const why = row.cause ?? row.hint
  return (
    <a class="line" href={hrefs.session(row.id)}>
      <span class={`outcome ${outcome}`}>{outcomeNames[outcome]}</span>
      <span class="what">
        <bdi>
          <strong>{name}</strong>
        </bdi>{' '}
        <span class="soft">
          on {assistantNames[row.assistant]}
          {row.guest !== undefined && ` by ${row.guest}`}
        </span>
      </span>
      <span class="because">{why && causeName(why.code)}</span>
      <span class="answer soft">{row.answerMs === undefined ? '' : `${row.answerMs} ms`}</span>
      <time class="soft" dateTime={new Date(row.startedAt).toISOString()}>
        {dateOf(row.startedAt)}, {timeOfDay(row.startedAt)}
      </time>
    </a>
  )
}

export function matches(row: SessionRow, filter: Filter, nameOf: (id: string) => string): boolean {
  if (filter.assistant !== '' && row.assistant !== filter.assistant) return false
  if (filter.cameraId !== '' && row.cameraId !== filter.cameraId) return false
  if (filter.outcome !== '' && outcomeOf(row) !== filter.outcome) return false
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return true
  const { id, assistant, cameraId, guest, reference } = row
  const why = row.cause ?? row.hint
  const told = [
    id,
    assistantNames[assistant],
    cameraId,
    nameOf(cameraId),
    guest,
    reference,
    why?.code,
    why && causeName(why.code),
    why?.message,
  ]
  const text = told.join(' ').toLowerCase()
  return words.every((word) => text.includes(word))
}
