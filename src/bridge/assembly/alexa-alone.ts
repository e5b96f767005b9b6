/** Of the bridge what answers Alexa, and no more: no page, no authorization server, no Google. */
import { createSecretKey } from 'node:crypto'
import { createUntoldChanges } from '../cameras/untold-changes.ts'
import { createShares } from '../cameras/sharing.ts'
import { createCameraStates } from '../cameras/states.ts'
import { createVisits } from '../cameras/visits.ts'
import { createTrust } from '../oauth/provider/trust.ts'
import { createAlexaSide, type AlexaSide } from './alexa.ts'
import { openBroker } from './broker.ts'
import { openCameras } from './cameras.ts'
import type { BridgeDeps } from './ground.ts'
import { createNotices } from './notices.ts'
import { trustedAuthority } from './trusted-authority.ts'

/**
 * The same answers as those of a whole bridge on the same store. Shares do not change here, and cameras only as a registry
 * has them: what follows from that is left to the sweep.
 */
export function createAlexaAlone(deps: BridgeDeps): AlexaSide {
  const { config, publicUrl, keys, clients, store, clock, log } = deps
  const { sealing } = keys
  const { cameras, copies } = openCameras(deps, createSecretKey(sealing, 'base64'), createUntoldChanges(store).note)
  const trust = createTrust({
    issuer: `${publicUrl}/oauth`,
    store,
    clients,
    signingKeys: keys.signing,
    sealingKey: sealing,
    clock,
    log,
  })
  return createAlexaSide({
    config: config.alexa,
    publicUrl,
    sealingKey: sealing,
    authority: trustedAuthority(config.linking.foreignTokens, trust, clock),
    cameras: { ...cameras, ...createShares(store, cameras).visible },
    copies,
    broker: openBroker(deps),
    visits: createVisits(store, clock),
    notices: createNotices({ store, clock, log }),
    states: createCameraStates(deps),
    store,
    clock,
    log,
  })
}
