/** The recent sessions: filtered here, because all that the bridge keeps are here. */
import { useMemo, useState } from 'preact/hooks'
import type { SessionRow } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage, type Spoken } from '../language/language.ts'
import { useTitle } from '../parts/use-title.ts'
import { VirtualList } from '../parts/virtual-list.tsx'
import { hrefs } from '../route.ts'
import { outcomeOf } from '../words.ts'

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
  const spoken = useLanguage()
  const { words: page, formats } = spoken
  const { sessions: words } = page
  const [filter, setFilter] = useState(all)
  const nameOf = useMemo(() => {
    const names = new Map(cameras.value?.map(({ id, name }) => [id, name]))
    return (id: string) => names.get(id) ?? id
  }, [cameras.value])
  const rows = sessions.value
  useTitle(words.title)
  const shown = useMemo(
    () => (rows ?? []).filter((row) => matches(row, filter, nameOf, spoken)),
    [rows, filter, nameOf, spoken],
  )
  const ids = useMemo(() => [...new Set(rows?.map(({ cameraId }) => cameraId))], [rows])
  const select = (label: string, field: keyof Filter, options: readonly (readonly [string, string])[]) => (
    <label>
      {label}
      <select
        value={filter[field]}
        onChange={({ currentTarget }) => setFilter({ ...filter, [field]: currentTarget.value })}
      >
        <option value="">{words.all}</option>
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
        <h1>{words.title}</h1>
        <p class="soft" role="status">
          {rows === undefined
            ? ''
            : shown.length === rows.length
              ? formats.number(rows.length)
              : words.count(formats.number(shown.length), formats.number(rows.length))}
        </p>
      </div>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        {select(words.filters.assistant, 'assistant', Object.entries({ ...page.assistants, console: page.thisPage }))}
        {select(
          words.filters.camera,
          'cameraId',
          ids.map((id) => [id, nameOf(id)] as const),
        )}
        {select(words.filters.outcome, 'outcome', Object.entries(page.outcomes))}
        <label>
          {words.filters.find}
          <input
            type="search"
            placeholder={words.findHint}
            value={filter.text}
            onInput={({ currentTarget }) => setFilter({ ...filter, text: currentTarget.value })}
          />
        </label>
      </form>
      {rows?.length === 0 && (
        <div class="empty">
          <h2>{words.none}</h2>
          <p>
            {words.noneWhy} <a href={hrefs.cameras}>{words.look}</a>
          </p>
        </div>
      )}
      {rows && rows.length > 0 && shown.length === 0 && (
        <div class="empty">
          <h2>{words.noMatch}</h2>
          <button type="button" class="button" onClick={() => setFilter(all)}>
            {page.common.showAll}
          </button>
        </div>
      )}
      {shown.length > 0 && (
        <VirtualList label={words.list} items={shown} rowHeight={rowHeight} keyOf={({ id }) => id}>
          {(row) => <Line row={row} name={nameOf(row.cameraId)} />}
        </VirtualList>
      )}
    </>
  )
}

function Line({ row, name }: { readonly row: SessionRow; readonly name: string }) {
  const { now } = useHouse()
  const { words, formats, nameOf } = useLanguage()
  const outcome = outcomeOf(row)
  const why = row.cause ?? row.hint
  return (
    <a class="line" href={hrefs.session(row.id)}>
      <span class={`outcome ${outcome}`}>{words.outcomes[outcome]}</span>
      <span class="what">
        <bdi>
          <strong>{name}</strong>
        </bdi>{' '}
        <span class="soft">
          {words.onDisplay[row.assistant]}
          {row.guest !== undefined && ` ${words.byGuest(row.guest)}`}
        </span>
      </span>
      <span class="because">{why && nameOf(why)}</span>
      <span class="answer soft">{row.answerMs === undefined ? '' : formats.ms(row.answerMs)}</span>
      <time class="soft" dateTime={new Date(row.startedAt).toISOString()}>
        {formats.when(row.startedAt, now.value)}
      </time>
    </a>
  )
}

export function matches(row: SessionRow, filter: Filter, cameraName: (id: string) => string, spoken: Spoken): boolean {
  if (filter.assistant !== '' && row.assistant !== filter.assistant) return false
  if (filter.cameraId !== '' && row.cameraId !== filter.cameraId) return false
  if (filter.outcome !== '' && outcomeOf(row) !== filter.outcome) return false
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return true
  const { id, assistant, cameraId, guest, reference } = row
  const why = row.cause ?? row.hint
  const told = [
    id,
    spoken.words.assistants[assistant],
    cameraId,
    cameraName(cameraId),
    guest,
    reference,
    why?.code,
    why && spoken.nameOf(why),
    why?.message,
  ]
  const text = told.join(' ').toLowerCase()
  return words.every((word) => text.includes(word))
}
