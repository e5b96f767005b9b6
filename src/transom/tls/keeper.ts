/** Keeps the bridge's certificate: the one on the disk at first, a new one before it ends, and what is wrong while there is none. */
import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import * as z from 'zod'
import type { Clock, Log } from 'transom-core/ports'
import { readIfThere, writeWhole } from 'transom-core/private-file'
import type { Pair } from 'transom-signaling/make-certificate'
import { isFor, renewAt } from './certificate.ts'

/** Where certificates come from. */
export interface CertificateSource {
  /** The names and addresses that are wanted now. */
  names(): Promise<readonly string[]>
  /** What is kept on the disk, whole, but perhaps for other names, or expired; undefined when there is none. */
  kept(): Promise<Pair | undefined>
  /** Gets a new one and keeps it. Rejects with an `Error` that says why there is none, or with the signal's reason. */
  renew(signal: AbortSignal): Promise<Pair>
  /** What to change, for what `renew` rejected with. */
  remedy(thrown: unknown): string
  /** How long to wait at least after that, in milliseconds; undefined without such a wish. */
  waitMs(thrown: unknown): number | undefined
}

/** What is wrong: kept in a file, for `transom doctor` and for the next start, which must not try more often than this one. */
export const certificateFault = z.object({
  reason: z.string(),
  remedy: z.string(),
  /** In a row. */
  failures: z.int().min(1),
  /** Epoch milliseconds of the last try, and of the next. */
  at: z.number(),
  nextAt: z.number(),
})
/** What is wrong with the certificate. */
export type CertificateFault = z.infer<typeof certificateFault>

/** Of a certificate that ends: what to change, when it was tried last, and until when it is valid, in epoch milliseconds. */
export interface CertificateEnding {
  readonly remedy: string
  readonly at: number
  readonly until: number
}

export interface KeeperOptions {
  readonly source: CertificateSource
  /** Keeps what is wrong. */
  readonly directory: string
  /** Puts a certificate into use, at once and whenever there is a new one. */
  readonly use: (pair: Pair) => void
  readonly clock: Clock
  readonly log: Log
}

export interface Keeper {
  /** Looks now, and later by itself. Resolves when it has looked. */
  start(): Promise<void>
  /**
   * What owners are to know: the certificate in use has less than a third of its lifetime left, and could not be renewed. Undefined
   * while it has more, and as soon as a new one is in use.
   */
  ending(): CertificateEnding | undefined
  /** Gives up what it is about. May be called again. */
  close(): Promise<void>
}

/** Names and addresses of this machine change, and so may the clock. */
const lookMs = 600_000
/** Everything about one certificate: orders that an authority works on take a minute at most. */
const renewMs = 300_000
/** Let's Encrypt accepts five failed validations of a name in an hour. */
const firstRetryMs = 15 * 60_000
const lastRetryMs = 12 * 3_600_000

const faultPath = (directory: string): string => join(directory, 'fault.json')

/** What was wrong last; undefined when nothing was, or when the file says nothing. */
export async function readFault(directory: string): Promise<CertificateFault | undefined> {
  const text = await readIfThere(faultPath(directory))
  if (text === undefined || text === '') return undefined
  try {
    return certificateFault.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** Begins at once with what is kept, and looks after it until it is closed. A failure is logged and tried again, later and later. */
export async function keepCertificate(options: KeeperOptions): Promise<Keeper> {
  const { source, directory, use, clock, log } = options
  const life = new AbortController()
  let fault = await readFault(directory)
  // Whoever has changed something and starts again is not to wait for half a day.
  if (fault !== undefined) fault = { ...fault, nextAt: Math.min(fault.nextAt, fault.at + firstRetryMs) }
  let used: Pair | undefined
  let timer: NodeJS.Timeout | undefined

  function take(pair: Pair): void {
    if (pair.cert === used?.cert) return
    used = pair
    use(pair)
    log('info', 'https.certificate-used', { until: new X509Certificate(pair.cert).validTo })
  }

  async function isDue(): Promise<boolean> {
    const kept = await source.kept()
    if (kept !== undefined) take(kept)
    return kept === undefined || !isFor(kept, await source.names()) || clock() >= renewAt(kept)
  }

  async function renew(): Promise<void> {
    try {
      take(await source.renew(AbortSignal.any([life.signal, AbortSignal.timeout(renewMs)])))
      await setFault(undefined)
    } catch (thrown) {
      if (!life.signal.aborted) await setFault(faultOf(thrown))
    }
  }

  function faultOf(thrown: unknown, remedy = source.remedy(thrown)): CertificateFault {
    const [at, failures] = [clock(), (fault?.failures ?? 0) + 1]
    const waitMs = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(failures - 1, 10))
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    return {
      reason,
      remedy,
      failures,
      at,
      nextAt: at + Math.max(waitMs, source.waitMs(thrown) ?? 0),
    }
  }

  async function setFault(found: CertificateFault | undefined): Promise<void> {
    if (found === undefined && fault === undefined) return
    fault = found
    if (found !== undefined)
      log('error', 'https.certificate-failed', { error: found.reason, remedy: found.remedy, attempts: found.failures })
    await writeWhole(faultPath(directory), found === undefined ? '' : `${JSON.stringify(found)}\n`)
  }

  /** Never rejects: a disk that is full today may not be tomorrow. */
  async function look(): Promise<void> {
    try {
      // A clock that was set back waits for no year.
      const mayTry = fault === undefined || clock() >= fault.nextAt || clock() < fault.at
      if (!(await isDue())) await setFault(undefined)
      else if (mayTry) await renew()
    } catch (error) {
      const found = faultOf(error, 'Check the disk of the data directory.')
      log('error', 'https.certificate-failed', { error, remedy: found.remedy, attempts: found.failures })
      // What could not be written because of the disk says more.
      fault ??= found
    }
    if (!life.signal.aborted) timer = setTimeout(next, lookMs)
  }
  let looking = Promise.resolve()
  const next = () => void (looking = look())

  return {
    start: () => (looking = look()),
    ending() {
      if (used === undefined || fault === undefined || clock() < renewAt(used)) return undefined
      const { remedy, at } = fault
      return { remedy, at, until: new X509Certificate(used.cert).validToDate.getTime() }
    },
    async close() {
      life.abort()
      clearTimeout(timer)
      await looking
    },
  }
}
