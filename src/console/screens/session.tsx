/** One session: its story as a waterfall and its one cause. */
import { useEffect, useState } from 'preact/hooks'
import { problemOf, type Problem } from 'transom-player'
import type { Session } from '../api.ts'
import { useHouse } from '../house.ts'
import type { Words } from '../language/en.ts'
import type { Formats } from '../language/formats.ts'
import { useLanguage } from '../language/language.ts'
import { Cause } from '../parts/cause.tsx'
import { Icon } from '../parts/icon.tsx'
import { useTitle } from '../parts/use-title.ts'
import { Waterfall } from '../parts/waterfall.tsx'
import { hrefs } from '../route.ts'
import type { SessionFilter } from '../sessions.ts'
import { storyOf } from '../timeline.ts'
import { outcomeOf } from '../words.ts'

interface SessionProps {
  readonly sessionId: string
  /** Of the list that led here. */
  readonly filter: SessionFilter
}

export function SessionScreen({ sessionId, filter }: SessionProps) {
  const { api, cameras, isUp, on } = useHouse()
  const { words: all, formats } = useLanguage()
  const { session: words } = all
  const [session, setSession] = useState<Session>()
  const [problem, setProblem] = useState<Problem>()
  useEffect(() => {
    const off = on('session', (one) => one.id === sessionId && setSession(one))
    api.session(sessionId).then(setSession, (error: unknown) => setProblem(problemOf(error)))
    return off
  }, [sessionId, isUp.value])
  const camera = cameras.value?.find(({ id }) => id === session?.cameraId)
  const name = camera?.name ?? session?.cameraId
  const title = session ? words.title(name ?? '', all.onDisplay[session.assistant]) : words.one
  useTitle(title)
  return (
    <>
      <div class="title">
        <a class="round" href={hrefs.sessionsOf(filter, session?.startedAt)} aria-label={all.sessions.back}>
          <Icon name="back" />
        </a>
        <h1>{title}</h1>
        {session && <span class={`outcome ${outcomeOf(session)}`}>{all.outcomes[outcomeOf(session)]}</span>}
      </div>
      {!session && problem && <Cause cause={problem} />}
      {session && (
        <div class="card session">
          <dl class="facts">
            <Fact name={words.began} value={momentOf(session.startedAt, formats)} />
            <Fact
              name={words.answeredAfter}
              value={session.answerMs === undefined ? words.never : formats.ms(session.answerMs)}
            />
            {session.recording ? (
              <Fact name={words.recordingOf} value={momentOf(session.recording.from, formats)} />
            ) : (
              <Fact name={all.common.talkBack} value={talkBackOf(session, words, formats)} />
            )}
            <Fact name={words.one} value={session.id} />
          </dl>
          {session.cause && <Cause cause={session.cause} isGuest={camera?.isOwner === false} />}
          {session.hint && <Cause cause={session.hint} isHint />}
          <h2>{all.common.timeline}</h2>
          <Waterfall title={words.timelineOf(session.id)} steps={storyOf({ bridge: session.timeline })} />
        </div>
      )}
    </>
  )
}

const momentOf = (at: number, { dateOf, timeOfDay }: Formats): string => `${dateOf(at)}, ${timeOfDay(at)}`

function talkBackOf({ heard, mayTalk }: Session, words: Words['session'], formats: Formats): string {
  if (heard?.isWaiting) return words.waiting
  const delay = heard?.delayMs === undefined ? '' : `, ${words.delay(formats.ms(heard.delayMs))}`
  if (heard && heard.packets > 0) return `${words.received(heard.packets)}${delay}`
  return mayTalk ? words.silent : words.impossible
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}
