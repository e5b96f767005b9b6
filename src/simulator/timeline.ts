/** The timeline of a call: what happened when, counted from the instant the offer was sent. */

/** One line of a timeline. */
export interface Step {
  readonly step: string
  /** Milliseconds since the offer was sent; what came before it is negative. */
  readonly atMs: number
  readonly detail?: string
}

export interface Timeline {
  /** Notes a step as happening now. */
  note(this: void, step: string, detail?: string): void
  /** Notes the offer as being sent now: the zero of the timeline. */
  noteOffer(detail?: string): void
  /** Milliseconds from the offer to the first such step; undefined when it did not happen. */
  since(step: string): number | undefined
  steps(): readonly Step[]
  /** The same by the clock on the wall, for who has steps of his own to put between them. */
  instants(): readonly Instant[]
}

export interface Instant {
  readonly step: string
  /** Epoch milliseconds. */
  readonly at: number
  readonly detail?: string
}

export function createTimeline(onStep: (step: string, detail?: string) => void = () => undefined): Timeline {
  const startedAt = performance.now()
  const noted: { step: string; at: number; detail: string | undefined }[] = []
  let zero: number | undefined

  function note(step: string, detail?: string): void {
    noted.push({ step, at: performance.now(), detail })
    onStep(step, detail)
  }

  const relative = (at: number): number => Math.round((at - (zero ?? startedAt)) * 10) / 10

  return {
    note,
    noteOffer(detail) {
      zero = performance.now()
      note('offer sent', detail)
    },
    since(step) {
      const found = noted.find((entry) => entry.step === step)
      return zero === undefined || found === undefined ? undefined : relative(found.at)
    },
    steps: () =>
      noted.map(({ step, at, detail }) => {
        return detail === undefined ? { step, atMs: relative(at) } : { step, atMs: relative(at), detail }
      }),
    instants: () =>
      noted.map(({ step, at, detail }) => {
        const instant = { step, at: Math.round(performance.timeOrigin + at) }
        return detail === undefined ? instant : { ...instant, detail }
      }),
  }
}
