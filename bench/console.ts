/**
 * `npm run bench:console`: how soon the page paints on loopback, against a page of one line from a bare server, in turns, in a
 * browser that has nothing in its cache. Needs Chromium (CHROMIUM names another one). Fails at half a second.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'
import { readConfig } from '../src/transom/config.ts'
import { startEmbedded } from '../src/transom/embedded.ts'
import { ensureConsole } from '../src/console/build.ts'

const rounds = 15
const limitMs = 500

const problem = await ensureConsole()
if (problem !== undefined) throw new Error(problem)
const dataDir = mkdtempSync(join(tmpdir(), 'transom-bench-'))
const env = { TRANSOM_DATA: dataDir, TRANSOM_PORT: '0', TRANSOM_SIGNALING_PORT: '0' }
const house = await startEmbedded(readConfig(env), Date.now, () => {})
const bare = createServer((_request, response) => {
  response.setHeader('content-type', 'text/html').end('<!doctype html><title>Bare</title><p>Hello')
}).listen(0)
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--headless=new', '--no-sandbox', '--disable-gpu'],
})
try {
  const { port } = bare.address() as AddressInfo
  const paints = { page: [] as number[], bare: [] as number[] }
  const signInMs: number[] = []
  // The first of each warms both servers and the browser up.
  for (let round = 0; round <= rounds; round += 1) {
    const [page, other] = [await visit(browser, house.publicUrl), await visit(browser, `http://localhost:${port}`)]
    if (round === 0) continue
    paints.page.push(page)
    paints.bare.push(other)
    signInMs.push(await untilAsked(browser, house.publicUrl))
  }
  const [page, other] = [median(paints.page), median(paints.bare)]
  const line = `first paint, median of ${rounds}: page ${page} ms, bare page ${other} ms`
  console.log(`${line}; until the page asks to sign in: ${median(signInMs)} ms`)
  if (page > limitMs) process.exitCode = 3
} finally {
  await browser.close()
  bare.close()
  await house.close()
  rmSync(dataDir, { recursive: true, force: true })
}

/** Milliseconds from the navigation to its first paint with something in it. */
async function visit(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext()
  const page = await context.newPage()
  // The page goes on to sign in: what counts is the paint before that.
  await page.route('**/.well-known/**', () => undefined)
  await page.goto(url)
  const paint = await page.evaluate<number>(`new Promise((resolve) => {
    new PerformanceObserver((list) => {
      const entry = list.getEntriesByName('first-contentful-paint')[0]
      if (entry) resolve(entry.startTime)
    }).observe({ type: 'paint', buffered: true })
  })`)
  await context.close()
  return Math.round(paint)
}

/** Milliseconds until the page knows that nobody is signed in: there and back over the authorization endpoint. */
async function untilAsked(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const startedAt = performance.now()
  await page.goto(url)
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  const ms = performance.now() - startedAt
  await context.close()
  return Math.round(ms)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
