/** One session: its story as a waterfall and its one cause. */
import { useEffect, useState } from 'preact/hooks'
import { problemOf, type Problem } from 'transom-player'
import type { Session } from '../api.ts'
import { useHouse } from '../house.ts'
import { Cause } from '../parts/cause.tsx'
import { Icon } from '../parts/icon.tsx'
import { useTitle } from '../parts/use-title.ts'
import { Waterfall } from '../parts/waterfall.tsx'
import { hrefs } from '../route.ts'
import { storyOf } from '../timeline.ts'
import { assistantNames, dateOf, outcomeNames, outcomeOf, timeOfDay } from '../words.ts'

export function SessionScreen({ sessionId }: { readonly sessionId: string }) {
  const { api, cameras, isUp, on } = useHouse()
  const [session, setSession] = useState<Session>()
  const [problem, setProblem] = useState<Problem>()
  useEffect(() => {
    const off = on('session', (one) => one.id === sessionId && setSession(one))
    api.session(sessionId).then(setSession, (error: unknown) => setProblem(problemOf(error)))
    return off
  }, [sessionId, isUp.value])
  const name = cameras.value?.find(({ id }) => id === session?.cameraId)?.name ?? session?.cameraId
  const title = session ? `${name} on ${assistantNames[session.assistant]}` : 'Session'
  useTitle(title)
  return (
    <>
      <div class="title">
        <a class="round" href={hrefs.sessions} aria-label="Back to the sessions">
          <Icon name="back" />
        </a>
        <h1>{title}</h1>
        {session && <span class={`outcome ${outcomeOf(session)}`}>{outcomeNames[outcomeOf(session)]}</span>}
      </div>
      {!session && problem && <Cause cause={problem} />}
      {session && (
        <div class="card session">
          <dl class="facts">
            <Fact name="Began" value={`${dateOf(session.startedAt)}, ${timeOfDay(session.startedAt)}`} />
            <Fact name="Answered after" value={session.answerMs === undefined ? 'never' : `${session.answerMs} ms`} />
            <Fact name="Talk-back" value={talkBackOf(session)} />
            <Fact name="Session" value={session.id} />
          </dl>
          {session.cause && <Cause cause={session.cause} />}
          {session.hint && <Cause cause={session.hint} isHint />}
          <h2>Timeline</h2>
          <Waterfall title={`Timeline of session ${session.id}`} steps={storyOf({ bridge: session.timeline })} />
        </div>
      )}
    </>
  )
}

function talkBackOf({ heard, mayTalk }: Session): string {
  if (heard?.isWaiting) return 'waiting: somebody else is talking'
  const delay = heard?.delayMs === undefined ? '' : `, ${heard.delayMs} ms after they came`
  if (heard && heard.packets > 0) return `${heard.packets} packets heard${delay}`
  return mayTalk ? 'none heard' : 'not possible: the camera has no speaker, or talking is not allowed'
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}
