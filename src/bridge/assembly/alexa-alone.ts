/** Of the bridge what answers Alexa, and no more: no page, no authorization server, no Google. */
import { createSecretKey } from 'node:crypto'
import { createCameras } from '../cameras/cameras.ts'
import { createShares } from '../cameras/sharing.ts'
import { createCameraStates } from '../cameras/states.ts'
import { createVisits } from '../cameras/visits.ts'
import { createTrust } from '../oauth/provider/trust.ts'
import { createAlexaSide, type AlexaSide } from './alexa.ts'
import type { BridgeDeps } from './ground.ts'
import { openBroker } from './broker.ts'
import { createNotices } from './notices.ts'
import { trustedAuthority } from './trusted-authority.ts'

/** The same answers as those of a whole bridge on the same store. Neither cameras nor shares change here. */
export function createAlexaAlone(deps: BridgeDeps): AlexaSide {
  const { config, publicUrl, keys, clients, store, clock, log } = deps
  const { sealing } = keys
  const cameras = createCameras(store, undefined, createSecretKey(sealing, 'base64'))
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
    broker: openBroker(deps),
    visits: createVisits(store, clock),
    notices: createNotices({ store, clock, log }),
    states: createCameraStates(deps),
    store,
    clock,
    log,
  })
}
