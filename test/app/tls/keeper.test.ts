/** How the certificate is looked after: when it is renewed, and what follows when that fails. */
import { mkdtemp, rm } from 'node:fs/promises'
import { X509Certificate } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { makeAuthority, makeServer, type Pair } from '../../../src/signaling/make-certificate.ts'
import { renewAt } from '../../../src/transom/tls/certificate.ts'
import { keepCertificate, readFault, type CertificateEnding } from '../../../src/transom/tls/keeper.ts'
import { hold } from '../../timers.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const begin = Date.UTC(2026, 10, 28)
let directory: string
let first: Pair
let second: Pair
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keeper-'))
  const ca = await makeAuthority(begin)
  first = await makeServer(ca, { names: ['door.local'], commonName: 'First' }, begin)
  second = await makeServer(ca, { names: ['door.local', 'other.local'], commonName: 'Second' }, begin)
})
afterEach(async () => {
  jest.useRealTimers()
  await rm(directory, { recursive: true })
})

/** A source whose certificate is `kept`; `next` is what renewing gives, or throws. */
function createWorld(given: { kept?: Pair; next?: Pair | Error; names?: readonly string[] }) {
  const state = { now: begin, names: ['door.local'], renewals: 0, isReadable: true, ...given }
  const used: string[] = []
  /** What owners are to know after each look. */
  const endings: (CertificateEnding | undefined)[] = []
  const open = () =>
    keepCertificate({
      source: {
        names: async () => state.names,
        kept: async () => {
          if (!state.isReadable) throw new Error('EIO')
          return state.kept
        },
        renew: async () => {
          state.renewals += 1
          if (state.next === undefined || state.next instanceof Error) throw state.next ?? new Error('nothing')
          return (state.kept = state.next)
        },
        remedy: () => 'Forward the port.',
        waitMs: (thrown) => (String(thrown).includes('slowly') ? 20 * hourMs : undefined),
      },
      directory,
      use: ({ cert }) => void used.push(cert),
      clock: () => state.now,
      log: () => {},
    })
  /** One start of the bridge that looks once. */
  const look = async () => {
    const keeper = await open()
    await keeper.start()
    await keeper.close()
    endings.push(keeper.ending())
  }
  return { state, used, endings, open, look }
}

test('the first start gets a certificate; the next ones use it until a third of its lifetime is left', async () => {
  const { state, used, endings, look } = createWorld({ next: first })
  await look()
  state.now = renewAt(first) - 1
  await look()
  expect([state.renewals, used]).toEqual([1, [first.cert, first.cert]])
  state.now = renewAt(first)
  state.next = second
  await look()
  expect([state.renewals, used.slice(2)]).toEqual([2, [first.cert, second.cert]])
  expect(endings).toEqual([undefined, undefined, undefined])
})

test('a name that is new is a reason, and until it has one the bridge goes on with what it has', async () => {
  const { state, used, look } = createWorld({ kept: first, names: ['door.local', 'other.local'] })
  await look()
  expect([state.renewals, used]).toEqual([1, [first.cert]])
  state.next = second
  state.now += 15 * minuteMs
  await look()
  expect(used.at(-1)).toBe(second.cert)
})

test('what fails is reported with its remedy, tried later and later, and forgotten when it works', async () => {
  const { state, look } = createWorld({ next: new Error('port 80 is closed') })
  const waits: number[] = []
  const keeper = { at: begin }
  for (let tried = 0; tried < 9; tried++) {
    await look()
    const fault = (await readFault(directory))!
    expect(fault).toMatchObject({ reason: 'port 80 is closed', remedy: 'Forward the port.', failures: tried + 1 })
    waits.push((fault.nextAt - fault.at) / minuteMs)
    keeper.at = fault.nextAt
    state.now = fault.nextAt
  }
  expect(waits).toEqual([15, 30, 60, 120, 240, 480, 720, 720, 720])
  state.next = first
  await look()
  expect(await readFault(directory)).toBeUndefined()
})

test('owners know of a certificate that cannot be renewed from a third of its lifetime on, until there is a new one', async () => {
  const { state, endings, look } = createWorld({
    kept: first,
    next: new Error('port 80 is closed'),
    names: ['door.local', 'other.local'],
  })
  const until = new X509Certificate(first.cert).validToDate.getTime()
  // A name is missing, which is a fault, and there is much time for it.
  await look()
  state.now = renewAt(first) - 1
  await look()
  expect(await readFault(directory)).toMatchObject({ failures: 2 })
  state.now += 1
  await look()
  // It has ended, and nothing else changes.
  const at = state.now
  state.now = until + 1
  await look()
  state.next = await makeServer(
    await makeAuthority(state.now),
    { names: ['door.local', 'other.local'], commonName: 'Third' },
    state.now,
  )
  state.now += hourMs
  await look()
  const ending = { remedy: 'Forward the port.', until }
  // The third look came before the next try.
  expect(endings).toEqual([undefined, undefined, { ...ending, at: at - 1 }, { ...ending, at: until + 1 }, undefined])
})

test('of a disk that fails while it runs, owners know as well', async () => {
  hold('setTimeout')
  const { state, open } = createWorld({ kept: first })
  const keeper = await open()
  await keeper.start()
  state.isReadable = false
  state.now = renewAt(first)
  jest.advanceTimersByTime(10 * minuteMs)
  await keeper.close()
  expect(keeper.ending()).toMatchObject({ remedy: 'Check the disk of the data directory.', at: state.now })
})

test('a fault is over when nothing is to be renewed any more', async () => {
  const { state, look } = createWorld({ kept: first, names: ['door.local', 'other.local'] })
  await look()
  expect(await readFault(directory)).toMatchObject({ failures: 1 })
  state.names = ['door.local']
  await look()
  expect(await readFault(directory)).toBeUndefined()
})

test('whoever restarts again and again makes no more tries than an authority allows', async () => {
  const { state, look } = createWorld({})
  for (let restart = 0; restart < 60; restart++) {
    await look()
    state.now += minuteMs
  }
  expect(state.renewals).toBe(4)
})

test('an authority that asks to wait is not asked before', async () => {
  const { look } = createWorld({ next: new Error('slowly') })
  await look()
  expect(await readFault(directory)).toMatchObject({ nextAt: begin + 20 * hourMs })
})

test('a clock that was set back does not keep the next try waiting', async () => {
  const { state, look } = createWorld({})
  await look()
  state.now -= 365 * 24 * hourMs
  await look()
  expect(state.renewals).toBe(2)
})
