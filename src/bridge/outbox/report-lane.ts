/** Whose turn it is among the reports: one at a time for each camera, a few for each account, accounts in turn. */

/** Reports in flight for one account at one destination, and in all. */
export interface LaneLimits {
  readonly perAccount: number
  readonly inAll: number
}

export interface ReportLane<T> {
  /** Puts a report in line; one that waits there with the same key is replaced. */
  add(place: Place, key: string, report: T): void
  /** Puts a report back at the head of its line, unless a newer one with its key waits there. */
  putBack(place: Place, key: string, report: T): void
  /** Whether a report with this key waits in the line. */
  has(place: Place, key: string): boolean
  /** Keeps a line closed until `reopen`. */
  hold(place: Place): void
  reopen(place: Place): void
  /** The next report that may go now; `done` must be called for its place. */
  next(): { readonly place: Place; readonly key: string; readonly report: T } | undefined
  done(place: Place): void
  waiting(): number
}

export interface Place {
  /** Account at one destination. */
  readonly account: string
  /** Camera at one destination; reports of the account itself are a line of their own. */
  readonly camera: string
}

interface Line<T> {
  readonly place: Place
  /** In the order in which they will go. */
  readonly reports: Map<string, T>
  isBusy: boolean
  isHeld: boolean
}

export function createReportLane<T>(limits: LaneLimits): ReportLane<T> {
  const lines = new Map<string, Line<T>>()
  /** Lines that may go now, by account; both in turn. */
  const ready = new Map<string, Set<Line<T>>>()
  const running = new Map<string, number>()
  let runningInAll = 0
  let count = 0

  function lineAt(place: Place): Line<T> {
    const key = JSON.stringify([place.account, place.camera])
    const known = lines.get(key)
    if (known) return known
    const line: Line<T> = { place, reports: new Map(), isBusy: false, isHeld: false }
    lines.set(key, line)
    return line
  }

  function update(line: Line<T>): void {
    const { account, camera } = line.place
    const ours = ready.get(account) ?? new Set()
    const canGo = line.reports.size > 0 && !line.isBusy && !line.isHeld
    if (canGo) ours.add(line)
    else ours.delete(line)
    if (ours.size > 0) ready.set(account, ours)
    else ready.delete(account)
    if (line.reports.size === 0 && !line.isBusy && !line.isHeld) lines.delete(JSON.stringify([account, camera]))
  }

  return {
    add(place, key, report) {
      const line = lineAt(place)
      if (!line.reports.has(key)) count += 1
      // It takes the place of the old one: what changes often must not wait for ever.
      line.reports.set(key, report)
      update(line)
    },
    putBack(place, key, report) {
      const line = lineAt(place)
      if (line.reports.has(key)) return
      const behind = [...line.reports]
      line.reports.clear()
      line.reports.set(key, report)
      for (const [each, value] of behind) line.reports.set(each, value)
      count += 1
      update(line)
    },
    has: ({ account, camera }, key) => lines.get(JSON.stringify([account, camera]))?.reports.has(key) ?? false,
    hold(place) {
      const line = lineAt(place)
      line.isHeld = true
      update(line)
    },
    reopen(place) {
      const line = lineAt(place)
      line.isHeld = false
      update(line)
    },
    next() {
      if (runningInAll >= limits.inAll) return undefined
      for (const [account, ours] of ready) {
        const runningHere = running.get(account) ?? 0
        if (runningHere >= limits.perAccount) continue
        const [line] = ours
        const [first] = line?.reports ?? []
        if (!line || !first) continue
        const [key, report] = first
        line.reports.delete(key)
        line.isBusy = true
        count -= 1
        runningInAll += 1
        running.set(account, runningHere + 1)
        update(line)
        // To the back of the row of accounts.
        const rest = ready.get(account)
        if (rest) {
          ready.delete(account)
          ready.set(account, rest)
        }
        return { place: line.place, key, report }
      }
      return undefined
    },
    done(place) {
      const line = lineAt(place)
      line.isBusy = false
      runningInAll -= 1
      const left = (running.get(place.account) ?? 1) - 1
      if (left > 0) running.set(place.account, left)
      else running.delete(place.account)
      update(line)
    },
    waiting: () => count,
  }
}
