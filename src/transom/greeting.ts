/** What `npm start` prints when all is up: where things are, and what to try. */
import { languageOf, type Language } from 'transom-core/language'
import type { Config } from './config.ts'
import type { Embedded } from './embedded.ts'
import { greetingWords } from './greeting-words.ts'
import { plainUrl } from './tls/install-page.ts'

const row = (name: string, value: string, note: string) => `  ${name.padEnd(12)}${value.padEnd(28)}${note}\n`

type Shown = Pick<Embedded, 'publicUrl' | 'signalingEndpoint' | 'demo' | 'signInLink' | 'camera' | 'hasDoorbell'>

/** The language of the terminal (POSIX: `LC_ALL`, then `LC_MESSAGES`, then `LANG`), unless the operator has set one. */
export function terminalLanguage(env: Readonly<Record<string, string | undefined>>, set?: Language): Language {
  const locale = [env['LC_ALL'], env['LC_MESSAGES'], env['LANG']].find((one) => one !== undefined && one !== '')
  return set ?? languageOf(locale) ?? 'en'
}

/** `hasKeyboard`: somebody can press a key. */
export function greeting(
  shown: Shown,
  { https, linking, signaling }: Config,
  hasKeyboard = false,
  language: Language = 'en',
): string {
  const words = greetingWords[language]
  const { publicUrl, signalingEndpoint, demo, signInLink, camera, hasDoorbell } = shown
  const isOurs = linking.foreignTokens === undefined
  // Somebody else's provider knows no demo user.
  const hasDemo = isOurs && linking.upstream === undefined
  const parts = ['Alexa', 'Google', ...(isOurs ? [words.parts.linking] : []), ...(signInLink ? [words.parts.page] : [])]
  return [
    `\n  ${words.running}\n\n`,
    signInLink && `  ${words.open.padEnd(12)}${signInLink}\n              ${words.openNote}\n\n`,
    row('Bridge', publicUrl, parts.join(', ')),
    https?.kind === 'own' && row('HTTPS', plainUrl(publicUrl), words.install),
    row('Signaling', signalingEndpoint, words.certificates[signaling.tls.kind]),
    row(words.camera, camera.id, camera.name),
    hasDemo && row(words.demo, `${demo.login} / ${demo.password}`, words.demoNote),
    hasDemo &&
      `
  ${words.try}
    npm run call -- --assistant alexa      ${words.echo}
    npm run call -- --assistant google     ${words.hub}
`,
    '\n  ',
    !hasDoorbell && `${words.doorbellOff} `,
    hasDoorbell && hasKeyboard && `${words.ring} `,
    `${words.stop}\n`,
  ]
    .filter((part) => typeof part === 'string')
    .join('')
}
