/** The console: signs in, then shows the bridge. */
import { type ComponentChildren, render } from 'preact'
import { PlayerError, problemIn, problemOf } from 'transom-player'
import { createApi } from './api.ts'
import { App } from './app.tsx'
import { HouseContext, openHouse } from './house.ts'
import { createLanguages, LanguageContext, thisReader } from './language/language.ts'
import { watchRoute } from './route.ts'
import { SignInScreen } from './screens/sign-in.tsx'
import { resumeSignIn } from './sign-in.ts'
import { thisBrowser } from './together.ts'

const page = document.getElementById('page')!
const languages = createLanguages(thisReader(), problemIn)

const show = (screen: ComponentChildren): void =>
  render(<LanguageContext.Provider value={languages}>{screen}</LanguageContext.Provider>, page)

async function open(): Promise<void> {
  try {
    const signIn = await resumeSignIn()
    if (signIn.kind === 'signed-out') return show(<SignInScreen {...(signIn.problem && { problem: signIn.problem })} />)
    const api = createApi(signIn)
    const house = openHouse(api, signIn, await api.me(), thisBrowser())
    show(
      <HouseContext.Provider value={house}>
        <App route={watchRoute()} />
      </HouseContext.Provider>,
    )
  } catch (error) {
    show(<SignInScreen problem={problemOf(error)} />)
    if (!(error instanceof PlayerError)) throw error
  }
}

// A notification was clicked, and this window is to show its camera: `service-worker.ts`.
if ('serviceWorker' in navigator) {
  navigator.serviceWorker.addEventListener('message', ({ data }) => (location.hash = String(data)))
  navigator.serviceWorker.startMessages()
}

void open()
