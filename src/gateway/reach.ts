/** Connections to cameras stay within the networks that are allowed, whatever a name or a redirect leads to. */
import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { SourceError } from './media.ts'
import type { Trust } from './trust.ts'

/** Options for `connect` of node:net and node:tls. `label` is safe to log. Throws `SourceError('source_invalid')`. */
export function reachOf(
  host: string,
  label: string,
  trust: Trust,
): { readonly host: string; readonly lookup: LookupFunction } {
  if (isIP(host) !== 0 && !trust.mayReach(host)) throw outside(label)
  return { host, lookup: lookupWithin(trust, label) }
}

/** Looks names up as Node does, and leaves out addresses that are out of bounds: what a name leads to is not for its owner to say. */
function lookupWithin(trust: Trust, label: string): LookupFunction {
  return (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error) return done(error, '')
      const within = found.filter(({ address }) => trust.mayReach(address))
      const [first] = within
      if (first === undefined) return done(outside(label), '')
      return options.all === true ? done(null, within) : done(null, first.address, first.family)
    })
  }
}

const outside = (label: string) =>
  new SourceError('source_invalid', `${label} is outside of the networks that are allowed (TRANSOM_SOURCE_NETWORKS)`)
