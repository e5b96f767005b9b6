/** The page's files: what is given out, how it is packed, and what the browser is told not to do. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import express from 'express'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createPage } from '../../src/transom/page.ts'

const index = `<!doctype html><title>Transom</title>${'<p>cameras</p>'.repeat(200)}`
let directory: string
let server: Server
let port: number

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'transom-page-'))
  const app = express()
  server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
  app.use(createPage({ directory, publicUrl: `http://localhost:${port}`, missing: () => 'build it' }))
})
afterEach(async () => {
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
  rmSync(directory, { recursive: true, force: true })
})

function build(): void {
  mkdirSync(join(directory, 'assets'), { recursive: true })
  writeFileSync(join(directory, 'index.html'), index)
  writeFileSync(join(directory, 'secret-12345678.txt'), 'not for the world')
  writeFileSync(join(directory, 'assets', 'index-Ab3_xY9-.js'), 'export const one = 1\n'.repeat(50))
  writeFileSync(join(directory, 'assets', 'plain.js'), 'no hash, no service')
  writeFileSync(join(directory, 'transom-player.js'), 'export const play = () => {}')
}

/** Without `fetch`, which unpacks, follows and sets the host by itself. */
function get(path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path, headers: { host: `localhost:${port}`, ...headers } })
    asked.once('error', reject)
    asked.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
      )
    })
    asked.end()
  })
}

test('the page comes packed as the browser can unpack it, and once', async () => {
  build()
  const br = await get('/', { 'accept-encoding': 'gzip, deflate, br' })
  expect(br.headers['content-encoding']).toBe('br')
  expect(brotliDecompressSync(br.body).toString()).toBe(index)
  const gzip = await get('/', { 'accept-encoding': 'gzip' })
  expect(gunzipSync(gzip.body).toString()).toBe(index)
  const plain = await get('/')
  expect(plain.body.toString()).toBe(index)
  for (const { headers } of [br, gzip, plain])
    expect(headers).toMatchObject({ vary: 'Accept-Encoding', 'cache-control': 'no-cache' })
  expect((await get('/', { 'if-none-match': br.headers.etag! })).status).toBe(304)
  writeFileSync(join(directory, 'index.html'), 'a new build')
  expect((await get('/', { 'if-none-match': br.headers.etag! })).body.toString()).toBe('a new build')
})

test('nothing but ourselves runs on it, and nobody frames it', async () => {
  build()
  const { headers } = await get('/')
  const policy = headers['content-security-policy']
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toContain('unsafe')
  expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
  expect(headers['permissions-policy']).toContain('microphone=(self)')
})

test('assets stay for ever under their hash, and nothing else is given out', async () => {
  build()
  const asset = await get('/assets/index-Ab3_xY9-.js')
  expect(asset.headers).toMatchObject({
    'cache-control': 'public, max-age=31536000, immutable',
    'content-type': 'text/javascript; charset=utf-8',
  })
  for (const path of [
    '/assets/plain.js',
    '/assets/nothing-12345678.js',
    '/assets/..%2Fsecret-12345678.txt',
    '/assets/..%2f..%2f..%2fetc%2fpasswd-12345678.txt',
    '/assets/',
    '/secret-12345678.txt',
  ])
    expect([path, (await get(path)).status]).toEqual([path, 404])
})

test('the player may be imported by any origin, and is asked for again soon', async () => {
  build()
  const { headers } = await get('/transom-player.js')
  expect(headers).toMatchObject({
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
    'cache-control': 'public, max-age=60, must-revalidate',
  })
})

test('what makes it an app is asked for again by the same names, and the service worker under the policy of the page', async () => {
  build()
  writeFileSync(join(directory, 'service-worker.js'), 'addEventListener("push", () => {})')
  writeFileSync(join(directory, 'manifest.webmanifest'), '{}')
  writeFileSync(join(directory, 'icon-192.png'), 'png')
  const worker = await get('/service-worker.js')
  expect(worker.headers).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'no-cache',
    'content-security-policy': expect.stringContaining("worker-src 'self'"),
  })
  expect((await get('/manifest.webmanifest')).headers['content-type']).toMatch(/^application\/manifest\+json/)
  expect((await get('/icon-192.png')).headers['content-type']).toBe('image/png')
  expect((await get('/icon-512.png')).status).toBe(404)
})

test('without a build it says so, and finds it when it is there', async () => {
  expect(await get('/')).toMatchObject({ status: 503, body: Buffer.from('build it') })
  build()
  expect((await get('/')).status).toBe(200)
})

test('under another name of this machine it sends to the one that it signs in by', async () => {
  build()
  const elsewhere = await get('/', { host: `127.0.0.1:${port}` })
  expect(elsewhere).toMatchObject({ status: 302, headers: { location: `http://localhost:${port}/` } })
  // A proxy's name for us is none of the browser's.
  expect((await get('/', { host: 'internal:8080' })).status).toBe(200)
})

test('the language that the operator has set is in the page, where its script reads it', async () => {
  build()
  writeFileSync(join(directory, 'index.html'), `<!doctype html>\n<html lang="en">${index}`)
  expect((await get('/')).body.toString()).toContain('<html lang="en">')
  const app = express()
  app.use(createPage({ directory, publicUrl: `http://localhost:${port}`, language: 'de', missing: () => 'build it' }))
  server.removeAllListeners('request')
  server.on('request', app)
  expect((await get('/')).body.toString()).toContain('<html lang="de" data-language="de">')
})
