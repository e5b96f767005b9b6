/** One entry of what happened: a picture, a word, and the clip, which plays in its place. */
import { useState } from 'preact/hooks'
import type { ActivityEntry } from 'transom-core/wire/api'
import { answerOf, beginOf, headOf } from '../activity.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { Clip } from './clip.tsx'
import { Icon } from './icon.tsx'
import { Menu } from './menu.tsx'
import { Picture } from './picture.tsx'
import { useToast } from './toast.tsx'
import { hrefs } from '../route.ts'

interface VisitProps {
  readonly entry: ActivityEntry
  readonly onRemove: () => void
  readonly onShare: () => void
}

export function Visit({ entry, onRemove, onShare }: VisitProps) {
  const { api, cameras } = useHouse()
  const { activity } = useLanguage().words
  const { complain } = useToast()
  const [isPlaying, setPlaying] = useState(false)
  const { cameraId, recording } = entry
  const camera = cameras.value?.find(({ id }) => id === cameraId)
  const says = useSentence(entry)
  const what = `${camera?.name ?? cameraId}: ${says}`
  const begin = beginOf(entry)
  async function download(): Promise<void> {
    if (!recording) return
    const { url } = await api.clipAddress(cameraId, recording.id)
    // It comes as an attachment: the page stays.
    location.assign(`${url}?download`)
  }
  return (
    <li class="visit">
      {recording ? (
        <button
          type="button"
          class="thumb"
          aria-label={activity.playOf(what)}
          aria-expanded={isPlaying}
          onClick={() => setPlaying(!isPlaying)}
        >
          <Thumbnail entry={entry} />
          <span class="glyph">
            <Icon name={isPlaying ? 'close' : 'live'} />
          </span>
        </button>
      ) : (
        <Face entry={entry} />
      )}
      <p class="what">
        <strong>{says}</strong>
        <br />
        <Details entry={entry} />
        {begin !== undefined && (
          <>
            <br />
            <a class="small" href={hrefs.recorded(cameraId, begin)} aria-label={activity.inPlayerOf(what)}>
              {activity.inPlayer}
            </a>
          </>
        )}
      </p>
      {recording && (
        <Menu label={activity.moreOf(what)} face={<Icon name="more" />}>
          <button type="button" onClick={() => void download().catch(complain)}>
            {activity.download}
          </button>
          {camera?.isOwner && (
            <>
              <button type="button" onClick={onShare}>
                {activity.shareLink}
              </button>
              <button type="button" class="bad" onClick={onRemove}>
                {activity.removeOne}
              </button>
            </>
          )}
        </Menu>
      )}
      {recording && isPlaying && <Clip entry={entry} recording={recording} label={what} />}
    </li>
  )
}

const icons = { press: 'bell', person: 'person', motion: 'motion', recorded: 'live' } as const

/** The picture of what was recorded, or a sign for what was not. */
export function Face({ entry }: { readonly entry: ActivityEntry }) {
  if (!entry.recording)
    return (
      <span class="thumb is-plain">
        <Icon name={icons[headOf(entry).kind]} />
      </span>
    )
  return (
    <span class="thumb">
      <Thumbnail entry={entry} />
    </span>
  )
}

/** One that is open may have none yet. */
function Thumbnail({ entry: { cameraId, recording } }: { readonly entry: ActivityEntry }) {
  const { api } = useHouse()
  const of = recording && `${cameraId} ${recording.id} ${recording.isOpen}`
  return <Picture of={of} load={(signal) => api.thumbnail(cameraId, recording?.id ?? 0, signal)} />
}

/** `Rang, 21:14, nobody answered`. */
export function useSentence(entry: ActivityEntry): string {
  const { cameras, sessions, sessionsSince, now } = useHouse()
  const { words, formats } = useLanguage()
  const { activity } = words
  const { kind, ...head } = headOf(entry)
  const times = entry.events.filter((event) => event.kind === kind).map((event) => formats.clock(event.at))
  const isOwner = cameras.value?.find(({ id }) => id === entry.cameraId)?.isOwner === true
  const answer =
    kind === 'press'
      ? answerOf({ cameraId: entry.cameraId, ...head }, sessions.value ?? [], {
          now: now.value,
          isOwner,
          since: sessionsSince.value,
        })
      : undefined
  const seen = times.length === 0 ? [formats.clock(head.at)] : [...new Set(times)].slice(0, mostTimes)
  return [activity.heads[kind], seen.join(' · '), ...(answer ? [activity.answers[answer]] : [])].join(', ')
}

const mostTimes = 4

/** The camera, what else happened, how long the clip is. */
export function Details({ entry }: { readonly entry: ActivityEntry }) {
  const { cameras } = useHouse()
  const { words, formats } = useLanguage()
  const { cameraId, events, recording } = entry
  const others = [...new Set(events.map(({ kind }) => kind))].filter((kind) => kind !== headOf(entry).kind)
  const name = cameras.value?.find(({ id }) => id === cameraId)?.name ?? cameraId
  const told = [
    ...others.map((kind) => words.activity.also[kind]),
    ...(recording ? [recording.isOpen ? words.state.recording : formats.duration(recording.to - recording.from)] : []),
  ]
  return (
    <span class="soft small">
      <bdi>{name}</bdi>
      {told.map((one) => ` · ${one}`)}
    </span>
  )
}
