/** What follows in the bridge when the last link of an account with an assistant ends. */
import { randomBytes } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { exportJWK, generateKeyPair } from 'jose'
import { createBridge } from '../../src/app/bridge.ts'
import { readConfig } from '../../src/app/config.ts'
import { accountId, type Store } from '../../src/ports.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'

const ada = accountId('ada')
const century = 100 * 365 * 24 * 3600

/** A link as the pages make it, put there. */
async function putLink(store: Store, id: string, clientId: string): Promise<void> {
  const iat = Math.floor(Date.now() / 1000)
  const grant = { accountId: ada, clientId, iat, exp: iat + century }
  await store.collection('oauth-Grant').put(id, grant, { group: ada })
}

test("Alexa's event tokens are dropped with its last link, and not before", async () => {
  const store = createSqliteStore(':memory:', Date.now)
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const client = { clientSecret: 'x'.repeat(20), redirectUris: ['https://layla.amazon.com/api/skill/link/M2'] }
  const bridge = createBridge({
    config: readConfig({}),
    publicUrl: 'https://bridge.example',
    keys: {
      signing: [{ ...(await exportJWK(privateKey)), kty: 'EC' }],
      cookies: ['k'],
      sealing: randomBytes(32).toString('base64'),
    },
    clients: [
      { ...client, clientId: 'alexa', assistant: 'alexa' },
      { ...client, clientId: 'second-skill', assistant: 'alexa' },
      { ...client, clientId: 'google', assistant: 'google' },
    ],
    store,
    signaling: {
      // oxlint-disable-next-line require-yield -- nobody calls
      async *offer() {
        throw new Error('nobody calls')
      },
      iceServers: async () => [],
      warm: () => {},
    },
    presence: () => undefined,
    clock: Date.now,
    log: () => {},
  })
  try {
    const tokens = store.collection<{ sealed: string }>('alexa-link')
    await tokens.put(ada, { sealed: 'what Amazon granted' })
    await putLink(store, 'one', 'alexa')
    await putLink(store, 'two', 'second-skill')
    await putLink(store, 'three', 'google')
    await bridge.oauth.unlinkAssistant(ada, 'google')
    await bridge.oauth.unlink(ada, 'alexa')
    expect(await tokens.get(ada)).toBeDefined()
    await bridge.oauth.unlink(ada, 'second-skill')
    expect(await tokens.get(ada)).toBeUndefined()
  } finally {
    await bridge.close()
    await store.close()
  }
})
