/** A linking server on loopback for the tests: its clock can be moved, its store can fail, and it can be restarted. */
import { createServer, type Server } from 'node:http'
import express from 'express'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type { AccountId, Store } from '../../src/core/ports.ts'
import type { OAuthClient } from '../../src/bridge/oauth/client.ts'
import { createOAuth, type OAuth, type OAuthOptions } from '../../src/bridge/oauth/server.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { wrapped } from '../store/wrapped.ts'

export const ada = { login: 'Ada@Example.com', password: 'correct horse', name: 'Ada Lovelace' }

export const alexa: OAuthClient = {
  clientId: 'alexa',
  clientSecret: 'alexa0123456789abcdef',
  assistant: 'alexa',
  redirectUris: [
    'https://pitangui.amazon.com/api/skill/link/M2AAAAAAAAAAAA',
    'https://layla.amazon.com/api/skill/link/M2AAAAAAAAAAAA',
    'https://alexa.amazon.co.jp/api/skill/link/M2AAAAAAAAAAAA',
  ],
}
export const google: OAuthClient = {
  clientId: 'google',
  clientSecret: 'google0123456789abcdef',
  assistant: 'google',
  redirectUris: [
    'https://oauth-redirect.googleusercontent.com/r/doorbell',
    'https://oauth-redirect-sandbox.googleusercontent.com/r/doorbell',
  ],
}

export interface LogLine {
  readonly level: string
  readonly event: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface House {
  readonly issuer: string
  readonly origin: string
  readonly account: AccountId
  readonly log: readonly LogLine[]
  readonly store: Store
  /** Everything that was ever put into the store, as JSON. */
  readonly written: readonly string[]
  /** The kind of each record or list that was ever read. */
  readonly read: readonly string[]
  readonly signingKeys: readonly JWK[]
  oauth(): OAuth
  /** Moves the clock of the house (not the one of the machine). */
  advance(ms: number): void
  breakStore(broken: boolean): void
  /** The store answers nobody any more, and everybody when it is over. */
  stallStore(): () => void
  /** A new process on the same store. */
  restart(): void
  close(): Promise<void>
}

export async function openHouse(options: Partial<OAuthOptions> = {}): Promise<House> {
  let offset = 0
  let isBroken = false
  const clock = () => Date.now() + offset
  const kept = createSqliteStore(':memory:', clock)
  const written: string[] = []
  const read: string[] = []
  let stalled: Promise<void> | undefined
  const trouble = async () => {
    if (isBroken) throw new Error('the store is down')
    await stalled
  }
  const store = watched(kept, trouble, written, read)
  const log: LogLine[] = []
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const signingKeys = [await exportJWK(privateKey)]

  let oauth: OAuth
  const app = express()
  app.use('/oauth', (req, res, next) => oauth.handler(req, res, next))
  app.use('/.well-known', (req, res, next) => oauth.wellKnown(req, res, next))
  const server = createServer(app)
  const origin = `http://localhost:${await listen(server)}`
  const issuer = options.issuer ?? `${origin}/oauth`
  const start = () =>
    createOAuth({
      issuer,
      store,
      clients: [alexa, google],
      signingKeys,
      cookieKeys: ['cookie key of the tests'],
      clock,
      log: (level, event, fields) => log.push({ level, event, fields: fields ?? {} }),
      ...options,
    })
  oauth = start()
  const account = await oauth.users.create(ada)

  return {
    issuer,
    origin,
    account,
    log,
    store,
    written,
    read,
    signingKeys,
    oauth: () => oauth,
    advance: (ms) => {
      offset += ms
    },
    breakStore: (broken) => {
      isBroken = broken
    },
    stallStore: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      stalled = promise
      return () => {
        stalled = undefined
        resolve()
      }
    },
    restart: () => {
      oauth = start()
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await kept.close()
    },
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, 'localhost', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}

function watched(store: Store, trouble: () => Promise<void>, written: string[], read: string[]): Store {
  return wrapped(store, (kind, records) => ({
    get: async (...args) => {
      read.push(kind)
      await trouble()
      return records.get(...args)
    },
    put: async (...args) => {
      await trouble()
      written.push(JSON.stringify([kind, ...args]))
      return records.put(...args)
    },
    take: async (...args) => {
      await trouble()
      return records.take(...args)
    },
    remove: async (...args) => {
      await trouble()
      return records.remove(...args)
    },
    list: async (...args) => {
      read.push(kind)
      await trouble()
      return records.list(...args)
    },
  }))
}
