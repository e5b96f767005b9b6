import { Brand } from '../parts/brand.tsx'
import { beginSignIn } from '../sign-in.ts'

/** Nobody is signed in. */
export function SignInScreen({ reason }: { readonly reason?: string }) {
  return (
    <>
      <header class="top">
        <Brand />
      </header>
      <main class="welcome">
        <h1>See who is at the door</h1>
        <p>
          Transom brings your cameras to an Echo Show, a Nest Hub, and this page. Sign in with the user you link the
          assistants with.
        </p>
        {reason !== undefined && (
          <p class="alert" role="alert">
            {reason}
          </p>
        )}
        <button type="button" class="button primary" onClick={() => void beginSignIn().catch(() => location.reload())}>
          Sign in
        </button>
        <p class="soft">
          On the machine that runs the bridge? <code>npm start</code> prints a link that signs you in.
        </p>
      </main>
    </>
  )
}
