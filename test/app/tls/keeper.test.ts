/** How the certificate is looked after: when it is renewed, and what follows when that fails. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { makeAuthority, makeServer, type Pair } from '../../../src/signaling/make-certificate.ts'
import { renewAt } from '../../../src/transom/tls/certificate.ts'
import { keepCertificate, readFault, type CertificateFault } from '../../../src/transom/tls/keeper.ts'

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
afterEach(() => rm(directory, { recursive: true }))

/** A source whose certificate is `kept`; `next` is what renewing gives, or throws. */
function createWorld(given: { kept?: Pair; next?: Pair | Error; names?: readonly string[] }) {
  const state = { now: begin, names: ['door.local'], renewals: 0, ...given }
  const used: string[] = []
  const faults: (CertificateFault | undefined)[] = []
  /** One start of the bridge that looks once. */
  const look = async () => {
    const keeper = await keepCertificate({
      source: {
        names: async () => state.names,
        kept: async () => state.kept,
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
      onFault: (fault) => void faults.push(fault),
      clock: () => state.now,
      log: () => {},
    })
    await keeper.start()
    await keeper.close()
  }
  return { state, used, faults, look }
}

test('the first start gets a certificate; the next ones use it until a third of its lifetime is left', async () => {
  const { state, used, faults, look } = createWorld({ next: first })
  await look()
  state.now = renewAt(first) - 1
  await look()
  expect([state.renewals, used]).toEqual([1, [first.cert, first.cert]])
  state.now = renewAt(first)
  state.next = second
  await look()
  expect([state.renewals, used.slice(2)]).toEqual([2, [first.cert, second.cert]])
  expect(faults).toEqual([])
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
  const { state, faults, look } = createWorld({ next: new Error('port 80 is closed') })
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
  expect(faults.at(-1)).toMatchObject({ failures: 9 })
  state.next = first
  await look()
  expect(faults.at(-1)).toBeUndefined()
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
