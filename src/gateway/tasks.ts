/** What a bridge asks of this gateway once: to look for cameras, to probe one, to try a loudspeaker. Each with a deadline. */
import type { GatewayLine, GatewayTask, TaskResult } from 'transom-core/wire/gateway'
import type { SeenCertificate } from 'transom-core/wire/source'
import type { CameraMaster } from './camera.ts'
import { faultOf, SourceError } from './media.ts'
import { discoverCameras } from './onvif/discovery.ts'
import { probeCamera } from './probe.ts'
import { listRestreams } from './restreams.ts'
import { createTrust, type Trust } from './trust.ts'

/** A probe holds a few connections, and decodes a picture. */
const mostAtOnce = 8
/** What is left of the time of a task for all but the measuring of streams. */
const besidesMs = 15_000

export type TaskLine = Extract<GatewayLine, { readonly kind: 'task' }>

export interface Tasks {
  /** Does it, and answers. Never rejects. */
  run(line: TaskLine): Promise<void>
  /** Nobody waits for it any more. */
  cancel(id: string): void
  /** Cancels all. */
  close(): Promise<void>
}

/** `answer` sends a result to the bridge; what it rejects with is for its own log. */
export function createTasks(deps: {
  readonly master: (cameraId: string) => Promise<CameraMaster | undefined>
  readonly answer: (id: string, result: TaskResult) => Promise<void>
}): Tasks {
  const running = new Map<string, { readonly abort: AbortController; readonly work: Promise<void> }>()

  async function work({ id, task, withinMs, networks }: TaskLine, abort: AbortController): Promise<void> {
    const timeout = AbortSignal.timeout(withinMs)
    const seen = watchTrust(task, networks)
    try {
      if (running.size >= mostAtOnce)
        throw new SourceError('source_busy', 'the gateway does other things at the moment')
      const signal = AbortSignal.any([abort.signal, timeout])
      await deps.answer(id, await carryOut(task, seen.trust, withinMs - besidesMs, deps.master, signal))
    } catch (thrown) {
      if (abort.signal.aborted) return
      const late = new SourceError('source_unreachable', `nothing came of it within ${Math.round(withinMs / 1_000)} s`)
      const certificate = seen.refused()
      const fault = faultOf(timeout.aborted ? late : thrown)
      await deps.answer(id, { kind: 'fault', fault, ...(certificate && { certificate }) })
    }
  }

  return {
    async run(line) {
      const abort = new AbortController()
      const done = work(line, abort)
        .catch(() => undefined)
        .finally(() => running.delete(line.id))
      running.set(line.id, { abort, work: done })
      return done
    },
    cancel: (id) => running.get(id)?.abort.abort(),
    async close() {
      const all = [...running.values()]
      for (const { abort } of all) abort.abort()
      await Promise.all(all.map(({ work: one }) => one))
    },
  }
}

/** What may be reached, and which certificate was refused on the way. */
function watchTrust(task: GatewayTask, networks: readonly string[] | undefined) {
  let refused: SeenCertificate | undefined
  const certificates = task.kind === 'probe' ? task.certificates : {}
  const trust = createTrust({ certificates, networks })
  const watched: Trust = {
    ...trust,
    admits(place, fingerprint) {
      const isAdmitted = trust.admits(place, fingerprint)
      if (!isAdmitted) refused = { place, fingerprint }
      return isAdmitted
    },
  }
  return { trust: watched, refused: () => refused }
}

async function carryOut(
  task: GatewayTask,
  trust: Trust,
  measureMs: number,
  masterOf: (cameraId: string) => Promise<CameraMaster | undefined>,
  signal: AbortSignal,
): Promise<TaskResult> {
  switch (task.kind) {
    case 'discover': {
      const cameras = await discoverCameras(signal)
      const within = cameras.filter(({ address }) => trust.mayReach(new URL(address).hostname.replace(/^\[|\]$/g, '')))
      return { kind: 'discover', cameras: [...within] }
    }
    case 'restreams':
      return { kind: 'restreams', ...(await listRestreams(task.url, task.login, signal, trust)) }
    case 'probe':
      return {
        kind: 'probe',
        probe: await probeCamera(task.address, task.login, signal, { trust, ms: measureMs, hasPicture: true }),
      }
    case 'tone': {
      const master = await masterOf(task.cameraId)
      if (master === undefined) throw new SourceError('source_gateway', 'the gateway does not read this camera')
      return { kind: 'tone', ...(await master.playTone(signal)) }
    }
  }
}
