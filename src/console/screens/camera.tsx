/** One camera, live, with the story of the view beside it. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { PlayerState, PlayerStats, PlayerStep, TransomPlayer } from 'transom-player'
import type { Camera, Session } from '../api.ts'
import { useHouse } from '../house.ts'
import { useLanguage } from '../language/language.ts'
import { Cause } from '../parts/cause.tsx'
import { EventsFault } from '../parts/events-fault.tsx'
import { FailedServers } from '../parts/failed-servers.tsx'
import { Icon } from '../parts/icon.tsx'
import { PauseRecording } from '../parts/pause-recording.tsx'
import { OnlineState, RecordingState } from '../parts/state.tsx'
import { TestMenu } from '../parts/test-menu.tsx'
import { useTitle } from '../parts/use-title.ts'
import { useSession } from '../parts/use-session.ts'
import { Waterfall } from '../parts/waterfall.tsx'
import { hrefs } from '../route.ts'
import { storyOf, summaryOf } from '../timeline.ts'

type Link = { readonly [Fact in 'route' | 'height']?: PlayerStats[Fact] | undefined }

interface CameraProps {
  readonly cameraId: string
  /** Somebody has answered the door, and speaks as soon as there is a connection. */
  readonly talk?: true
  /** What was recorded is wanted, from this instant on, instead of what happens now. */
  readonly at?: number
}

export function CameraScreen(props: CameraProps) {
  const { cameraId } = props
  const { cameras } = useHouse()
  const { words, formats } = useLanguage()
  const camera = cameras.value?.find(({ id }) => id === cameraId)
  const name = camera?.name
  useTitle(name ?? words.camera.title)
  const { holder, state, steps, link, reference } = usePlayer(camera, props)
  const session = useSession((one) => one.reference === reference, reference)
  // The gateway knows better why there is nothing to be seen.
  const fault = camera?.fault ?? (state.state === 'live' ? state.fault : undefined)

  if (cameras.value !== undefined && camera === undefined)
    return (
      <>
        <h1>{words.camera.none}</h1>
        <p>
          {words.camera.noneWhy} <a href={hrefs.cameras}>{words.frame.toCameras}</a>
        </p>
      </>
    )
  return (
    <>
      <div class="title">
        <a class="round" href={hrefs.cameras} aria-label={words.frame.backToCameras}>
          <Icon name="back" />
        </a>
        <h1>{name ?? ' '}</h1>
        {camera && <OnlineState camera={camera} />}
        {camera && <RecordingState camera={camera} />}
      </div>
      <div class="watching">
        <div class="stage">
          <div class="player" ref={holder} />
          {camera && (
            <div class="doings">
              <TestMenu camera={camera} />
              {camera.isOwner && camera.records && <PauseRecording camera={camera} />}
              {camera.mayViewRecordings && (
                <a class="button" href={hrefs.activity({ cameraId })}>
                  {words.activity.title}
                </a>
              )}
            </div>
          )}
          {camera && <Facts camera={camera} session={session} />}
        </div>
        {state.state === 'reconnecting' || state.state === 'failed' ? (
          <Cause cause={session?.cause ?? state.problem} isGuest={camera?.isOwner === false} />
        ) : (
          fault && <Cause cause={fault} isGuest={camera?.isOwner === false} />
        )}
        {camera?.eventsFault && <EventsFault fault={camera.eventsFault} />}
        {camera?.failedServers && <FailedServers servers={camera.failedServers} />}
        <details class="story">
          <summary>{summaryOf(steps, link, words.story, formats)}</summary>
          {session && <a href={hrefs.session(session.id)}>{words.common.openSession}</a>}
          <Waterfall
            title={words.camera.timelineOf(name ?? '')}
            steps={storyOf({ bridge: session?.timeline ?? [], display: steps })}
          />
        </details>
      </div>
    </>
  )
}

/** A player of the camera in `holder`, what it does, and the story of its view. It plays as soon as the camera's name is known. */
function usePlayer(camera: Camera | undefined, { cameraId, talk, at }: CameraProps) {
  const { signIn } = useHouse()
  const { language } = useLanguage()
  const name = camera?.name
  const holder = useRef<HTMLDivElement>(null)
  const playing = useRef<TransomPlayer>(null)
  const [state, setState] = useState<PlayerState>({ state: 'idle' })
  const [steps, setSteps] = useState<readonly PlayerStep[]>([])
  const [link, setLink] = useState<Link>({})
  const [reference, setReference] = useState<string>()
  useEffect(() => {
    if (name === undefined) return
    const player = document.createElement('transom-player')
    player.setAttribute('camera', cameraId)
    player.setAttribute('label', name)
    if (camera?.mayViewRecordings) player.setAttribute('timeline', '')
    player.token = signIn.token
    player.addEventListener('transom-state', ({ detail }) => setState(detail))
    playing.current = player
    player.addEventListener('transom-stats', ({ detail: { route, height } }) =>
      setLink((before) => (before.route === route && before.height === height ? before : { route, height })),
    )
    player.addEventListener('transom-view', ({ detail }) => setReference(detail.reference))
    player.addEventListener('transom-step', ({ detail }) =>
      // A new view is a new story.
      setSteps((before) => (detail.step === 'view-asked' ? [detail] : [...before, detail])),
    )
    holder.current?.append(player)
    return () => player.remove()
  }, [cameraId, name === undefined])
  useEffect(() => {
    // Another address, such as one that the browser goes back to, leads the same player elsewhere.
    if (at === undefined) playing.current?.live()
    else playing.current?.seek(at)
  }, [cameraId, name === undefined, at])
  useEffect(() => {
    if (playing.current) playing.current.lang = language
  }, [language, name === undefined])
  useEffect(() => {
    // The player asks now and then; the page knows at once.
    if (camera?.isOnline && state.state === 'reconnecting') playing.current?.play()
  }, [camera?.isOnline])
  useEffect(() => {
    if (talk && state.state === 'live') playing.current?.talk(true)
  }, [talk, state.state])
  return { holder, state, steps, link, reference }
}

/** What the camera is, who rang last, and whether it plays what the viewer says. */
function Facts({ camera, session }: { readonly camera: Camera; readonly session: Session | undefined }) {
  const { now } = useHouse()
  const { words, formats } = useLanguage()
  return (
    <dl class="facts">
      <div>
        <dt>{words.camera.model}</dt>
        <dd>
          {camera.manufacturer} {camera.model}
        </dd>
      </div>
      {camera.reencoding && (
        <div>
          <dt>{words.camera.reencoded}</dt>
          <dd>
            {camera.reencoding.percent === undefined
              ? camera.reencoding.of
              : words.camera.reencodedCost(camera.reencoding.of, formats.percent(camera.reencoding.percent / 100))}
          </dd>
        </div>
      )}
      {camera.lastPressAt !== undefined && (
        <div>
          <dt>{words.camera.rang}</dt>
          <dd>{formats.ago(camera.lastPressAt, now.value)}</dd>
        </div>
      )}
      {session?.heard && session.heard.packets > 0 && (
        <div>
          <dt>{words.camera.plays}</dt>
          <dd>
            {words.camera.packets(session.heard.packets)}
            {session.heard.level !== undefined && `, ${words.camera.loud(formats.percent(session.heard.level))}`}
          </dd>
        </div>
      )}
    </dl>
  )
}
