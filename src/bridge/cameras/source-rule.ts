/** Who may say where a gateway connects to: an address is a way into the network of whoever runs it. */
import type { User } from '../oauth/people/users.ts'

/**
 * Whether the owner of a camera may name its address, beside the operator, who always may. On a bridge that several parties
 * share (people with a `tenant`) nobody else may, nor may accounts of another server, of which nothing is known (`undefined`).
 * Where a gateway then connects is bounded by `TRANSOM_SOURCE_NETWORKS`.
 */
export const mayNameSource = (owner: Pick<User, 'tenant'> | undefined): boolean =>
  owner !== undefined && owner.tenant === undefined
