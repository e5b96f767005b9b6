/** Slows down password guessing, in memory: a stranger is stopped, the owner is not locked out by a stranger. */
import { isIPv6 } from 'node:net'
import type { Clock } from '../ports.ts'

export interface Attempts {
  /** Counts an attempt before the password is looked at. Returns 0, or the milliseconds to wait: then do not look. */
  begin(login: string, address: string): number
  /** The attempt was the owner: gives it back and remembers that this login comes from this address. */
  succeeded(login: string, address: string): void
}

const windowMs = 5 * 60_000
/**
 * Attempts in a window. Guesses are held against the pair of login and address first, so whoever guesses from somewhere
 * else does not stop the owner. The cap on a login bounds an attack from many addresses; it spares addresses from which
 * the login has succeeded, for the same reason.
 */
const limits = { pair: 5, address: 30, login: 60 }
const mostKept = 10_000

interface Window {
  count: number
  readonly endsAt: number
}

/** `login` is expected in its canonical form. */
export function createAttempts(clock: Clock): Attempts {
  const windows = new Map<string, Window>()
  const familiar = new Set<string>()

  const live = (key: string) => {
    const found = windows.get(key)
    return found && found.endsAt > clock() ? found : undefined
  }
  const add = (key: string, change: 1 | -1) => {
    const { count, endsAt } = live(key) ?? { count: 0, endsAt: clock() + windowMs }
    windows.delete(key)
    if (count + change > 0) windows.set(key, { count: count + change, endsAt })
    dropOldest(windows)
  }

  return {
    begin(login, address) {
      const key = keysOf(login, address)
      const kinds = familiar.has(key.pair) ? (['pair', 'address'] as const) : (['pair', 'address', 'login'] as const)
      const full = kinds.flatMap((kind) => {
        const found = live(key[kind])
        return found && found.count >= limits[kind] ? [found.endsAt - clock()] : []
      })
      if (full.length > 0) return Math.max(...full)
      for (const kind of kinds) add(key[kind], 1)
      return 0
    },
    succeeded(login, address) {
      const key = keysOf(login, address)
      if (!familiar.has(key.pair)) add(key.login, -1)
      add(key.address, -1)
      windows.delete(key.pair)
      familiar.add(key.pair)
      dropOldest(familiar)
    },
  }
}

/** JSON keeps the three kinds apart whatever a login contains. */
function keysOf(login: string, address: string) {
  const network = networkOf(address)
  return {
    pair: JSON.stringify([login, network]),
    address: JSON.stringify({ network }),
    login: JSON.stringify({ login }),
  }
}

/** One subscriber is one address: a whole /64 in IPv6, the IPv4 address also when it comes mapped into IPv6. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1] !== undefined) return mapped[1]
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':')
    groups.push(...Array<string>(Math.max(0, 8 - groups.length - after.length)).fill('0'), ...after)
  }
  return `${groups.slice(0, 4).join(':')}::/64`
}

function dropOldest(kept: Map<string, unknown> | Set<string>): void {
  if (kept.size <= mostKept) return
  for (const key of kept.keys()) {
    kept.delete(key)
    return
  }
}
