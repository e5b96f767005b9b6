/** Slows down password guessing, across processes: a stranger is stopped, the owner is not locked out by a stranger. */
import { hash } from 'node:crypto'
import { networkOf } from 'transom-core/admission'
import { BridgeError } from 'transom-core/errors'
import type { Clock, Store } from 'transom-core/ports'

/** Where an attempt comes from. */
export interface Source {
  readonly address: string
  /** The browser, if it has signed in with this login before (`known-browser.ts`). */
  readonly browser?: string | undefined
}

export interface Attempts {
  /** Counts an attempt before the password is looked at. Returns 0, or the milliseconds to wait: then do not look. */
  begin(login: string, source: Source): Promise<number>
  /** The attempt was the owner: gives it back and remembers that this login comes from this address. */
  succeeded(login: string, source: Source): Promise<void>
  /** Nobody has this login any more. */
  forget(login: string): Promise<void>
}

const windowMs = 5 * 60_000
/**
 * Attempts in a window. Guesses are held against login and source together first, so whoever guesses from somewhere else
 * does not stop the owner, nor does a neighbour behind the same address stop a browser that is known. The cap on a login
 * bounds an attack from many addresses; it spares known browsers, and addresses from which the login has succeeded.
 *
 * The first two are strict, also between Lambdas: an attempt is written down before the password is looked at, in one
 * conditional write. That one address tries many logins is counted by each process for itself, which costs no write.
 */
const limits = { pair: 5, login: 60, address: 30 }
const mostFamiliar = 8
const familiarMs = 180 * 24 * 3_600_000
const crowdedMs = 1_000
const mostKept = 10_000

interface Window {
  readonly count: number
  readonly endsAt: number
}

interface LoginRecord {
  /** By source. */
  readonly windows: Readonly<Record<string, Window>>
  readonly total?: Window
  /** Networks from which the login has succeeded, with the last time. */
  readonly familiar: Readonly<Record<string, number>>
}

const fresh: LoginRecord = { windows: {}, familiar: {} }

/** `login` is expected in its canonical form. */
export function createAttempts(store: Store, clock: Clock): Attempts {
  const records = store.collection<LoginRecord>('login-attempts')
  const byAddress = createAddressCount(clock)

  async function change(login: string, next: (record: LoginRecord) => LoginRecord | number): Promise<number> {
    const id = keyOf(login)
    let waitMs = 0
    try {
      await records.change(id, (stored) => {
        const changed = next(live(stored?.value ?? fresh, clock()))
        waitMs = typeof changed === 'number' ? changed : 0
        if (typeof changed === 'number') return undefined
        const isFamiliar = Object.keys(changed.familiar).length > 0
        return { value: changed, expiresAt: clock() + (isFamiliar ? familiarMs : windowMs) }
      })
    } catch (thrown) {
      // One of many guesses at once, in many processes.
      if (!(thrown instanceof BridgeError) || thrown.code !== 'rate_limited') throw thrown
      return crowdedMs
    }
    return waitMs
  }

  return {
    forget: (login) => records.remove(keyOf(login)),
    async begin(login, { address, browser }) {
      const now = clock()
      const network = networkOf(address)
      const pair = browser ?? network
      const waitMs = browser === undefined ? byAddress.begin(network) : 0
      if (waitMs > 0) return waitMs
      return change(login, ({ windows, total, familiar }) => {
        const counts = browser === undefined && familiar[network] === undefined
        const full = [
          ...(isFull(windows[pair], limits.pair) ? [windows[pair]] : []),
          ...(counts && isFull(total, limits.login) ? [total] : []),
        ]
        if (full.length > 0) return Math.max(...full.map(({ endsAt }) => endsAt - now))
        const one = add(windows[pair], 1, now)
        const all = counts ? add(total, 1, now) : total
        return { windows: { ...windows, [pair]: one }, familiar, ...(all && { total: all }) }
      })
    },
    async succeeded(login, { address, browser }) {
      const now = clock()
      const network = networkOf(address)
      if (browser === undefined) byAddress.succeeded(network)
      await change(login, ({ windows: { [browser ?? network]: _done, ...windows }, total, familiar }) => {
        const counted = browser === undefined && familiar[network] === undefined
        const all = counted && total !== undefined ? add(total, -1, now) : total
        const known = Object.entries({ ...familiar, [network]: now }).sort(([, a], [, b]) => b - a)
        return { windows, familiar: Object.fromEntries(known.slice(0, mostFamiliar)), ...(all && { total: all }) }
      })
    },
  }
}

/** Logins are typed, and may be anything. */
const keyOf = (login: string): string => hash('sha256', login, 'base64url')

/** Without the windows that are over. */
function live({ windows, total, familiar }: LoginRecord, now: number): LoginRecord {
  const open = Object.entries(windows).filter(([, { endsAt }]) => endsAt > now)
  return { windows: Object.fromEntries(open), familiar, ...(total && total.endsAt > now && { total }) }
}

function isFull(window: Window | undefined, limit: number): window is Window {
  return window !== undefined && window.count >= limit
}

function add(window: Window | undefined, change: 1 | -1, now: number): Window {
  const { count, endsAt } = window ?? { count: 0, endsAt: now + windowMs }
  return { count: Math.max(0, count + change), endsAt }
}

/** How many attempts each address made, in this process alone. */
function createAddressCount(clock: Clock) {
  const windows = new Map<string, Window>()
  const put = (network: string, change: 1 | -1) => {
    const found = windows.get(network)
    windows.delete(network)
    windows.set(network, add(found && found.endsAt > clock() ? found : undefined, change, clock()))
    for (const oldest of windows.keys()) {
      if (windows.size <= mostKept) break
      windows.delete(oldest)
    }
  }
  return {
    begin(network: string): number {
      const found = windows.get(network)
      const waitMs = found === undefined ? 0 : found.endsAt - clock()
      if (waitMs > 0 && isFull(found, limits.address)) return waitMs
      put(network, 1)
      return 0
    },
    succeeded: (network: string) => put(network, -1),
  }
}
