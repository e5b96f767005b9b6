/** Where the service is: the names by which it is reached, from this machine and from others. */
import { isIPv6 } from 'node:net'
import { isWildcard } from 'transom-core/setting-shapes'

interface Advertised {
  readonly host: string
  readonly advertisedHost?: string
  readonly advertisedUrl?: string
}

/** By which names this machine reaches the service and others do, and which of them its certificate is for. */
export function placeOf({ host, advertisedHost, advertisedUrl }: Advertised) {
  const localHost = host === '' || isWildcard(host) ? '127.0.0.1' : host
  const advertised = advertisedUrl === undefined ? undefined : new URL(advertisedUrl)
  // An IPv6 address stands in brackets in a URL, and without them everywhere else.
  const urlHost = advertised?.hostname.replace(/^\[|\]$/g, '')
  const publicHost = advertisedHost ?? urlHost ?? localHost
  const names = [...new Set(['localhost', '127.0.0.1', '::1', localHost, publicHost, urlHost ?? publicHost])]
  return { localHost, publicHost, names, advertisedOrigin: advertised?.origin }
}

/** Host and port as they stand in a URL. */
export const joinPort = (host: string, port: number) => `${isIPv6(host) ? `[${host}]` : host}:${port}`

/** The origins for either protocol, of an endpoint with `http` or `https`. */
export function originsOf(endpoint: string): { readonly https: string; readonly wss: string } {
  return { https: endpoint, wss: endpoint.replace(/^http/, 'ws') }
}
