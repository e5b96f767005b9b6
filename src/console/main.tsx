/** The console: signs in, then shows the bridge. */
import { render } from 'preact'
import { PlayerError, problemOf } from 'transom-player'
import { createApi } from './api.ts'
import { App } from './app.tsx'
import { HouseContext, openHouse } from './house.ts'
import { watchRoute } from './route.ts'
import { SignInScreen } from './screens/sign-in.tsx'
import { resumeSignIn } from './sign-in.ts'
import { thisBrowser } from './together.ts'

const page = document.getElementById('page')!

async function open(): Promise<void> {
  try {
    const signIn = await resumeSignIn()
    if (signIn.kind === 'signed-out')
      return render(<SignInScreen {...(signIn.reason && { reason: signIn.reason })} />, page)
    const api = createApi(signIn)
    const house = openHouse(api, signIn, await api.me(), thisBrowser())
    render(
      <HouseContext.Provider value={house}>
        <App route={watchRoute()} />
      </HouseContext.Provider>,
      page,
    )
  } catch (error) {
    const { message, advice } = problemOf(error)
    const isExpected = error instanceof PlayerError
    render(<SignInScreen reason={[message, advice].filter(Boolean).join(' ')} />, page)
    if (!isExpected) throw error
  }
}

void open()
