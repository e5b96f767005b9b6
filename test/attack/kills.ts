/** Kill -9 in the middle of everything: what the bridge acknowledged before is there after, and nothing is asked of luck. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { linkAccount, refreshLink, type Link } from '../../src/simulator/link.ts'
import { readSettings, type AssistantName } from '../../src/simulator/settings.ts'
import { createHouse, type House } from '../flows/house.ts'

export interface KillOutcome {
  readonly rounds: number
  readonly acknowledged: Readonly<Record<Kind, number>>
  readonly lost: readonly string[]
}

type Kind = 'presses' | 'links' | 'rotations' | 'shares' | 'cameras'

/** A promise that the bridge made, and how to see that it was kept. `needle` stands in a record of the store. */
interface Promised {
  readonly kind: Kind
  readonly name: string
  readonly needle?: { readonly record: string; readonly texts: readonly string[] }
  readonly link?: { readonly assistant: AssistantName; readonly link: Link }
  readonly cameraKey?: string
}

const env = { TRANSOM_DOORBELL: 'off', TRANSOM_CONSOLE: 'off' }

/** Runs rounds until `seconds` are over, at least one and at most `most`. Throws when the bridge does not start again. */
export async function killRounds(seconds: number, most: number): Promise<KillOutcome> {
  const house = createHouse()
  const acknowledged: Record<Kind, number> = { presses: 0, links: 0, rotations: 0, shares: 0, cameras: 0 }
  const lost: string[] = []
  const endBy = performance.now() + seconds * 1_000
  let rounds = 0
  try {
    await house.start(env)
    // Tokens are for one address: the bridge comes back where it was.
    const again = { ...env, TRANSOM_PORT: new URL(readSettings(house.dataDir).bridge).port }
    do {
      rounds += 1
      const promised = await workUntilKilled(house, rounds)
      for (const { kind } of promised) acknowledged[kind] += 1
      lost.push(...missingOnDisk(house, promised))
      await house.start(again)
      lost.push(...(await missingAlive(house, promised)))
    } while (performance.now() < endBy && rounds < most && lost.length === 0)
  } finally {
    await house.kill()
    await house.close()
  }
  return { rounds, acknowledged, lost }
}

/** Everything at once, again and again, until the process is gone; returns what was answered with a yes. */
async function workUntilKilled(house: House, round: number): Promise<readonly Promised[]> {
  const promised: Promised[] = []
  const { bridge, clients, user, cameraKeys } = readSettings(house.dataDir)
  const operator = JSON.parse(readFileSync(join(house.dataDir, 'operator.json'), 'utf8')) as {
    url: string
    token: string
  }
  const ask = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const headers = { authorization: `Bearer ${operator.token}`, 'content-type': 'application/json' }
    const response = await fetch(`${operator.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.status === 204 ? {} : ((await response.json()) as Record<string, unknown>)
  }
  const press = async (camera: string, key: string) => {
    const eventId = randomUUID()
    const response = await fetch(`${bridge}/cameras/${camera}/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ kind: 'press', eventId, at: Date.now() }),
    })
    if (response.status === 202)
      promised.push({ kind: 'presses', name: eventId, needle: { record: 'press', texts: [eventId] } })
    else if (response.status !== 429) throw new Error(`a press was answered ${response.status}`)
  }
  const jobs: readonly (() => Promise<void>)[] = [
    // A new camera each time: its button is not stuck, and its key is replaced at once.
    async () => {
      const id = `camera-${randomUUID()}`
      const { cameraKey } = await ask('/cameras', { id, name: 'Killed' })
      promised.push({ kind: 'cameras', name: id, needle: { record: 'camera', texts: [id] } })
      for (let n = 0; n < 5; n += 1) await press(id, String(cameraKey))
      const replaced = await ask(`/cameras/${id}/keys`, { replace: true })
      promised.push({ kind: 'rotations', name: id, cameraKey: String(replaced['cameraKey']) })
    },
    async () => {
      const login = `guest-${randomUUID()}`
      const { accountId } = await ask('/admin/users', { login, name: 'Guest', password: 'a long enough phrase' })
      await ask('/admin/shares', { camera: 'front-door', owner: user.login, guest: login })
      const texts = [String(accountId), 'front-door']
      promised.push({ kind: 'shares', name: login, needle: { record: 'share', texts } })
    },
    async () => {
      const assistant = promised.length % 2 === 0 ? 'alexa' : 'google'
      const options = { assistant, bridge, client: clients[assistant], user } as const
      const link = await linkAccount(options, AbortSignal.timeout(60_000))
      promised.push({ kind: 'links', name: `a link with ${assistant}`, link: { assistant, link } })
    },
    async () => press('front-door', cameraKeys?.['front-door'] ?? ''),
  ]
  const life = new AbortController()
  const unexpected: string[] = []
  const work = jobs.map(async (job) => {
    while (!life.signal.aborted)
      await job().catch((thrown: unknown) => {
        // What is asked of a process that was just killed is answered by nobody, and promised by nobody.
        if (!life.signal.aborted) unexpected.push(String(thrown))
        return new Promise<void>((resolve) => setTimeout(resolve, 20))
      })
  })
  // Long enough for each job to have been answered; then anywhere in the next one.
  const enoughBy = performance.now() + 10_000
  while (new Set(promised.map(({ kind }) => kind)).size < 5 && performance.now() < enoughBy)
    await new Promise<void>((resolve) => setTimeout(resolve, 10))
  await new Promise<void>((resolve) => setTimeout(resolve, (round * 37) % 150))
  life.abort()
  await house.kill()
  await Promise.all(work)
  if (unexpected.length > 0)
    throw new Error(`the bridge refused what it should accept: ${unexpected.slice(0, 3).join('; ')}`)
  return promised
}

function missingOnDisk(house: House, promised: readonly Promised[]): readonly string[] {
  const db = new DatabaseSync(join(house.dataDir, 'transom.db'))
  try {
    const rows = db.prepare('SELECT kind, id, value FROM record WHERE value IS NOT NULL').all()
    const texts = rows.map(({ kind, id, value }) => ({ kind: String(kind), text: `${String(id)} ${String(value)}` }))
    return promised.flatMap(({ name, kind, needle }) =>
      needle === undefined ||
      texts.some((row) => row.kind.startsWith(needle.record) && needle.texts.every((text) => row.text.includes(text)))
        ? []
        : [`${kind}: ${name} is not in the store`],
    )
  } finally {
    db.close()
  }
}

/** What only the running bridge can tell: that a link still gives tokens, and a new key opens. */
async function missingAlive(house: House, promised: readonly Promised[]): Promise<readonly string[]> {
  const { bridge, clients } = readSettings(house.dataDir)
  const missing: string[] = []
  for (const { kind, name, link, cameraKey } of promised) {
    if (link !== undefined) {
      const options = { assistant: link.assistant, bridge, client: clients[link.assistant] }
      await refreshLink(options, link.link, AbortSignal.timeout(60_000)).catch((thrown: unknown) =>
        missing.push(`${kind}: ${name}: ${String(thrown)}`),
      )
    }
    if (cameraKey !== undefined) {
      const response = await fetch(`${bridge}/cameras/${name}/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${cameraKey}` },
        body: JSON.stringify({ kind: 'battery', level: 50, at: Date.now() }),
      })
      if (response.status !== 202) missing.push(`${kind}: the new key of ${name} is answered ${response.status}`)
    }
  }
  return missing
}
