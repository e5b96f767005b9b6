/** The way to a camera master over KVS, or a service like it elsewhere. */
import type { Clock, Log } from 'transom-core/ports'
import type { KvsAccess } from './access.ts'
import type { ChannelMemory } from './known-channels.ts'
import { createSignaling, type ClosableSignaling } from './over-reach.ts'
import { createRemoteReach } from './remote.ts'

/**
 * Opens the camera side over the network. Endpoints and ICE servers are fetched at the first use or by `warm`; with both at
 * hand an offer costs one WebSocket connection and no REST call, and it never waits for ICE servers; with `warm` for its
 * viewer it costs one message. `memory` keeps endpoints for processes that start anew. `close` hangs up everything.
 */
export function createKvsSignaling(
  access: KvsAccess,
  deps: { readonly memory?: ChannelMemory; readonly clock: Clock; readonly log: Log },
): ClosableSignaling {
  const life = new AbortController()
  return createSignaling(createRemoteReach(access, { ...deps, life: life.signal }), access.region, life, deps.log)
}
