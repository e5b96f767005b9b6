/** Which role a WebSocket is for: told by the key and by the endpoint, as at AWS, and never by the parameters alone. */
import type { Scope } from './credentials.ts'
import { ServiceError } from './service-error.ts'

export type Role = 'Master' | 'Viewer'

const paths = { Master: '/master', Viewer: '/viewer' } as const
/** What a key's role is where the endpoint has no path: cameras are known to manage that. */
const usual = { camera: 'Master', application: 'Viewer', viewer: 'Viewer' } as const satisfies Record<
  Scope['kind'],
  Role
>

/** The path of the WebSocket endpoint for whoever has a key of this scope and asks for this role, or for none. */
export function endpointPath({ kind }: Scope, asked?: 'MASTER' | 'VIEWER'): string {
  if (asked === undefined) return ''
  const role = asked === 'MASTER' ? 'Master' : 'Viewer'
  return usual[kind] === role ? '' : paths[role]
}

/**
 * The role of a connection to this path. AWS's Python sample sends a client id as a master, too. Only an application that
 * never asked for an endpoint is told by it.
 */
export function roleOf({ kind }: Scope, path: string | undefined, clientId: string | undefined): Role {
  if (path === paths.Master) return 'Master'
  if (path === paths.Viewer) return 'Viewer'
  if (path !== '/') throw new ServiceError('ResourceNotFoundException', 'There is no channel endpoint here.')
  return kind === 'application' && clientId === undefined ? 'Master' : usual[kind]
}
