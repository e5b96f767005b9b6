/** `transom camera try`: the gateway that reads a camera plays its streams, or with `--tone` plays a tone at its loudspeaker. */
import type { OperatorAccess } from 'transom-bridge/operator/operator'
import { playedTone, triedSource, type PlayedTone, type TriedSource } from 'transom-core/wire/source'
import { printProbe } from './cli-probe.ts'
import { callOperator } from './operator-client.ts'
import type { Printed } from './terminal.ts'

/** The bridge itself gives up after 55 s. */
const tryMs = 60_000

/** What came of it; `hasWorked` decides the exit status. */
export interface Tried extends Printed {
  readonly hasWorked: boolean
}

/** Plays each stream of a camera as it is saved; `id` as it stands in a path. Throws an `Error` that says what to do. */
export async function tryCamera(access: OperatorAccess, id: string): Promise<Tried> {
  const tried = triedSource.parse(await callOperator(access, 'POST', `/cameras/${id}/try`, undefined, tryMs))
  return { json: tried, text: printTried(tried), hasWorked: 'best' in tried }
}

/** Plays a tone at the loudspeaker of a camera. Throws an `Error` that says what to do. */
export async function tryTone(access: OperatorAccess, id: string): Promise<Tried> {
  const played = playedTone.parse(await callOperator(access, 'POST', `/cameras/${id}/tone`, undefined, tryMs))
  return { json: played, text: printPlayed(played), hasWorked: played.packets > 0 }
}

function printTried(tried: TriedSource): string {
  if ('fault' in tried) {
    const { fault, certificate } = tried
    const shown = certificate && `certificate of ${certificate.place}: ${certificate.fingerprint}`
    return [fault.message, fault.advice, shown].filter((line) => line !== undefined).join('\n')
  }
  return tried.best === undefined ? `${printProbe(tried)}\n\nNo stream of this camera can be shown.` : printProbe(tried)
}

/** In the words of the page. */
const printPlayed = ({ packets, sent }: PlayedTone): string =>
  packets > 0 && packets === sent
    ? 'The camera accepted the tone. If nobody heard it, turn up the volume of its speaker.'
    : `The camera accepted ${packets} of ${sent} packets of the tone.`
