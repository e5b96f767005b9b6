import type { Problem } from 'transom-player'
import { useLanguage } from '../language/language.ts'
import { Alert } from '../parts/alert.tsx'
import { Brand } from '../parts/brand.tsx'
import { LanguageChoice } from '../parts/language-choice.tsx'
import { beginSignIn } from '../sign-in.ts'

/** Nobody is signed in. */
export function SignInScreen({ problem }: { readonly problem?: Problem }) {
  const { signIn } = useLanguage().words
  return (
    <>
      <header class="top">
        <Brand />
      </header>
      <main class="welcome">
        <h1>{signIn.title}</h1>
        <p>{signIn.what}</p>
        {problem && <Alert problem={problem} />}
        <button type="button" class="button primary" onClick={() => void beginSignIn().catch(() => location.reload())}>
          {signIn.signIn}
        </button>
        <p class="soft">{signIn.onMachine(<code>npm start</code>)}</p>
        <LanguageChoice />
      </main>
    </>
  )
}
