/** The story of one view, told by several clocks, as rows on one time axis. */
import type { Step } from './api.ts'
import type { Words } from './language/en.ts'
import type { Formats } from './language/formats.ts'

/** Who tells a step: the bridge's record, the browser that is the display, or the assistant's cloud. */
export type Teller = 'bridge' | 'display' | 'cloud'

export interface StoryStep extends Step {
  readonly teller: Teller
}

export interface Row extends StoryStep {
  readonly label: string
  /** Milliseconds since the first step, and since the one before. */
  readonly atMs: number
  readonly tookMs: number
  /** Where its bar begins, and how long it is: 0 to 1 of the axis. */
  readonly from: number
  readonly size: number
  /** The bar is shorter than it should be. */
  readonly isCut: boolean
}

/** A longer wait (somebody watches) would leave no room for the milliseconds before it. */
const longestBarMs = 1_500

export function rowsOf(steps: readonly StoryStep[], words: Words['story']): readonly Row[] {
  const sorted = steps.toSorted((a, b) => a.at - b.at)
  const shown = sorted.map(({ at }, index) => Math.min(at - (sorted[index - 1]?.at ?? at), longestBarMs))
  const total = Math.max(
    1,
    shown.reduce((sum, ms) => sum + ms, 0),
  )
  const zero = sorted[0]?.at ?? 0
  let from = 0
  return sorted.map((step, index) => {
    const tookMs = step.at - (sorted[index - 1]?.at ?? step.at)
    const size = shown[index]! / total
    const row = {
      ...step,
      label: labelOf(step, words),
      atMs: step.at - zero,
      tookMs,
      from,
      size,
      isCut: tookMs > longestBarMs,
    }
    from += size
    return row
  })
}

/**
 * The display's steps by the bridge's clock. The bridge has received the offer after the display sent it, and has sent
 * its answer before the display received it: when its clock says otherwise, it is another machine's, and both are laid
 * middle on middle. Without an answer nothing is known, and nothing is changed.
 */
export function alignClocks(display: readonly Step[], bridge: readonly Step[]): readonly Step[] {
  const posted = instantOf(display, 'offer-posted')
  const received = instantOf(display, 'answer-received')
  const first = instantOf(bridge, 'offer-received')
  const answered = instantOf(bridge, 'answer-sent')
  if (posted === undefined || received === undefined || first === undefined || answered === undefined) return display
  if (posted <= first && answered <= received) return display
  const shift = Math.round((first + answered - posted - received) / 2)
  return display.map((step) => ({ ...step, at: step.at + shift }))
}

export function storyOf(told: {
  readonly bridge?: readonly Step[]
  readonly display?: readonly Step[]
  readonly cloud?: readonly Step[]
}): readonly StoryStep[] {
  const { bridge = [], display = [], cloud = [] } = told
  return [...toldBy('cloud', cloud), ...toldBy('display', alignClocks(display, bridge)), ...toldBy('bridge', bridge)]
}

/** A view in one line: `Picture after 0.5 s, direct, 720p`. */
export function summaryOf(
  display: readonly Step[],
  { route, height }: { readonly route?: 'direct' | 'relay' | undefined; readonly height?: number | undefined },
  words: Words['story'],
  { seconds }: Pick<Formats, 'seconds'>,
): string {
  const asked = instantOf(display, 'view-asked')
  const first = instantOf(display, 'first-frame')
  if (asked === undefined) return words.nothing
  if (first === undefined) return words.noPicture
  const facts = [words.pictureAfter(seconds(first - asked))]
  if (route) facts.push(words.routes[route])
  if (height) facts.push(`${height}p`)
  return facts.join(', ')
}

const instantOf = (steps: readonly Step[], name: string): number | undefined =>
  steps.find(({ step }) => step === name)?.at
const toldBy = (teller: Teller, steps: readonly Step[]): StoryStep[] => steps.map((step) => ({ ...step, teller }))

export function labelOf({ teller, step }: Pick<StoryStep, 'teller' | 'step'>, words: Words['story']): string {
  const table: Readonly<Record<string, string>> = words[teller]
  // A bridge may be newer than this page.
  const plain = step.replaceAll('-', ' ')
  return table[step] ?? plain.charAt(0).toUpperCase() + plain.slice(1)
}
