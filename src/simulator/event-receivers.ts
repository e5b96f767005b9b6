/**
 * Where the bridge says unasked what happens, on a port of this machine while it runs: Amazon's event gateway and Google's
 * Home Graph, for a bridge without credentials of the real ones. `npm run call --ring` hears here what they are told.
 */

import { generateKeyPair, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import express, { type ErrorRequestHandler } from 'express'
import { toBridgeError } from 'transom-core/errors'
import type { Clock } from 'transom-core/ports'
import { createAmazon } from './amazon.ts'
import { type Announcements, createAnnouncements } from './announcements.ts'
import { type AccountOf, bearerOf, isRefusal } from './bearer.ts'
import { createEventStream } from './event-stream.ts'
import { createHomeGraph } from './home-graph.ts'

/** Running receivers of what a bridge sends unasked, as `startEventReceivers` gives them. */
export interface EventReceivers {
  /** Where they listen. */
  readonly url: string
  readonly announcements: Announcements
  /** The addresses and credentials of Amazon that the bridge is to use. */
  readonly amazon: {
    readonly clientId: string
    readonly clientSecret: string
    readonly tokenUrl: string
    readonly gatewayUrl: string
  }
  /** The same for Home Graph; `serviceAccount` as its key file would be. */
  readonly homeGraph: { readonly url: string; readonly serviceAccount: object }
  /** A code for AcceptGrant, for events of this account. */
  grantCode(account: string): string
  close(): Promise<void>
}

const clientEmail = 'bridge@simulator.iam.gserviceaccount.com'

/** Listens on any free port of the loopback. `accountOf` says whose a token for the bridge is. */
export async function startEventReceivers(deps: {
  readonly accountOf: AccountOf
  readonly clock: Clock
}): Promise<EventReceivers> {
  const { accountOf, clock } = deps
  // Google's algorithm; made anew at each start, because nothing outlives it.
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const pem = { type: 'pkcs8', format: 'pem' } as const
  const server = createServer()
  const { promise: listening, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(0, '127.0.0.1', resolve)
  await listening
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const announcements = createAnnouncements()
  const client = { clientId: 'simulator', clientSecret: randomBytes(24).toString('hex') }
  const amazon = createAmazon({ ...client, announcements, clock })
  const spki = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const app = express()
  app.disable('x-powered-by')
  app.use(amazon.router)
  app.use(createHomeGraph({ origin: url, clientEmail, publicKey: spki, announcements, clock }))
  app.get('/stream', createEventStream({ announcements, accountOf, clock }))
  app.post('/grants', async (request, response) => {
    response.json({ code: amazon.grantCode(await accountOf(bearerOf(request))) })
  })
  app.use(answerError)
  server.on('request', app)

  return {
    url,
    announcements,
    amazon: { ...client, tokenUrl: `${url}/auth/o2/token`, gatewayUrl: `${url}/v3/events` },
    homeGraph: {
      url,
      serviceAccount: {
        type: 'service_account',
        client_email: clientEmail,
        private_key: privateKey.export(pem).toString(),
        token_uri: `${url}/token`,
      },
    },
    grantCode: amazon.grantCode,
    async close() {
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      server.closeAllConnections()
      await promise
    },
  }
}

const answerError: ErrorRequestHandler = (thrown: unknown, _request, response, next) => {
  if (response.headersSent) return next(thrown)
  const { code, message } = toBridgeError(thrown)
  const status = isRefusal(thrown) ? 401 : code === 'rate_limited' ? 429 : 500
  response.status(status).json({ error: code, message })
}
