/** An Echo Show or a Nest Hub in the browser, with what it does and what the bridge does for it beside it. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { holdToTalk, type PlayerStep } from 'transom-player'
import type { Assistant } from '../api.ts'
import { useHouse, type Told } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { Cause } from '../parts/cause.tsx'
import { playChime } from '../parts/chime.ts'
import { DeviceFrame, type Announcement } from '../parts/device-frame.tsx'
import { Icon } from '../parts/icon.tsx'
import { RingButton } from '../parts/ring-button.tsx'
import { useToast } from '../parts/toast.tsx'
import { useDisplay } from '../parts/use-display.ts'
import { useTitle } from '../parts/use-title.ts'
import { useSession } from '../parts/use-session.ts'
import { Waterfall } from '../parts/waterfall.tsx'
import { hrefs } from '../route.ts'
import { storyOf } from '../timeline.ts'

interface DisplayScreenProps {
  readonly assistant: Assistant
  readonly cameraId: string
  /** What went wrong on the way back from linking. */
  readonly problem?: string
}

export function DisplayScreen({ assistant, cameraId, problem }: DisplayScreenProps) {
  const { api, cameras, isUp, me } = useHouse()
  const { words: all } = useLanguage()
  const { display: words } = all
  const { complain } = useToast()
  const { video, showing, show, stop, talk } = useDisplay(assistant, cameraId)
  const [isLinked, setLinked] = useState<boolean>()
  const { phase, reference, sessionId } = showing
  const session = useSession(
    (one) => one.id === sessionId || (reference !== undefined && one.reference === reference),
    sessionId ?? reference,
  )
  const camera = cameras.value?.find(({ id }) => id === cameraId)
  const name = camera?.name ?? cameraId
  const title = words.title(name, assistant)
  useTitle(title)
  const isShown = phase === 'asking' || phase === 'live'

  const announcement = useAnnouncement(assistant, cameraId)
  // Also when the bridge is back: one that restarts has forgotten them.
  useEffect(() => {
    if (me.canSimulate && isUp.value) api.links().then((links) => setLinked(links[assistant].linked), complain)
  }, [isUp.value])
  async function link(): Promise<void> {
    const { url } = await api.link(assistant, hrefs.display(assistant, cameraId))
    location.assign(url)
  }
  const cause = session?.cause ?? showing.problem
  return (
    <>
      <div class="title">
        <a class="round" href={hrefs.cameras} aria-label={all.frame.backToCameras}>
          <Icon name="back" />
        </a>
        <h1>{title}</h1>
      </div>
      {!me.canSimulate && <p class="notice">{words.noSimulator}</p>}
      {problem !== undefined && (
        <p class="alert" role="alert">
          {words.linkFailed(problem)}
        </p>
      )}
      <div class="watching is-beside">
        <div class="stage">
          <DeviceFrame
            assistant={assistant}
            cameraName={name}
            video={video}
            phase={phase}
            {...(announcement && { announcement })}
            onShow={show}
          />
          {isLinked === false && (
            <div class="notice">
              <p>{words.unlinked[assistant]}</p>
              <button type="button" class="button primary" onClick={() => void link().catch(complain)}>
                <Icon name="link" /> {words.link[assistant]}
              </button>
            </div>
          )}
          {isLinked === true && (
            <div class="doings">
              {isShown ? (
                <button type="button" class="button" onClick={stop}>
                  <Icon name="stop" /> {words.stop[assistant]}
                </button>
              ) : (
                <button type="button" class="button primary" onClick={show}>
                  {words.ask(name, assistant)}
                </button>
              )}
              {phase === 'live' && showing.canTalk && <TalkButton talk={talk} isTalking={isTalking(showing.display)} />}
              {camera?.isOwner && camera.kind === 'doorbell' && <RingButton camera={camera} />}
            </div>
          )}
          <p class="soft small">{words.isReal[assistant]}</p>
        </div>
        <section class="story" aria-labelledby="story">
          <div class="title">
            <h2 id="story">{all.common.timeline}</h2>
            {session && <a href={hrefs.session(session.id)}>{all.common.openSession}</a>}
          </div>
          {phase === 'failed' && cause && <Cause cause={cause} />}
          <Waterfall
            title={words.timelineOf(name, assistant)}
            steps={storyOf({ ...showing, bridge: session?.timeline ?? [] })}
            tellers={{ cloud: words.clouds[assistant], display: words.names[assistant] }}
          />
        </section>
      </div>
    </>
  )
}

/** The browser's last word on it. */
const isTalking = (steps: readonly PlayerStep[]): boolean =>
  steps.findLast(({ step }) => step === 'talking' || step === 'talk-ended')?.step === 'talking'

interface TalkButtonProps {
  readonly talk: (on: boolean) => Promise<void>
  readonly isTalking: boolean
}

function TalkButton({ talk, isTalking }: TalkButtonProps) {
  const { display } = useLanguage().words
  const button = useRef<HTMLButtonElement>(null)
  const { complain } = useToast()
  useEffect(() => {
    if (button.current) holdToTalk(button.current, talk, complain)
  }, [])
  // The microphone may also be taken away.
  useEffect(() => {
    if (!isTalking) button.current?.setAttribute('aria-pressed', 'false')
  }, [isTalking])
  return (
    <button type="button" ref={button} class="button talk" aria-pressed="false" aria-label={display.holdToTalk}>
      <Icon name="microphone" /> {display.talk}
    </button>
  )
}

const announcedMs = 12_000

/** What the assistant's cloud makes the display say, for as long as a display says it. */
function useAnnouncement(assistant: Assistant, cameraId: string): Announcement | undefined {
  const { on, press } = useHouse()
  const { complain } = useToast()
  const [told, setTold] = useState<Told['announced']>()
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const offs = [
      on('complaint', (complaint) => complaint.assistant === assistant && complain(new Error(complaint.message))),
      on('announced', (announced) => {
        if (announced.assistant !== assistant || announced.cameraId !== cameraId) return
        setTold(announced)
        playChime()
        clearTimeout(timer)
        timer = setTimeout(() => setTold(undefined), announcedMs)
      }),
    ]
    return () => {
      clearTimeout(timer)
      for (const off of offs) off()
    }
  }, [])
  if (told === undefined) return undefined
  // Alexa was told the second only; the page knows more of the same press.
  const { at, pressedAt } = told
  const own = press.value?.cameraId === cameraId ? press.value.at : 0
  const isSame = Math.floor(own / 1_000) === Math.floor(pressedAt / 1_000)
  return isSame ? { ms: Math.max(0, at - own) } : {}
}
