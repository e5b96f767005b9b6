/** What a display's media comes over: ICE and DTLS of werift, each within its time. */

import { networkInterfaces } from 'node:os'
import {
  IceCandidate,
  parseIceServers,
  RTCDtlsFingerprint,
  RTCDtlsParameters,
  RTCDtlsTransport,
  RTCIceGatherer,
  RTCIceParameters,
  RTCIceTransport,
} from 'werift'
import { bounded, untilAborted } from 'transom-core/deadline'
import type { IceServer } from 'transom-core/ports'
import type { Answer } from './answer.ts'
import { CallError } from './causes.ts'
import type { LocalEnd } from './offer.ts'

export interface TransportOptions {
  /** `echo` as Amazon's media server behind an Echo Show, `hub` as the player page of a Nest Hub. */
  readonly style: 'echo' | 'hub'
  readonly iceServers: readonly IceServer[]
  readonly limits: DisplayLimits
  /** Called at each milestone, in the moment it is reached. */
  readonly onStep: (step: TransportStep) => void
}

/** Milliseconds. */
export interface DisplayLimits {
  /** How long candidates are gathered; those that are not there by then are left out. */
  readonly gatherMs: number
  readonly iceMs: number
  readonly dtlsMs: number
}

export type TransportStep = 'ice-connected' | 'dtls-connected'

export interface Transport {
  readonly ice: RTCIceTransport
  readonly dtls: RTCDtlsTransport
  /** Gathers candidates for as long as the limits allow; what an offer says of this end. */
  gather(signal: AbortSignal): Promise<Pick<LocalEnd, 'ufrag' | 'password' | 'fingerprint' | 'candidates'>>
  /** Connects to the other end. Throws `ice_failed` or `dtls_failed`. */
  connect(answer: Answer, signal: AbortSignal): Promise<void>
}

/** SRTP profiles offered in DTLS (RFC 5764, RFC 7714): AEAD_AES_128_GCM before AES128_CM_HMAC_SHA1_80. */
const SRTP_PROFILES = [7, 1] as const

/** Opens no socket before `gather`. Whoever made it stops `dtls`. */
export async function createTransport({ style, iceServers, limits, onStep }: TransportOptions): Promise<Transport> {
  const certificate = await RTCDtlsTransport.SetupCertificate()
  const ice = new RTCIceTransport(
    new RTCIceGatherer({
      ...parseIceServers(iceServers.map((server) => ({ ...server, urls: [...server.urls] }))),
      stunGatherTimeout: limits.gatherMs / 1000,
      useIpv4: true,
      useIpv6: style === 'hub',
      // Without any network, two programs on one machine can still meet on the loopback.
      additionalHostAddresses: hasNetwork() ? [] : ['127.0.0.1'],
    }),
  )
  ice.connection.iceControlling = true
  const dtls = new RTCDtlsTransport({}, ice, certificate, [...SRTP_PROFILES])

  return {
    ice,
    dtls,

    async gather(signal) {
      // Gathering may take 40 s when a server is silent: what has come by the deadline must do.
      const cut = new CallError('ice_failed', 'gathering was cut short')
      await bounded(
        signal,
        limits.gatherMs,
        () => cut,
        (within) => untilAborted(ice.gather(), within),
      ).catch((error: unknown) => {
        if (error !== cut) throw error
      })
      const { usernameFragment: ufrag, password } = ice.localParameters
      const [fingerprint] = certificate.getFingerprints()
      const candidates = ice.localCandidates.map(({ ip, port, type, priority, relatedAddress, relatedPort }) => {
        return { address: ip, port, type, priority, relatedAddress, relatedPort }
      })
      return { ufrag, password, fingerprint: fingerprint?.value ?? '', candidates }
    },

    async connect(answer, signal) {
      await setRemote(ice, dtls, answer)
      const noPair = (cause?: unknown) => new CallError('ice_failed', iceSummary(answer), { cause })
      await bounded(signal, limits.iceMs, noPair, (within) => untilAborted(rethrow(ice.start(), noPair), within))
      onStep('ice-connected')
      await bounded(signal, limits.dtlsMs, late, (within) => untilAborted(rethrow(dtls.start(), broken), within))
      onStep('dtls-connected')
    },
  }
}

const late = () => new CallError('dtls_failed', 'no DTLS handshake in time')

const broken = (cause: unknown) =>
  new CallError('dtls_failed', cause instanceof Error ? cause.message : String(cause), { cause })

async function setRemote(ice: RTCIceTransport, dtls: RTCDtlsTransport, answer: Answer): Promise<void> {
  ice.setRemoteParams(new RTCIceParameters({ usernameFragment: answer.ufrag, password: answer.password }))
  for (const candidate of answer.candidates) {
    const parsed = IceCandidate.fromJSON({ candidate, sdpMLineIndex: 0 })
    if (parsed !== undefined) await ice.addRemoteCandidate(parsed)
  }
  await ice.addRemoteCandidate()
  const { algorithm, value } = answer.fingerprint
  const isServer = answer.setup === 'active'
  dtls.role = isServer ? 'server' : 'client'
  const fingerprint = new RTCDtlsFingerprint(algorithm, value)
  dtls.setRemoteParams(new RTCDtlsParameters([fingerprint], isServer ? 'client' : 'server'))
}

/** Gives the failure its name, and keeps its cause. */
async function rethrow<T>(work: Promise<T>, name: (cause: unknown) => CallError): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw name(error)
  }
}

function iceSummary({ candidates }: Answer): string {
  const kinds = new Set(candidates.map((candidate) => / typ (\w+)/.exec(candidate)?.[1] ?? 'unknown'))
  return `no check succeeded with the camera's ${candidates.length} candidates (${[...kinds].join(', ')})`
}

const hasNetwork = (): boolean =>
  Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ internal, family }) => !internal && family === 'IPv4'),
  )
