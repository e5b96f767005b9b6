/** The sessions of the last 30 days: filtered by what the address says, fetched as far as somebody looks. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { SessionRow } from '../api.ts'
import { dayOf, nextDay } from '../activity.ts'
import { useHouse } from '../house.ts'
import { useLanguage, type Spoken } from '../language/language.ts'
import { Alert } from '../parts/alert.tsx'
import { Figures } from '../parts/figures.tsx'
import { useSessions } from '../parts/use-sessions.ts'
import { useTitle } from '../parts/use-title.ts'
import { VirtualList } from '../parts/virtual-list.tsx'
import { hrefs, readRoute } from '../route.ts'
import { readSessionFilter, writeSessionFilter, type SessionFilter } from '../sessions.ts'
import { outcomeOf, outcomes } from '../words.ts'

const rowHeight = 64
/** Sessions are kept so long. */
const keptDays = 30
/** The address follows the scrolling when it rests: browsers take no more than some changes a second. */
const restMs = 250

interface SessionsProps {
  readonly filter: SessionFilter
  /** When the session began that is to stand at the top. */
  readonly at?: number
}

export function SessionsScreen({ filter, at }: SessionsProps) {
  const { cameras } = useHouse()
  const spoken = useLanguage()
  const { words: page, formats } = spoken
  const { sessions: words } = page
  const nameOf = useMemo(() => {
    const names = new Map(cameras.value?.map(({ id, name }) => [id, name]))
    return (id: string) => names.get(id) ?? id
  }, [cameras.value])
  const { rows, hasMore, more, problem } = useSessions(filter)
  const [wanted, setWanted] = useState(0)
  useTitle(words.title)
  const shown = useMemo(
    () => (rows ?? []).filter((row) => hasWords(row, filter.find ?? '', nameOf, spoken)),
    [rows, filter.find, nameOf, spoken],
  )
  // Back at a place far down, all that stands above it is fetched first.
  const isThere = rows !== undefined && (at === undefined || !hasMore || (rows.at(-1)?.startedAt ?? 0) <= at)
  useEffect(() => {
    if (hasMore && (!isThere || shown.length <= wanted)) void more()
  }, [rows, shown.length, wanted, isThere])
  const isAll = writeSessionFilter(filter) === ''
  const number = formats.number(shown.length)
  return (
    <>
      <div class="title">
        <h1>{words.title}</h1>
        <p class="soft" role="status">
          {isThere && (hasMore ? words.moreThan(number) : number)}
        </p>
      </div>
      <Figures />
      <Filters filter={filter} />
      {problem && <Alert problem={problem} />}
      {!isThere && !problem && <div class="virtual is-waiting" aria-busy="true" style={{ '--rows': 12 }} />}
      {isThere && !hasMore && shown.length === 0 && <Nothing isAll={isAll} />}
      {isThere && shown.length > 0 && (
        <List
          key={writeSessionFilter(filter)}
          filter={filter}
          rows={shown}
          nameOf={nameOf}
          at={at}
          onWant={setWanted}
        />
      )}
    </>
  )
}

function Nothing({ isAll }: { readonly isAll: boolean }) {
  const { sessions: words, common } = useLanguage().words
  return (
    <div class="empty">
      <h2>{isAll ? words.none : words.noMatch}</h2>
      {isAll ? (
        <p>
          {words.noneWhy} <a href={hrefs.cameras}>{words.look}</a>
        </p>
      ) : (
        <a class="button" href={hrefs.sessions}>
          {common.showAll}
        </a>
      )}
    </div>
  )
}

interface ListProps extends Pick<SessionsProps, 'filter'> {
  readonly rows: readonly SessionRow[]
  readonly nameOf: (id: string) => string
  readonly at: number | undefined
  /** So many rows are needed. */
  readonly onWant: (count: number) => void
}

