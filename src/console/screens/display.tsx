/** An Echo Show or a Nest Hub in the browser, with what it does and what the bridge does for it beside it. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { holdToTalk, type PlayerStep } from 'transom-player'
import type { Assistant } from '../api.ts'
import { useHouse, type Told } from '../house.ts'
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
import { assistantNames, deviceNames } from '../words.ts'

interface DisplayScreenProps {
  readonly assistant: Assistant
  readonly cameraId: string
  /** What went wrong on the way back from linking. */
  readonly problem?: string
}

const tellers = {
  alexa: { cloud: 'Amazon’s cloud', display: 'Echo Show' },
  google: { cloud: 'Google’s cloud', display: 'Nest Hub' },
} as const

export function DisplayScreen({ assistant, cameraId, problem }: DisplayScreenProps) {
  const { api, cameras, isUp, me } = useHouse()
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
  const device = deviceNames[assistant]
  const title = `${name} on ${assistant === 'alexa' ? 'an' : 'a'} ${device}`
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
        <a class="round" href={hrefs.cameras} aria-label="Back to the cameras">
          <Icon name="back" />
        </a>
        <h1>{title}</h1>
      </div>
      {!me.canSimulate && (
        <p class="notice">This bridge does not play displays: it speaks to the real ones (TRANSOM_SIMULATOR).</p>
      )}
      {problem !== undefined && (
        <p class="alert" role="alert">
          Linking did not work: {problem}
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
              <p>
                The {device} does not know your cameras yet. Link it once, as the {assistantNames[assistant]} app would:
                over the bridge’s own sign-in and consent page.
              </p>
              <button type="button" class="button primary" onClick={() => void link().catch(complain)}>
                <Icon name="link" /> Link {assistantNames[assistant]}
              </button>
            </div>
          )}
          {isLinked === true && (
            <div class="doings">
              {isShown ? (
                <button type="button" class="button" onClick={stop}>
                  <Icon name="stop" /> {assistant === 'alexa' ? '“Alexa, stop”' : '“Hey Google, stop”'}
                </button>
              ) : (
                <button type="button" class="button primary" onClick={show}>
                  {assistant === 'alexa' ? `“Alexa, show the ${name}”` : `“Hey Google, show the ${name}”`}
                </button>
              )}
              {phase === 'live' && showing.canTalk && <TalkButton talk={talk} isTalking={isTalking(showing.display)} />}
              {camera?.isOwner && camera.kind === 'doorbell' && <RingButton camera={camera} />}
            </div>
          )}
          <p class="soft small">
            The picture, the sound and every message are real: your browser is the display, and the bridge’s simulator
            is {assistant === 'alexa' ? 'Amazon' : 'Google'}’s cloud.
          </p>
        </div>
        <section class="story" aria-labelledby="story">
          <div class="title">
            <h2 id="story">Timeline</h2>
            {session && <a href={hrefs.session(session.id)}>Open the session</a>}
          </div>
          {phase === 'failed' && cause && <Cause cause={cause} />}
          <Waterfall
            title={`Timeline of ${name} on the ${device}`}
            steps={storyOf({ ...showing, bridge: session?.timeline ?? [] })}
            tellers={tellers[assistant]}
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
    <button
      type="button"
      ref={button}
      class="button talk"
      aria-pressed="false"
      aria-label="Talk: hold, or tap to keep talking"
    >
      <Icon name="microphone" /> Talk
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
