/** `transom doctor`: STUN and TURN servers, tried as a camera tries them, and what they say of the NAT before this machine. */
import { networkInterfaces } from 'node:os'
import type { IceServer } from 'transom-core/ports'
import { turnPassword } from 'transom-signaling/ice-servers'
import { tryIceServer, type IceServerTrial } from 'transom-gateway/try-ice-server'
import type { Clock } from 'transom-core/ports'
import type { Config } from '../config.ts'
import { bad, good, type Check, type Finding } from './check.ts'
import { mappingsOf } from './nat.ts'

const trialMs = 6_000
/** For one round trip, asked again where a packet was lost. */
const bindingMs = 2_000

/** One check for each URL, each with its own finding `ice-server:URL`, and `nat`. */
export function iceChecks(config: Config, clock: Clock): readonly Check[] {
  const servers = serversOf(config, clock)
  return [{ id: 'ice-servers', ms: 2 * trialMs, run: (signal) => checkServers(servers, signal) }]
}

/** Each URL alone, with the credentials that a camera would get. */
function serversOf({ iceServers, signaling: { turn } }: Config, clock: Clock): readonly IceServer[] {
  const made = turn && { urls: turn.urls, ...turnPassword(turn.secret, 'transom-doctor', clock() + 300_000) }
  return [...(made ? [made] : []), ...iceServers].flatMap((server) =>
    server.urls.map((url) => ({ ...server, urls: [url] })),
  )
}

async function checkServers(servers: readonly IceServer[], signal: AbortSignal): Promise<readonly Finding[]> {
  if (servers.length === 0)
    return [
      good('ice-servers', 'none set: displays must be in the network of the cameras, or reach them directly'),
      good('nat', 'not known without a STUN server (TRANSOM_ICE_SERVERS)'),
    ]
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(trialMs)])
  const udp = [...new Set(servers.flatMap(({ urls }) => urls))].filter((url) => /^(stun|turn):(?!.*=tcp)/.test(url))
  const [mappings, ...trials] = await Promise.all([
    // One server alone has nothing to compare with.
    mappingsOf(udp.length > 1 ? udp : [], AbortSignal.any([bounded, AbortSignal.timeout(bindingMs)])),
    ...servers.map((server) => tryIceServer(server, bounded)),
  ])
  return [...trials.map(findingOf), natOf(trials, mappings)]
}

function findingOf({ url, address, error }: IceServerTrial): Finding {
  const id = `ice-server:${url}`
  if (error === undefined && address !== undefined)
    return good(id, `gives ${url.startsWith('turn') ? 'a relay' : 'an'} address`)
  const detail = error ?? 'it gave no address'
  const isAuth = /40[13]|43\d|44\d|unauthor|credential|nonce/i.test(detail)
  return bad(
    id,
    detail,
    isAuth
      ? 'It refuses the credentials: TRANSOM_TURN_SECRET must be the static-auth-secret of coturn, and the clocks must agree; or correct username and credential.'
      : 'Check its name and port, and open them in its firewall, for UDP as well; displays wait for a server that is dead.',
  )
}

/** By the addresses that STUN servers saw, and whether two of them saw one and the same (RFC 4787 section 4.1). */
function natOf(trials: readonly IceServerTrial[], mappings: readonly (string | undefined)[]): Finding {
  const seen = trials.filter(({ url, address }) => url.startsWith('stun') && address !== undefined)
  const [first] = seen
  if (first?.address === undefined) return good('nat', 'not known: no STUN server answered')
  const host = first.address.slice(0, first.address.lastIndexOf(':'))
  const isOwn = Object.values(networkInterfaces())
    .flat()
    .some((one) => one?.address === host)
  if (isOwn) return good('nat', 'none: the STUN server sees an address of this machine')
  const hasRelay = trials.some(({ url, address }) => url.startsWith('turn') && address !== undefined)
  const seenBy = mappings.filter((one) => one !== undefined)
  if (new Set(seenBy).size > 1) {
    const detail = 'this machine is behind a symmetric NAT, which gives each destination another port'
    return hasRelay
      ? good('nat', `${detail}; a TURN server relays the picture where that is in the way`)
      : bad(
          'nat',
          detail,
          'Set up a TURN server (TRANSOM_TURN_URLS): displays outside of this network cannot reach cameras here.',
        )
  }
  const kind = seenBy.length > 1 ? ', which gives each destination the same port' : ''
  return good(
    'nat',
    `this machine is behind a NAT${kind}${hasRelay ? '' : '; a display in a network with a strict one needs a TURN server'}`,
  )
}
