/**
 * `npm run settings`: writes the tables of settings into README.md and docs/, between `<!-- settings GROUP -->` and
 * `<!-- /settings -->`, and `.env.example`, all from the shapes that read the environment.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { awsVariables } from '../src/bridge/aws/ground.ts'
import { describeSettings, settingGroups, type DescribedSetting } from '../src/core/setting-shapes.ts'
import { settingVariables } from '../src/transom/config.ts'

export const repository = join(import.meta.dirname, '..')

const settings = [...describeSettings(settingVariables), ...describeSettings(awsVariables)]
const block = /(<!-- settings (\w+) -->\n)[^]*?(<!-- \/settings -->)/g

/** The groups whose tables a text has. */
export const groupsIn = (text: string): readonly string[] => [...text.matchAll(block)].map(([, , group = '']) => group)

/** Every file that has something of this, by its path in the repository, with the text that it should have. */
export function renderSettings(): ReadonlyMap<string, string> {
  const files = ['README.md', ...globSync('docs/*.md', { cwd: repository })]
    .map((path) => [path, readFileSync(join(repository, path), 'utf8')] as const)
    .filter(([, text]) => groupsIn(text).length > 0)
  return new Map([...files.map(([path, text]) => [path, filled(path, text)] as const), ['.env.example', example()]])
}

function filled(path: string, text: string): string {
  return text.replaceAll(block, (_block, begin: string, group: string, end: string) => {
    const rows = settings.filter((one) => one.group === group)
    if (rows.length === 0) throw new Error(`${path}: there is no group of settings ${group}`)
    return `${begin}| variable | default | what |\n|---|---|---|\n${rows.map((row) => rowOf(path, row)).join('')}${end}`
  })
}

function rowOf(path: string, { name, fallback, description }: DescribedSetting): string {
  return `| \`${name}\` | ${fallback} | ${linked(path, description)} |\n`
}

/** Links begin at the top of the repository, and a file's at its folder. */
const linked = (path: string, description: string): string =>
  description.replaceAll(/\]\(([^):]+)\)/g, (_link, to: string) => `](${relative(dirname(path), to)})`)

/** Every setting of a machine of one's own, commented out. */
function example(): string {
  const rows = settingGroups
    .filter((group) => group !== 'aws' && group !== 'vendors')
    .flatMap((group) => settings.filter((one) => one.group === group))
    .map(({ name, fallback, description }) => {
      const plain = description.replaceAll(/\[([^\]]+)\]\(([^)]+)\)/g, '$1: $2')
      const value = /^`([^`]*)`$/.exec(fallback)?.[1]
      return `# ${plain}${value === undefined && fallback !== 'none' ? ` Default: ${fallback}.` : ''}\n# ${name}=${value ?? ''}\n`
    })
  return `# Made by npm run settings. Copy it to .env, and take the # away from what you set.\n\n${rows.join('\n')}`
}

if (import.meta.main) {
  for (const [path, text] of renderSettings()) writeFileSync(join(repository, path), text)
}
