/** The way to a camera master by a signaling service in this process, without the SDKs of AWS. */
import type { Log } from 'transom-core/ports'
import { createLocalReach, type LocalService } from './local.ts'
import { createSignaling, type ClosableSignaling } from './over-reach.ts'

/** Opens the camera side to a service in this process: an offer costs no connection, no signature and no round trip. */
export function createLocalSignaling(service: LocalService, { log }: { readonly log: Log }): ClosableSignaling {
  return createSignaling(createLocalReach(service), 'this process', new AbortController(), log)
}
