/** The frame around every screen, and the screen that the address names. */
import type { ReadonlySignal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useHouse } from './house.ts'
import { useLanguage } from './language/language.ts'
import { Brand } from './parts/brand.tsx'
import { LanguageChoice } from './parts/language-choice.tsx'
import { Menu } from './parts/menu.tsx'
import { Notices } from './parts/notices.tsx'
import { Toasts } from './parts/toast.tsx'
import { Visitor } from './parts/visitor.tsx'
import { hrefs, type Route } from './route.ts'
import { beginSignIn } from './sign-in.ts'
import { ActivityScreen } from './screens/activity.tsx'
import { CameraScreen } from './screens/camera.tsx'
import { CamerasScreen } from './screens/cameras.tsx'
import { DisplayScreen } from './screens/display.tsx'
import { Notifications } from './screens/notifications.tsx'
import { SessionScreen } from './screens/session.tsx'
import { SessionsScreen } from './screens/sessions.tsx'
import { initialOf } from './words.ts'

export function App({ route }: { readonly route: ReadonlySignal<Route> }) {
  const { me, signIn } = useHouse()
  const { frame } = useLanguage().words
  const current = route.value
  const isAtSessions = current.screen === 'sessions' || current.screen === 'session'
  const isAtActivity = current.screen === 'activity'
  const [isNotifying, setNotifying] = useState(false)
  const main = useRef<HTMLElement>(null)
  const isFirst = useRef(true)
  const place = `${current.screen} ${current.screen === 'camera' || current.screen === 'display' ? current.cameraId : ''}`
  useEffect(() => {
    // Whoever cannot see that the screen has changed is told so.
    if (!isFirst.current) main.current?.focus()
    isFirst.current = false
    scrollTo(0, 0)
  }, [place])
  return (
    <Toasts>
      <a class="skip" href="#content" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        {frame.skip}
      </a>
      <header class="top">
        <Brand />
        <nav aria-label={frame.screens}>
          <a href={hrefs.cameras} aria-current={isAtSessions || isAtActivity ? undefined : 'page'}>
            {frame.cameras}
          </a>
          <a href={hrefs.activity({})} aria-current={isAtActivity ? 'page' : undefined}>
            {frame.activity}
          </a>
          <a href={hrefs.sessions} aria-current={isAtSessions ? 'page' : undefined}>
            {frame.sessions}
          </a>
        </nav>
        <Menu
          label={frame.accountOf(me.name)}
          face={
            <span class="initial" aria-hidden="true">
              {initialOf(me.name)}
            </span>
          }
        >
          <p>
            <strong>{me.name}</strong>
            <br />
            <span class="soft">{me.login}</span>
          </p>
          <a href="/oauth/account">{frame.account}</a>
          {me.canNotify && (
            <button type="button" onClick={() => setNotifying(true)}>
              {frame.notifications}
            </button>
          )}
          <LanguageChoice />
          <button type="button" onClick={() => void signIn.signOut()}>
            {frame.signOut}
          </button>
        </Menu>
      </header>
      <Outage />
      {/* A display says it by itself. */}
      {current.screen !== 'display' && <Visitor />}
      <main id="content" ref={main} tabIndex={-1}>
        <Notices />
        <Screen route={current} />
        {isNotifying && <Notifications onClose={() => setNotifying(false)} />}
      </main>
    </Toasts>
  )
}

const outageMs = 2_000

/** What keeps the whole page from going on. */
function Outage() {
  const { isUp, signIn } = useHouse()
  const { frame } = useLanguage().words
  const isOver = signIn.isOver.value
  const [isDown, setDown] = useState(false)
  useEffect(() => {
    // The stream ends with its token, each hour, and begins again with the next: that is none.
    const timer = setTimeout(() => setDown(!isUp.value), isUp.value ? 0 : outageMs)
    return () => clearTimeout(timer)
  }, [isUp.value])
  return (
    <div class={isDown || isOver ? 'outage' : 'outage is-over'} role="status">
      {isOver ? (
        <>
          {frame.signedOut}
          <button type="button" class="button" onClick={() => void beginSignIn().catch(() => location.reload())}>
            {frame.signInAgain}
          </button>
        </>
      ) : (
        isDown && frame.outage
      )}
    </div>
  )
}

function Screen({ route }: { readonly route: Route }) {
  const { frame } = useLanguage().words
  switch (route.screen) {
    case 'cameras':
      return <CamerasScreen />
    case 'camera':
      return <CameraScreen key={route.cameraId} {...route} />
    case 'display':
      return <DisplayScreen key={`${route.assistant} ${route.cameraId}`} {...route} />
    case 'activity':
      return <ActivityScreen filter={route.filter} />
    case 'sessions':
      return <SessionsScreen {...route} />
    case 'session':
      return <SessionScreen key={route.sessionId} {...route} />
    case 'lost':
      return (
        <>
          <h1>{frame.lost}</h1>
          <p>
            <a href={hrefs.cameras}>{frame.toCameras}</a>
          </p>
        </>
      )
  }
}
