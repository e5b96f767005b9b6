/** `transom explain`: the story of a session in words, from the same record that the page shows. */
import { InvalidArgumentError, type Command } from 'commander'
import { session, sessions, type Session, type SessionRow, type Step } from 'transom-core/wire/api'
import { callOperator } from './operator-client.ts'
import { leaf, show, UsageError, type CommonOptions, type Terminal } from './terminal.ts'

interface ExplainOptions extends CommonOptions {
  readonly owner?: string
  readonly list?: true
  readonly limit: number
}

/** Adds this command. */
export function addExplainCommand(program: Command, terminal: Terminal): void {
  leaf(program, 'explain [session]', 'tell the story of a session; without one, of the newest')
    .option('--owner <login>', 'whose sessions (default: the demo user)')
    .option('--list', 'list the newest sessions instead')
    .option('--limit <count>', 'how many of them', countOf, 20)
    .addHelpText(
      'after',
      `
Examples:
  transom explain --list                    the newest sessions, each with its id and its outcome
  transom explain                           why did the last view fail?
  transom explain 7dN0sVZkT0W3m0b8nq3m2A`,
    )
    .action((id: string | undefined, options: ExplainOptions) => explain(terminal, id, options))
}

async function explain(terminal: Terminal, given: string | undefined, options: ExplainOptions): Promise<void> {
  const { owner, list, limit, ...common } = options
  if (given !== undefined && !/^[\w-]{22}$/.test(given))
    throw new UsageError(`${given} is not a session: transom explain --list has their ids`)
  const access = await terminal.operator()
  const newest = async (count: number) => {
    const query = new URLSearchParams({ limit: String(count), ...(owner !== undefined && { owner }) })
    return sessions.parse(await callOperator(access, 'GET', `/sessions?${query.toString()}`))
  }
  if (list) {
    const found = await newest(limit)
    const text = found.sessions.map(printRow).join('\n') || 'No sessions yet'
    return show(terminal, common, { text, json: found })
  }
  const id = given ?? (await newest(1)).sessions[0]?.id
  if (id === undefined) throw new Error('there are no sessions yet: nobody has asked for a view')
  const found = session.parse(await callOperator(access, 'GET', `/sessions/${encodeURIComponent(id)}`))
  show(terminal, common, { text: printStory(found), json: found })
}

function countOf(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 2_000)
    throw new InvalidArgumentError('It must be a whole number from 1 to 2000.')
  return count
}

const displays = { alexa: 'An Alexa display', google: 'A Google display', console: 'A page or an app' } as const

function printRow(row: SessionRow): string {
  return `${row.id}  ${new Date(row.startedAt).toISOString()}  ${row.assistant.padEnd(7)}  ${row.cameraId}  ${outcomeOf(row)}`
}

function outcomeOf({ cause, hint, phase, answerMs }: SessionRow): string {
  const answered = answerMs === undefined ? 'no answer' : `answered after ${answerMs} ms`
  return `${phase}, ${cause?.code ?? hint?.code ?? answered}`
}

/** Who asked, what happened when, why it failed, and what to do. */
function printStory(story: Session): string {
  const { id, assistant, cameraId, guest, startedAt, timeline, cause, hint } = story
  const who = `${displays[assistant]} asked for ${cameraId}${guest === undefined ? '' : `, for the guest ${guest}`}`
  const kinds = timeline.flatMap(({ step, detail }) => (step === 'camera-candidate' && detail ? [detail] : []))
  const tried = [...new Set(kinds)].map(
    (kind) => `${kinds.filter((one) => one === kind).length} ${words[kind] ?? kind}`,
  )
  const why = cause ?? hint
  return [
    `${who} on ${new Date(startedAt).toISOString()}. Session ${id}`,
    '',
    ...timeline.map((step) => printStep(step, startedAt)),
    '',
    `Candidates of the camera: ${tried.join(', ') || 'none'}`,
    why === undefined
      ? `Outcome: ${outcomeOf(story)}`
      : `${cause === undefined ? 'Not known' : 'Cause'}: ${why.message} (${why.code})\nWhat to do: ${why.advice}`,
  ].join('\n')
}

const words: Readonly<Record<string, string>> = {
  host: 'in its own network (host)',
  srflx: 'as seen by a STUN server (srflx)',
  prflx: 'as seen by the display (prflx)',
  relay: 'through a TURN server (relay)',
  malformed: 'that could not be read',
}

const steps: Readonly<Record<string, string>> = {
  'asked-for': 'The view was asked for',
  'offer-received': 'The display sent its offer',
  'offer-sent': 'The bridge sent it to the camera',
  'camera-answered': 'The camera answered',
  'camera-candidate': 'The camera sent a candidate',
  'camera-gathered': 'The camera has no more candidates',
  'answer-sent': 'The display got its answer',
  'display-connected': 'The display reported that it is connected',
  'camera-connected': 'The camera reported that the display is connected',
  'talk-back-heard': 'The camera received sound from the display',
  'no-sound': 'The camera sends no sound',
  'no-picture': 'The camera sends no picture',
  'no-relay': 'The camera has no relay address',
  'source-failed': 'The camera behind the gateway failed',
  'source-back': 'The camera behind the gateway is back',
  refused: 'The view was refused',
  ended: 'The view ended',
}

function printStep({ step, at, detail }: Step, startedAt: number): string {
  const plain = step.replaceAll('-', ' ')
  const text = steps[step] ?? plain.charAt(0).toUpperCase() + plain.slice(1)
  return `${`+${at - startedAt} ms`.padStart(12)}  ${text}${detail === undefined ? '' : `: ${detail}`}`
}