/** Where somebody has scrolled to is in the address: Back, and a reload, lead there again. */
function List({ filter, rows, nameOf, at, onWant }: ListProps) {
  const { words } = useLanguage()
  const resting = useRef<ReturnType<typeof setTimeout>>(undefined)
  const place = useRef<number>(undefined)
  useEffect(() => () => clearTimeout(resting.current), [])
  const start = at === undefined ? 0 : rows.findIndex(({ startedAt }) => startedAt <= at)
  const note = (): void => {
    clearTimeout(resting.current)
    // The address may be on its way to another filter, or screen.
    const now = filterNow()
    if (now && writeSessionFilter(now) === writeSessionFilter(filter))
      history.replaceState(null, '', hrefs.sessionsOf(filter, place.current))
  }
  const onView = (first: number, last: number): void => {
    onWant(last)
    place.current = first === 0 ? undefined : rows[first]?.startedAt
    clearTimeout(resting.current)
    resting.current = setTimeout(note, restMs)
  }
  return (
    <VirtualList
      label={words.sessions.list}
      items={rows}
      rowHeight={rowHeight}
      keyOf={({ id }) => id}
      start={Math.max(0, start)}
      onView={onView}
    >
      {(row) => <Line row={row} name={nameOf(row.cameraId)} filter={filter} onOpen={note} />}
    </VirtualList>
  )
}

/** What the address says at this moment, which is drawn a moment later. */
function filterNow(): SessionFilter | undefined {
  const route = readRoute(location.hash)
  return route.screen === 'sessions' ? route.filter : undefined
}

/** What is chosen is in the address: it can be kept, sent, and gone back to. */
function Filters({ filter }: { readonly filter: SessionFilter }) {
  const { cameras, now } = useHouse()
  const { words: page } = useLanguage()
  const { sessions: words, activity } = page
  // Each letter that is typed is no place to go back to.
  const go = (field: string, value: string): void => {
    const query = new URLSearchParams(writeSessionFilter(filterNow() ?? filter))
    query.set(field, value)
    location.replace(hrefs.sessionsOf(readSessionFilter(query.toString())))
  }
  const select = (
    label: string,
    field: 'assistant' | 'camera' | 'outcome',
    value: string | undefined,
    options: readonly (readonly [string, string])[],
  ) => (
    <label>
      {label}
      <select value={value ?? ''} onChange={({ currentTarget }) => go(field, currentTarget.value)}>
        <option value="">{words.all}</option>
        {options.map(([one, name]) => (
          <option key={one} value={one}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
  const today = dayOf(now.value)
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      {select(
        words.filters.assistant,
        'assistant',
        filter.assistant,
        Object.entries({ ...page.assistants, console: page.thisPage }),
      )}
      {select(
        words.filters.camera,
        'camera',
        filter.cameraId,
        (cameras.value ?? []).map(({ id, name }) => [id, name]),
      )}
      {select(
        words.filters.outcome,
        'outcome',
        filter.outcome,
        outcomes.map((one) => [one, page.outcomes[one]]),
      )}
      <label>
        {activity.filters.day}
        <input
          type="date"
          value={filter.day ?? ''}
          min={nextDay(today, -keptDays)}
          max={today}
          onChange={({ currentTarget }) => go('day', currentTarget.value)}
        />
      </label>
      <label>
        {words.filters.find}
        <input
          type="search"
          placeholder={words.findHint}
          value={filter.find ?? ''}
          onInput={({ currentTarget }) => go('find', currentTarget.value)}
        />
      </label>
    </form>
  )
}

interface LineProps extends Pick<SessionsProps, 'filter'> {
  readonly row: SessionRow
  readonly name: string
  /** Before the address changes. */
  readonly onOpen: () => void
}

function Line({ row, name, filter, onOpen }: LineProps) {
  const { now } = useHouse()
  const { words, formats, nameOf } = useLanguage()
  const outcome = outcomeOf(row)
  const why = row.cause ?? row.hint
  return (
    <a class="line" href={hrefs.sessionFrom(row.id, filter)} onClick={onOpen}>
      <span class={`outcome ${outcome}`}>{words.outcomes[outcome]}</span>
      <span class="what">
        <bdi>
          <strong>{name}</strong>
        </bdi>{' '}
        <span class="soft">
          {words.onDisplay[row.assistant]}
          {row.guest !== undefined && ` ${words.byGuest(row.guest)}`}
          {row.recording && ` · ${words.ofRecording(formats.when(row.recording.from, now.value))}`}
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

/** Whether a row has all of these words, in whatever the reader sees of it, and in its ids. */
function hasWords(row: SessionRow, find: string, cameraName: (id: string) => string, spoken: Spoken): boolean {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return true
  const { id, assistant, cameraId, guest, reference, recording } = row
  const why = row.cause ?? row.hint
  const told = [
    id,
    spoken.words.assistants[assistant],
    recording && spoken.words.ofRecording(spoken.formats.dateOf(recording.from)),
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
