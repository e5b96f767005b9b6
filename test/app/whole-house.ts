/** The whole bridge in memory, as embedded and AWS share it: real rooms and store, a fake camera, Amazon and Google on loopback. */
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { createBridge, type Bridge } from '../../src/bridge/assembly/bridge.ts'
import type { BridgeDeps } from '../../src/bridge/assembly/ground.ts'
import { readConfig } from '../../src/transom/config.ts'
import { withKeyId } from '../../src/bridge/oauth/provider/keyring.ts'
import { accountId, cameraId, type AccountId, type Camera, type CameraMessage } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createRecordings } from '../../src/transom/recordings/recordings.ts'
import { client as lwaClient, startAmazon } from '../alexa/amazon.ts'
import { acceptGrant } from '../alexa/directives.ts'
import { cSdkAnswer, hostCandidate } from '../broker/fixtures.ts'
import { startFakeGoogle } from '../google/fake-google.ts'

const publicUrl = 'https://bridge.example'
const address = { clientSecret: 'x'.repeat(20), redirectUris: ['https://layla.amazon.com/api/skill/link/M2'] }

export type WholeHouse = Awaited<ReturnType<typeof openWholeHouse>>

/** `isLive`: as embedded; else as on Lambda. `database`: `file` for one that `everything` can read. */
export async function openWholeHouse(
  env: Readonly<Record<string, string>> = {},
  isLive = true,
  database: 'memory' | 'file' = 'memory',
  more: Partial<BridgeDeps> = {},
) {
  const [amazon, google] = [await startAmazon(), await startFakeGoogle(Date.now)]
  const directory = mkdtempSync(join(tmpdir(), 'transom-whole-'))
  const keyPath = join(directory, 'key.json')
  writeFileSync(keyPath, JSON.stringify(google.keyFile))
  const [root, sealing] = [join(directory, 'recordings'), createSecretKey(randomBytes(32))]
  const path = database === 'file' ? join(directory, 'transom.db') : ':memory:'
  const store = createSqliteStore(path, Date.now)
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(privateKey)), kty: 'EC' } as const
  const lines: string[] = []
  /** What the camera does with an offer: answers, or stays silent until it is hung up. */
  const camera = { isSilent: false }
  /** What was prepared at the camera before anybody asked: channels, and lines for a viewer. */
  const warmed: string[] = []
  /** The cameras whose gateway was told of a press. */
  const rung: string[] = []
  const bridge: Bridge = createBridge({
    onRing: ({ id }) => void rung.push(id),
    config: readConfig({
      TRANSOM_LWA_CLIENT_ID: lwaClient.clientId,
      TRANSOM_LWA_CLIENT_SECRET: lwaClient.clientSecret,
      TRANSOM_LWA_TOKEN_URL: amazon.tokenUrl,
      TRANSOM_ALEXA_EVENTS_URL: amazon.gatewayUrls.NA,
      TRANSOM_GOOGLE_SERVICE_ACCOUNT: keyPath,
      TRANSOM_HOME_GRAPH_URL: google.url,
      ...env,
    }),
    publicUrl,
    keys: { signing: [jwk], cookies: ['k'], sealing: sealing.export().toString('base64') },
    clients: [
      { ...address, clientId: 'alexa', assistant: 'alexa' },
      { ...address, clientId: 'second-skill', assistant: 'alexa' },
      { ...address, clientId: 'google', assistant: 'google' },
    ],
    store,
    isLive,
    ...(isLive && {
      recording: { recordings: createRecordings({ store, root, sealing, log: () => {} }), happened() {} },
    }),
    signaling: {
      async *offer(_channel, _viewer, _sdp, signal): AsyncIterable<CameraMessage> {
        if (!camera.isSilent) {
          yield { kind: 'answer', sdp: cSdkAnswer }
          yield { kind: 'candidate', candidate: hostCandidate, sdpMid: '0' }
          yield { kind: 'end-of-candidates' }
        }
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve()
          else signal.addEventListener('abort', () => resolve(), { once: true })
        })
      },
      iceServers: async () => [],
      warm: ({ channelName }, viewerId) =>
        void warmed.push(viewerId === undefined ? channelName : `${channelName} for a viewer`),
    },
    presence: () => undefined,
    clock: Date.now,
    log: (level, event, fields) => void lines.push(`${level} ${event} ${JSON.stringify(fields)}`),
    ...more,
  })

  const googleTokens = new Map<string, string>()
  /** Google asks for the account's devices, and has taken them in by the time that it is told of their states. */
  async function sync(account: string): Promise<void> {
    const seen = await bridge.shares.visible.list(accountId(account))
    google.devices.set(
      account,
      seen.map(({ id }) => ({ id })),
    )
    const body = { requestId: '1', inputs: [{ intent: 'action.devices.SYNC' }] }
    await bridge.fulfillment(body, { authorization: `Bearer ${googleTokens.get(account)}` })
  }

  /** A token of a link that is made with it, as our own server issues them. */
  async function tokenFor(account: AccountId, clientId: string): Promise<string> {
    const [iat, grantId] = [Math.floor(Date.now() / 1000), randomUUID()]
    const grant = { accountId: account, clientId, iat, exp: iat + 100 * 365 * 24 * 3600 }
    await store.collection('oauth-Grant').put(grantId, grant, { group: account })
    return new SignJWT({ client_id: clientId, scope: 'camera', grant_id: grantId })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: withKeyId(jwk).kid })
      .setIssuer(`${publicUrl}/oauth`)
      .setAudience(publicUrl)
      .setSubject(account)
      .setIssuedAt(iat)
      .setExpirationTime('1h')
      .sign(privateKey)
  }

  return {
    rung,
    /** Every record that the store holds, whatever its kind. */
    everything() {
      const db = new DatabaseSync(path, { readOnly: true })
      const rows = db.prepare('SELECT kind, id, group_id, value FROM record WHERE value IS NOT NULL').all()
      db.close()
      return rows.map((row) => JSON.stringify(row))
    },
    bridge,
    sealing,
    sync,
    tokenFor,
    store,
    amazon,
    google,
    lines,
    warmed,
    camera,
    addUser: (login: string, tenant?: string) =>
      bridge.oauth.users.create({ login, password: 'correct horse', name: login, ...(tenant && { tenant }) }),
    addCamera: async (owner: AccountId, id = 'front-door', more: Partial<Camera> = {}): Promise<Camera> => {
      const made: Camera = {
        id: cameraId(id),
        accountId: owner,
        name: 'Front Door',
        kind: 'doorbell',
        channel: { channelName: id, road: 'viewer' },
        manufacturer: 'M',
        model: 'D',
        hasSpeaker: true,
        ...more,
      }
      await bridge.cameras.put(made, 'k'.repeat(43))
      return made
    },
    /** Links an account as the pages do, and as far as the assistants then go: a grant for events, a first SYNC. */
    async link(account: AccountId, assistant: 'alexa' | 'google', clientId: string = assistant): Promise<string> {
      const token = await tokenFor(account, clientId)
      if (assistant === 'alexa') {
        const code = `code-${randomUUID()}`
        amazon.state.codes.add(code)
        await bridge.alexa.handler(acceptGrant(code, token))
      } else {
        googleTokens.set(account, token)
        await sync(account)
      }
      return token
    },
    async [Symbol.asyncDispose]() {
      await bridge.close()
      await store.close()
      await amazon[Symbol.asyncDispose]()
      await google.close()
      rmSync(directory, { recursive: true })
    },
  }
}
