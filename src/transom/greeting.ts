/** What `npm start` prints when all is up: where things are, and what to try. */
import type { Config } from './config.ts'
import type { Embedded } from './embedded.ts'

const certificates = {
  own: 'KVS-compatible, with its own CA',
  files: 'KVS-compatible, with your certificate',
  none: 'KVS-compatible, behind your proxy',
} as const

const row = (name: string, value: string, note: string) => `  ${name.padEnd(12)}${value.padEnd(28)}${note}\n`

type Shown = Pick<Embedded, 'publicUrl' | 'signalingEndpoint' | 'demo' | 'signInLink' | 'camera' | 'hasDoorbell'>

export function greeting(shown: Shown, { linking, signaling }: Config, hasKeyboard = false): string {
  const { publicUrl, signalingEndpoint, demo, signInLink, camera, hasDoorbell } = shown
  const isOurs = linking.foreignTokens === undefined
  // Somebody else's provider knows no demo user.
  const hasDemo = isOurs && linking.upstream === undefined
  const parts = ['Alexa', 'Google', ...(isOurs ? ['account linking'] : []), ...(signInLink ? ['its page'] : [])]
  return [
    '\n  Transom is running.\n\n',
    signInLink &&
      `  Open        ${signInLink}\n              signs the demo user in, once; later by login and password\n\n`,
    row('Bridge', publicUrl, parts.join(', ')),
    row('Signaling', signalingEndpoint, certificates[signaling.tls.kind]),
    row('Camera', camera.id, camera.name),
    hasDemo && row('Demo user', `${demo.login} / ${demo.password}`, 'for signing in and linking'),
    hasDemo &&
      `
  Try, in another terminal:
    npm run call -- --assistant alexa      be an Echo Show
    npm run call -- --assistant google     be a Nest Hub
`,
    '\n  ',
    !hasDoorbell && 'The doorbell is off (TRANSOM_DOORBELL). ',
    hasDoorbell && hasKeyboard && 'r and Enter rings the doorbell. ',
    'Ctrl-C stops it; cameras, links and users are kept.\n',
  ]
    .filter((part) => typeof part === 'string')
    .join('')
}
