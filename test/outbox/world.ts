/** Processes that share one store and may die at any moment, and an assistant that they talk to; time is Jest's. */
import { jest } from '@jest/globals'
import { createOutbox, type Outbox, type OutboxLimits } from '../../src/bridge/outbox/outbox.ts'
import type { Deliver, Delivery, Outgoing } from '../../src/bridge/outbox/outgoing.ts'
import { accountId, cameraId, type Store } from '../../src/core/ports.ts'
import { wrapped } from '../store/wrapped.ts'

export interface Process {
  readonly outbox: Outbox
  /** From now on nothing that it does has any effect, as after SIGKILL. */
  kill(): void
}

export interface Told {
  readonly event: Outgoing
  readonly at: number
}

export function createWorld(store: Store, answer: (event: Outgoing, signal: AbortSignal) => Promise<Delivery>) {
  const told: Told[] = []
  const lines: { level: string; event: string; fields: Readonly<Record<string, unknown>> }[] = []

  function boot(limits: Partial<OutboxLimits> = {}): Process {
    let isAlive = true
    const live = <T>(work: () => Promise<T>): Promise<T> => {
      if (!isAlive) return new Promise<T>(() => {})
      return work().then((value) => (isAlive ? value : new Promise<T>(() => {})))
    }
    const mortal = wrapped(store, (_kind, inner) => ({
      get: (id) => live(() => inner.get(id)),
      put: (...args) => live(() => inner.put(...args)),
      take: (id) => live(() => inner.take(id)),
      remove: (id) => live(() => inner.remove(id)),
      list: (...args) => live(() => inner.list(...args)),
    }))
    const deliver: Deliver = (event, signal) =>
      live(async () => {
        told.push({ event, at: Date.now() })
        return answer(event, signal)
      })
    const outbox = createOutbox({
      store: mortal,
      deliver: { alexa: deliver, google: deliver },
      clock: Date.now,
      log: (level, event, fields) => void lines.push({ level, event, fields: fields ?? {} }),
      limits,
    })
    return { outbox, kill: () => (isAlive = false) }
  }

  return { boot, told, lines }
}

let made = 0
export function press(over: Partial<Outgoing> = {}): Outgoing {
  const at = Date.now()
  const id = `press-${++made}`
  return {
    id,
    destination: 'alexa',
    lane: 'press',
    accountId: accountId('anna'),
    cameraId: cameraId('front-door'),
    body: { kind: 'press' },
    at,
    usefulUntil: at + 30_000,
    ...over,
  }
}

export function report(body: string, over: Partial<Outgoing> = {}): Outgoing {
  const at = Date.now()
  return { ...press({ lane: 'report', body, at, usefulUntil: at + 600_000 }), ...over }
}

/** Runs what is due now, microtasks included. */
export async function tick(ms = 0): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms)
}
