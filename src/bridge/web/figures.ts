/** How views went, counted by day as each comes to its end: what the page shows above the sessions without reading them all. */
import type { AccountId, Clock, Log, Store } from 'transom-core/ports'
import type { DayFigures, Figures as Answer, PictureFigures, SessionRow } from 'transom-core/wire/api'
import { outcomeOf, type SessionView } from '../broker/view.ts'

export interface Figures {
  /** A view has failed or is over, as its reader sees it. Returns at once and never throws. */
  note(this: void, view: SessionView, reader: AccountId): void
  /** Of the last 30 days. */
  of(reader: AccountId): Promise<Answer>
  /** Resolves when all that was noted is kept. */
  settled(): Promise<void>
}

/** Where figures are kept, in the list of their reader. */
export const figuresKind = 'figures-of-day'

type Ended = 'fine' | 'unconfirmed' | 'failed'
/** One assistant's on one day. */
interface Counted extends Readonly<Record<Ended, number>> {
  /** How many waited how long for the first picture, by the number of the step of `stepOf`. */
  readonly waits: Readonly<Record<string, number>>
}
type Day = Readonly<Partial<Record<SessionRow['assistant'], Counted>>>

const assistants = ['alexa', 'google', 'console'] as const
const none: Counted = { fine: 0, unconfirmed: 0, failed: 0, waits: {} }
const dayMs = 24 * 3_600_000
/** As long as sessions are kept. */
const keptDays = 30

/** Steps of a twentieth: what is read back of one is off by no more than half of that. */
const growth = Math.log(1.05)
const stepOf = (ms: number): number => Math.round(Math.log(Math.max(1, ms)) / growth)
const msOf = (step: number): number => Math.round(Math.exp(step * growth))

export function createFigures({ store, clock, log }: { store: Store; clock: Clock; log: Log }): Figures {
  const days = store.collection<Day>(figuresKind)
  const pending = new Set<Promise<void>>()

  async function keep(view: SessionView, reader: AccountId): Promise<void> {
    const { assistant, startedAt } = view
    const became = outcomeOf(view)
    if (became === 'running') return
    const wait = waitOf(view)
    const day = dayOf(startedAt)
    await days.change(`${day} ${reader}`, (stored) => {
      const before = stored?.value[assistant] ?? none
      const step = wait === undefined ? undefined : stepOf(wait)
      const waits = step === undefined ? before.waits : { ...before.waits, [step]: (before.waits[step] ?? 0) + 1 }
      return {
        value: { ...stored?.value, [assistant]: { ...before, [became]: before[became] + 1, waits } },
        group: reader,
        expiresAt: Date.parse(day) + (keptDays + 1) * dayMs,
      }
    })
  }

  return {
    note(view, reader) {
      const kept = keep(view, reader)
        .catch((error: unknown) => log('warn', 'web.figures-lost', { error: String(error) }))
        .finally(() => pending.delete(kept))
      pending.add(kept)
    },
    async of(reader) {
      const after = dayOf(clock() - (keptDays - 1) * dayMs)
      const rows: DayFigures[] = []
      const waits = new Map<SessionRow['assistant'], Map<number, number>>()
      for await (const { id, value } of days.all(reader, { after })) {
        for (const assistant of assistants) {
          const counted = value[assistant]
          if (counted === undefined) continue
          const { fine, unconfirmed, failed } = counted
          rows.push({ day: id.slice(0, 10), assistant, fine, unconfirmed, failed })
          const sum = waits.get(assistant) ?? new Map<number, number>()
          for (const [step, count] of Object.entries(counted.waits))
            sum.set(Number(step), (sum.get(Number(step)) ?? 0) + count)
          waits.set(assistant, sum)
        }
      }
      const pictures = [...waits].flatMap(([assistant, sum]) => picturesOf(assistant, sum))
      return { days: rows, pictures }
    },
    settled: async () => void (await Promise.all(pending)),
  }
}

/** From the offer to the first report, the display's or the camera's, that media flows. */
function waitOf({ startedAt, timeline }: Pick<SessionView, 'startedAt' | 'timeline'>): number | undefined {
  const shown = timeline.find(({ step }) => step === 'display-connected' || step === 'camera-connected')
  return shown && shown.at - startedAt
}

function picturesOf(assistant: SessionRow['assistant'], waits: ReadonlyMap<number, number>): PictureFigures[] {
  const steps = [...waits].toSorted(([a], [b]) => a - b)
  const views = steps.reduce((sum, [, count]) => sum + count, 0)
  if (views === 0) return []
  return [{ assistant, views, p50Ms: quantile(0.5), p95Ms: quantile(0.95) }]

  /** The smallest wait that so much of all do not exceed. */
  function quantile(share: number): number {
    let left = Math.ceil(share * views)
    const [step] = steps.find(([, count]) => (left -= count) <= 0) ?? [0]
    return msOf(step)
  }
}

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)
