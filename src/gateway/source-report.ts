/** What the bridge is told of a camera's source: at each change, and now and then while something is wrong. */
import { pause } from 'transom-core/deadline'
import type { Clock, Fault } from 'transom-core/ports'
import type { CameraEvent } from 'transom-core/wire/camera-event'
import type { ServerMemory } from './ice-servers.ts'
import type { SharedSource } from './source.ts'

/** How often what lasts and is wrong is reported again, for a bridge that was not there. */
const againMs = 60_000
/** As many failed servers, and so much about each, as a report may carry. */
const mostServers = 16
const longestMessage = 200

/** What is reported, and to whom. */
export interface SourceReportOptions {
  readonly source: Pick<SharedSource, 'state' | 'changed'>
  readonly memory: Pick<ServerMemory, 'failing'>
  /** Why its ONVIF events do not arrive. */
  readonly eventsFault: () => Fault | undefined
  /** Never rejects. */
  readonly report: (event: CameraEvent) => Promise<boolean>
  readonly clock: Clock
}

/** Reports how the source fares, and its servers; nothing while that is not known. */
export function reportSource({ source, memory, eventsFault: eventsFaultOf, report, clock }: SourceReportOptions): void {
  const state = source.state()
  const failed = memory.failing().slice(0, mostServers)
  const failedServers = failed.map(({ url, message }) => ({ url, message: message.slice(0, longestMessage) }))
  const eventsFault = eventsFaultOf()
  const besides = { ...(failed.length > 0 && { failedServers }), ...(eventsFault && { eventsFault }) }
  const known = { kind: 'source', at: Math.round(clock()), ...besides } as const
  if (state?.kind === 'good') {
    const { hasSpeaker, reencoding } = state.info
    void report({ ...known, hasSpeaker, ...(reencoding && { reencoding }) })
  }
  if (state?.kind === 'faulty') void report({ ...known, fault: state.fault })
}

/** Reports until the signal aborts. Never rejects. */
export async function keepReporting(options: SourceReportOptions, signal: AbortSignal): Promise<void> {
  const { source, memory, eventsFault } = options
  let reported = source.state()
  reportSource(options)
  while (!signal.aborted) {
    const again = new AbortController()
    const bounds = AbortSignal.any([signal, again.signal])
    await Promise.race([source.changed(reported, bounds), pause(againMs, bounds)])
    again.abort()
    const state = source.state()
    const isWell = state?.kind !== 'faulty' && memory.failing().length === 0 && eventsFault() === undefined
    if (!signal.aborted && (state !== reported || !isWell)) reportSource(options)
    reported = state
  }
}
