/** `npm run notice`: makes NOTICE, the list of what is installed with Transom and under which licences, from the lock file. */
import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'

const lockFile = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      license: z.string().optional(),
      dev: z.boolean().optional(),
      devOptional: z.boolean().optional(),
      optional: z.boolean().optional(),
      link: z.boolean().optional(),
    }),
  ),
})

/** What a package says of itself where that is missing, or not all of it. */
const corrections: readonly { readonly name: RegExp; readonly licence: string }[] = [
  { name: /^@seydx\/node-av-/, licence: 'MIT AND GPL-3.0-or-later AND FDK-AAC (see above)' },
  { name: /^@shinyoshiaki\/jspack$/, licence: 'BSD-3-Clause' },
]

/** Tools of development whose code becomes part of the page. */
const inThePage: ReadonlySet<string> = new Set(['preact', '@preact/signals', '@preact/signals-core'])

const head = `Transom
Licensed under the Apache License, Version 2.0; see LICENSE.

This file is made by \`npm run notice\` from package-lock.json. It lists what \`npm install --omit=dev\` installs, and
what the built page contains. Each package brings the text of its licence.

FFmpeg
  The optional dependency node-av is MIT, but its binaries (@seydx/node-av-*) contain FFmpeg, built with --enable-gpl and
  --enable-version3 and linked with x264, x265 and others: the GNU General Public License, version 3 or later, applies to
  them. They also contain libfdk-aac, whose licence the FFmpeg project holds to be incompatible with the GPL. Transom does
  not distribute them: npm fetches them from their author. Only src/gateway, when a camera needs FFmpeg, and
  src/simulator, when it is called, load them at run time. \`npm install --omit=optional\` leaves them out. The Lambda bundle never contains them.

Node.js
  The package node installs the Node.js runtime (MIT, with the licences of OpenSSL, V8, ICU and others; see its LICENSE).

Recordings
  src/gateway/doorbell.clip and src/simulator/tone.opus are drawn and composed by this project (Apache-2.0).
`

/** The whole file. Throws when a package's licence is not known, so that none is listed without one. */
export function renderNotice(lock: unknown): string {
  const { packages } = lockFile.parse(lock)
  const rows = Object.entries(packages).flatMap(([path, found]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    const isOurs = !path.startsWith('node_modules/') || found.link === true
    if (isOurs || ((found.dev === true || found.devOptional === true) && !inThePage.has(name))) return []
    const licence = corrections.find((each) => each.name.test(name))?.licence ?? found.license
    if (licence === undefined) throw new Error(`the licence of ${name} is not known: look it up, and say it here`)
    return [`${name} ${found.version}: ${licence}${found.optional === true ? ' (optional)' : ''}`]
  })
  return `${head}\nPackages\n${[...new Set(rows)]
    .sort()
    .map((row) => `  ${row}\n`)
    .join('')}`
}

if (import.meta.main) {
  const root = new URL('../', import.meta.url)
  writeFileSync(
    new URL('NOTICE', root),
    renderNotice(JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8'))),
  )
}
