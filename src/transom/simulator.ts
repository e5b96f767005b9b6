/** The simulator inside the embedded bridge: the vendors of whom there are no credentials, and displays that are browsers. */
import type { Authority } from 'transom-bridge/authority'
import { isRedirectUri, type OAuthClient } from 'transom-bridge/oauth/client'
import type { Clock, Log } from 'transom-core/ports'
import { linkedUri } from 'transom-simulator/account-links'
import { createSimulatorCloud, type SimulatorCloud } from 'transom-simulator/cloud'
import { startEventReceivers, type EventReceivers } from 'transom-simulator/event-receivers'
import type { AssistantName } from 'transom-simulator/settings'
import type { Config } from './config.ts'
import type { Secrets } from './secrets.ts'

export interface SimulatedVendors {
  /** The settings as they were given, with us in place of the vendors that we play. */
  readonly config: Config
  /** What the bridge tells these of its own accord is told to us. */
  readonly plays: readonly AssistantName[]
  readonly receivers: EventReceivers
}

/** Plays each vendor of whom there are no credentials, so that nothing is said to the real one; `undefined` when it is off. */
export async function simulateVendors(
  config: Config,
  deps: { readonly authorize: Authority['authorize']; readonly clock: Clock },
): Promise<SimulatedVendors | undefined> {
  if (!config.simulator) return undefined
  const receivers = await startEventReceivers({
    // `npm run call` asks with the token of the assistant that it plays.
    accountOf: async (token) => (await deps.authorize('records', token)).accountId,
    clock: deps.clock,
  })
  const { gatewayUrl, ...lwa } = receivers.amazon
  const { url: homeGraphUrl, serviceAccount } = receivers.homeGraph
  const alexa = config.alexa.lwa.clientId === undefined ? { lwa, gatewayUrl } : undefined
  // Nothing gets lost on the way to a Home Graph in this process: there is nothing to reconcile.
  const google =
    config.google.serviceAccount === undefined
      ? { serviceAccount: JSON.stringify(serviceAccount), homeGraphUrl, reconcileMs: 0 }
      : undefined
  return {
    config: { ...config, alexa: { ...config.alexa, ...alexa }, google: { ...config.google, ...google } },
    plays: [...(alexa ? (['alexa'] as const) : []), ...(google ? (['google'] as const) : [])],
    receivers,
  }
}

/** Plain http in a home network is no place to be a display: a link must not come back there, nor may Google's player post. */
export const canBeDisplay = (publicUrl: string): boolean => isRedirectUri(linkedUri(publicUrl, 'alexa'))

/** Amazon's and Google's clouds for the page of the bridge. */
export function simulateDisplays(deps: {
  readonly vendors: SimulatedVendors
  readonly bridge: string
  readonly publicUrl: string
  readonly forwarderSecret: string | undefined
  readonly secrets: Secrets
  readonly authority: Authority
  readonly clock: Clock
  readonly log: Log
}): SimulatorCloud {
  const { authority, secrets, vendors } = deps
  const { announcements, grantCode } = vendors.receivers
  return createSimulatorCloud({
    ...deps,
    clients: {
      alexa: { clientId: 'alexa', clientSecret: secrets.clientSecrets.alexa },
      google: { clientId: 'google', clientSecret: secrets.clientSecrets.google },
    },
    announcements,
    ...(vendors.plays.includes('alexa') && { grantCode }),
    linkAccount: async (token) => (await authority.authorize('records', token)).accountId,
    pageAccount: async (token) => (await authority.authorize('page', token)).accountId,
  })
}

/** What a developer would type into the consoles, for `npm run call`. */
export function simulatorSettings(deps: {
  readonly bridge: string
  readonly demo: Secrets['demo']
  readonly clients: readonly OAuthClient[]
  readonly vendors: SimulatedVendors | undefined
  readonly forwarderSecret: string | undefined
  readonly cameraId: string
}): object {
  const { bridge, demo, clients, vendors, forwarderSecret, cameraId } = deps
  const byAssistant = clients.map(({ assistant, clientId, clientSecret, redirectUris }) => [
    assistant,
    { clientId, clientSecret, redirectUri: redirectUris[0] },
  ])
  return {
    bridge,
    user: { login: demo.login, password: demo.password },
    clients: Object.fromEntries(byAssistant),
    ...(vendors && { receivers: { url: vendors.receivers.url, plays: vendors.plays } }),
    ...(forwarderSecret !== undefined && { forwarderSecret }),
    cameraKeys: { [cameraId]: demo.cameraKey },
  }
}
