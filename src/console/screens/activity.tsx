/** What happened at the cameras: visitors and events, filtered by what the address says, day by day. */
import { useState } from 'preact/hooks'
import type { ActivityEntry } from 'transom-core/wire/api'
import { dayOf, kinds, nextDay, spanOf, type ActivityFilter } from '../activity.ts'
import type { Camera } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { Alert } from '../parts/alert.tsx'
import { Icon } from '../parts/icon.tsx'
import { Menu } from '../parts/menu.tsx'
import { useToast } from '../parts/toast.tsx'
import { useActivity } from '../parts/use-activity.ts'
import { useTitle } from '../parts/use-title.ts'
import { Visit } from '../parts/visit.tsx'
import { hrefs } from '../route.ts'
import { RemoveRecordings, type Removal } from './remove-recordings.tsx'
import { ShareClip } from './share-clip.tsx'

type Open = { readonly removal: Removal } | { readonly share: ActivityEntry }

export function ActivityScreen({ filter }: { readonly filter: ActivityFilter }) {
  const { cameras } = useHouse()
  const { words, formats } = useLanguage()
  const { activity } = words
  const { complain } = useToast()
  const [open, setOpen] = useState<Open>()
  const { entries, hasMore, more, problem } = useActivity(filter)
  useTitle(activity.title)
  const shown = cameras.value?.filter(({ mayViewRecordings }) => mayViewRecordings) ?? []
  const camera = shown.find(({ id }) => id === filter.cameraId)
  const close = (): void => setOpen(undefined)
  const nameOf = (id: string): string => shown.find((one) => one.id === id)?.name ?? id
  const remove = ({ cameraId, recording }: ActivityEntry): void => {
    if (!recording) return
    const what = activity.oneOf(
      nameOf(cameraId),
      `${formats.longDay(recording.from)}, ${formats.clock(recording.from)}`,
    )
    setOpen({ removal: { cameraId, what, which: recording.id } })
  }
  return (
    <>
      <div class="title">
        <h1>{activity.title}</h1>
        {camera?.isOwner && <RemoveMany camera={camera} filter={filter} onRemove={(removal) => setOpen({ removal })} />}
      </div>
      <Filters filter={filter} cameras={shown} />
      {problem && <Alert problem={problem} />}
      {entries?.length === 0 && <Nothing filter={filter} isRecorded={shown.some(({ records }) => records)} />}
      {byDay(entries ?? []).map(([day, some]) => (
        <section key={day} aria-label={formats.longDay(some[0]?.at ?? 0)}>
          <h2 class="day">{formats.longDay(some[0]?.at ?? 0)}</h2>
          <ul class="visits card">
            {some.map((entry) => (
              <Visit
                key={`${entry.cameraId} ${entry.recording?.id ?? entry.at}`}
                entry={entry}
                onRemove={() => remove(entry)}
                onShare={() => setOpen({ share: entry })}
              />
            ))}
          </ul>
        </section>
      ))}
      {hasMore && (
        <button type="button" class="button more" onClick={() => void more().catch(complain)}>
          {activity.more}
        </button>
      )}
      {open && 'removal' in open && <RemoveRecordings {...open.removal} onClose={close} />}
      {open && 'share' in open && <ShareClip entry={open.share} name={nameOf(open.share.cameraId)} onClose={close} />}
    </>
  )
}

const byDay = (entries: readonly ActivityEntry[]): readonly (readonly [string, readonly ActivityEntry[]])[] => [
  ...Map.groupBy(entries, ({ at }) => dayOf(at)),
]

interface FiltersProps {
  readonly filter: ActivityFilter
  readonly cameras: readonly Camera[]
}

/** What is chosen is in the address: it can be kept, sent, and gone back to. */
function Filters({ filter, cameras }: FiltersProps) {
  const { now } = useHouse()
  const { activity, sessions } = useLanguage().words
  const { cameraId, kind, day } = filter
  const go = (to: Partial<Record<keyof ActivityFilter, string>>): void => {
    const { cameraId: id = cameraId, kind: what = kind, day: date = day } = to
    location.hash = hrefs.activity({
      ...(id && { cameraId: id }),
      ...(what && { kind: kinds.find((one) => one === what) ?? 'recorded' }),
      ...(date && { day: date }),
    })
  }
  const today = dayOf(now.value)
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label>
        {activity.filters.camera}
        <select value={cameraId ?? ''} onChange={({ currentTarget }) => go({ cameraId: currentTarget.value })}>
          <option value="">{sessions.all}</option>
          {cameras.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {activity.filters.kind}
        <select value={kind ?? ''} onChange={({ currentTarget }) => go({ kind: currentTarget.value })}>
          <option value="">{activity.allEvents}</option>
          {kinds.map((one) => (
            <option key={one} value={one}>
              {activity.kinds[one]}
            </option>
          ))}
        </select>
      </label>
      <label>
        {activity.filters.day}
        <input
          type="date"
          value={day ?? ''}
          max={today}
          onChange={({ currentTarget }) => go({ day: currentTarget.value })}
        />
      </label>
      {day !== undefined && (
        <div class="days">
          <button type="button" class="button" onClick={() => go({ day: nextDay(day, -1) })}>
            {activity.dayBefore}
          </button>
          {day < today && (
            <button type="button" class="button" onClick={() => go({ day: nextDay(day, 1) })}>
              {activity.dayAfter}
            </button>
          )}
        </div>
      )}
    </form>
  )
}

interface RemoveManyProps {
  readonly camera: Camera
  readonly filter: ActivityFilter
  readonly onRemove: (removal: Removal) => void
}

function RemoveMany({ camera: { id: cameraId, name }, filter: { day }, onRemove }: RemoveManyProps) {
  const { words, formats } = useLanguage()
  const { activity } = words
  const span = day === undefined ? undefined : spanOf(day)
  return (
    <Menu label={activity.deleteOf(name)} face={<Icon name="more" />}>
      {span && (
        <button
          type="button"
          class="bad"
          onClick={() => onRemove({ cameraId, what: activity.allOf(name, formats.longDay(span.from)), which: span })}
        >
          {activity.removeDay}
        </button>
      )}
      <button
        type="button"
        class="bad"
        onClick={() => onRemove({ cameraId, what: activity.everythingOf(name), which: 'all' })}
      >
        {activity.removeAll}
      </button>
    </Menu>
  )
}

/** Why the list is empty, and what would fill it. */
function Nothing({ filter, isRecorded }: { readonly filter: ActivityFilter; readonly isRecorded: boolean }) {
  const { activity, common } = useLanguage().words
  const isFiltered = Object.keys(filter).length > 0
  return (
    <div class="empty">
      <h2>{isFiltered ? activity.noMatch : activity.none}</h2>
      <p>{isRecorded ? activity.noneWhy : activity.switchOn}</p>
      {isFiltered && (
        <a class="button" href={hrefs.activity({})}>
          {common.showAll}
        </a>
      )}
    </div>
  )
}
