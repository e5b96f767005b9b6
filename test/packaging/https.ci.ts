/**
 * HTTPS of the bridge itself: a certificate from Pebble, Let's Encrypt's own test server, by HTTP-01 on the bridge's one port;
 * and the bridge's own authority, installed in Chromium as on a phone.
 */
/* oxlint-disable unicorn/consistent-function-scoping -- what runs in the page must be one function */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { ensureConsole } from '../../src/console/build.ts'
import { makeAuthority, makeServer } from '../../src/signaling/make-certificate.ts'
import { launchChromium } from '../browser.ts'
import { createHouse, type House } from '../flows/house.ts'
import { until } from '../until.ts'
import { freePorts } from './proxy.ts'

/** As much of the page as is looked at: the types of browsers are not those of this project. */
interface Element {
  readonly ownerDocument: { readonly defaultView: Window }
}
interface Window {
  readonly isSecureContext: boolean
  readonly navigator: {
    readonly mediaDevices: { getUserMedia(wanted: { audio: true }): Promise<{ readonly active: boolean }> }
  }
}
interface Video {
  readonly videoWidth: number
}

const run = promisify(execFile)
const directory = mkdtempSync(join(tmpdir(), 'https-'))
const programs: ChildProcess[] = []
const houses: House[] = []
const browsers: Browser[] = []
beforeAll(async () => {
  const problem = await ensureConsole()
  if (problem !== undefined) throw new Error(problem)
})
afterAll(async () => {
  for (const browser of browsers) await browser.close()
  for (const house of houses) await house.close()
  for (const program of programs) program.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

function openHouse(): House {
  const house = createHouse()
  houses.push(house)
  return house
}

/** Starts one of Pebble's programs; a machine without it fails the test, and says what to install. */
async function startProgram(name: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const program = spawn(name, args, { env, stdio: 'ignore' })
  await once(program, 'spawn').catch((cause: unknown) => {
    throw new Error(`NOT RUN: ${name} does not start here: apt-get install pebble`, { cause })
  })
  programs.push(program)
}

/** The text at an https address, by one authority alone. */
async function get(url: string, ca: string): Promise<string> {
  const asked = request(url, { ca, agent: false }).end()
  const [response] = (await once(asked, 'response')) as [NodeJS.ReadableStream]
  let text = ''
  for await (const part of response) text += String(part)
  return text
}

/** The names in the certificate of a server, if a client that trusts only `ca` accepts it; undefined while it does not. */
async function namesAt(port: number, servername: string, ca: string): Promise<string | undefined> {
  const socket = connect({ host: '127.0.0.1', port, ca, servername })
  try {
    await once(socket, 'secureConnect')
    return socket.getPeerCertificate().subjectaltname
  } catch {
    return undefined
  } finally {
    socket.destroy()
  }
}

/** Pebble, which finds every name at 127.0.0.1 and comes for HTTP-01 to `httpPort`: its directory, what it speaks TLS with, and its root. */
async function startPebble(httpPort: number) {
  const [dns = 0, acme = 0, management = 0, dnsManagement = 0] = await freePorts(4)
  const ca = await makeAuthority(Date.now())
  const server = await makeServer(ca, { names: ['localhost'], commonName: 'Pebble' }, Date.now())
  const keep = (name: string, text: string) => {
    const path = join(directory, name)
    writeFileSync(path, text)
    return path
  }
  const caPath = keep('pebble-ca.pem', ca.cert)
  const pebble = {
    listenAddress: `127.0.0.1:${acme}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: keep('pebble.pem', server.cert),
    privateKey: keep('pebble-key.pem', server.key),
    httpPort,
    // Nobody is there: it is not to be asked.
    tlsPort: 1,
  }
  const names = `127.0.0.1:${dns}`
  const off = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv6', '']
  const listen = ['-dns01', names, '-management', `127.0.0.1:${dnsManagement}`]
  await startProgram('pebble-challtestsrv', [...off, ...listen])
  // It rejects one good nonce in twenty of its own, as RFC 8555 section 6.5 permits, and sleeps up to 15 s before it looks.
  const env = { ...process.env, PEBBLE_VA_NOSLEEP: '1' }
  await startProgram('pebble', ['-config', keep('pebble.json', JSON.stringify({ pebble })), '-dnsserver', names], env)
  const roots = `https://localhost:${management}/roots/0`
  const root = await until(() => get(roots, ca.cert).catch(() => undefined))
  return { directory: `https://localhost:${acme}/dir`, caPath, root }
}

test('a public authority gives its certificate, by HTTP-01 on the one port, with its chain', async () => {
  const [port = 0] = await freePorts(1)
  const pebble = await startPebble(port)
  const house = openHouse()
  await house.start({
    TRANSOM_PORT: `${port}`,
    TRANSOM_PUBLIC_URL: `https://door.example:${port}`,
    TRANSOM_HTTPS: 'acme',
    TRANSOM_ACME_DIRECTORY: pebble.directory,
    TRANSOM_DOORBELL: 'off',
    NODE_EXTRA_CA_CERTS: pebble.caPath,
  })
  const names = await until(() => namesAt(port, 'door.example', pebble.root), house.printed)
  expect(names).toBe('DNS:door.example')
  await house.close()
})

test("the bridge's own authority: once Chromium has it, the page comes without a warning, with a microphone and a live picture", async () => {
  const [port = 0] = await freePorts(1)
  const house = openHouse()
  const url = `https://door.local:${port}`
  const said = await house.start({ TRANSOM_PORT: `${port}`, TRANSOM_PUBLIC_URL: url, TRANSOM_HTTPS: 'own' })
  const home = join(directory, 'home')
  const trusted = `sql:${home}/.pki/nssdb`
  mkdirSync(join(home, '.pki/nssdb'), { recursive: true })
  await run('certutil', ['-N', '--empty-password', '-d', trusted])
  const launch = async () => {
    const browser = await launchChromium(['--host-resolver-rules=MAP door.local 127.0.0.1'], undefined, home)
    browsers.push(browser)
    return browser
  }

  const before = await launch()
  await expect((await before.newPage()).goto(url)).rejects.toThrow('ERR_CERT_AUTHORITY_INVALID')
  // As on a phone: from the page that the greeting names, in plain HTTP.
  const installPage = /HTTPS +(\S+)/.exec(said)?.[1] ?? ''
  expect(installPage).toBe(`http://door.local:${port}/`)
  // In a tab of its own: the first one still goes to Chromium's page of the error, when it likes.
  const stranger = await before.newPage()
  await stranger.goto(installPage)
  await stranger.getByText('Linux').click()
  const download = stranger.waitForEvent('download')
  await stranger.getByRole('link', { name: 'the certificate' }).filter({ visible: true }).click()
  const pem = join(directory, 'installed.pem')
  await (await download).saveAs(pem)
  await before.close()
  expect(readFileSync(pem, 'utf8')).toBe(readFileSync(join(house.dataDir, 'https/authority.pem'), 'utf8'))
  await run('certutil', ['-A', '-d', trusted, '-t', 'C,,', '-n', 'Transom', '-i', pem])

  // Chromium reads what it trusts when it starts.
  const page = await (await (await launch()).newContext({ permissions: ['microphone'] })).newPage()
  await page.goto(/Open +(\S+)/.exec(said)?.[1] ?? '')
  await page.getByRole('button').click()
  await page.getByRole('heading', { name: 'Cameras' }).waitFor()
  expect(page.url()).toMatch(`${url}/`)
  const hasMicrophone = async ({ ownerDocument: { defaultView } }: Element) =>
    defaultView.isSecureContext && (await defaultView.navigator.mediaDevices.getUserMedia({ audio: true })).active
  expect(await page.locator('html').evaluate(hasMicrophone)).toBe(true)
  await page.getByRole('link', { name: 'Front Door, live' }).click()
  const widthOf = ({ videoWidth }: Video) => videoWidth
  await until(async () => (await page.locator('video').first().evaluate(widthOf)) > 0, house.printed)
})
