/** A linking server in a process of its own, to be killed: its store is a file, its keys are made once. Tells its issuer. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import express from 'express'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { createOAuth } from '../../src/bridge/oauth/server.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { ada, alexa, google } from './house.ts'

const directory = process.argv[2] ?? ''
const keyFile = join(directory, 'key.json')
if (!existsSync(keyFile)) {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  writeFileSync(keyFile, JSON.stringify({ ...(await exportJWK(privateKey)), port: 0 }))
}
const { port, ...key } = JSON.parse(readFileSync(keyFile, 'utf8')) as JWK & { port: number }

const store = createSqliteStore(join(directory, 'store.db'), Date.now)
const app = express()
const server = createServer(app)
await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve))
const address = server.address()
const issuer = `http://localhost:${typeof address === 'object' && address !== null ? address.port : 0}/oauth`
writeFileSync(keyFile, JSON.stringify({ ...key, port: new URL(issuer).port }))
const oauth = createOAuth({
  issuer,
  store,
  clients: [alexa, google],
  signingKeys: [key],
  cookieKeys: ['cookie key of the tests'],
  clock: Date.now,
  log: () => {},
})
if ((await oauth.users.find(ada.login)) === undefined) await oauth.users.create(ada)
app.use('/oauth', oauth.handler)
process.send?.(issuer)
// Nobody is left to end it.
process.on('disconnect', () => process.exit())
