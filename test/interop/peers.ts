/** WebRTC stacks of other people, each as a display or as a camera behind the same five words. */
import { execFile, spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from '../until.ts'
import { launchChromium } from '../browser.ts'

export interface Seen {
  readonly connected: boolean
  /** Pictures, or packets that end one where a stack does not decode. */
  readonly pictures: number
  /** Packets or frames of sound. */
  readonly sounds: number
}

/** One connection of a foreign stack. Every word has a deadline. */
export interface Peer {
  readonly version: string
  /** As a display: its complete offer, sound both ways and a picture to it; with this ICE password where it can be set. */
  offer(password?: string): Promise<string>
  accept(answer: string): Promise<void>
  /** As a camera: its complete answer to a display's offer. */
  answer(offer: string): Promise<string>
  seen(): Promise<Seen>
  close(): Promise<void>
}

/** Where a peer runs, and what it knows of its network. */
export interface Place {
  /** A command that runs the peer's program, as `ip netns exec`. */
  readonly wrapper?: readonly string[]
  /** For aiortc and Chromium. */
  readonly iceServers?: readonly { readonly urls: string; readonly username?: string; readonly credential?: string }[]
}

export const stackNames = ['aiortc', 'webrtcbin', 'libdatachannel', 'Chromium', 'pion'] as const
export type StackName = (typeof stackNames)[number]

const wordMs = 15_000
const run = promisify(execFile)

/** The stacks by name; each opens one connection. */
export const stacks: Readonly<Record<StackName, (place?: Place) => Promise<Peer>>> = {
  aiortc: (place) => openProgram('/usr/bin/python3', 'aiortc_peer.py', place),
  webrtcbin: (place) => openProgram('/usr/bin/python3', 'webrtcbin_peer.py', place),
  libdatachannel: (place) => openProgram(process.execPath, 'libdatachannel-peer.ts', place),
  Chromium: openChromium,
  pion: (place) => openProgram(pionPeer, '', place),
}

/** Where `buildPeers` leaves the program of pion's peer, one for each of Jest's workers; Go finds it fresh the next time. */
const pionHome = join(tmpdir(), `transom-peers-${process.getuid?.() ?? 0}-${process.env['JEST_WORKER_ID'] ?? 0}`)
const pionPeer = join(pionHome, 'bin', 'peer')

/** Builds what is no script: pion's peer, of the packages that Debian has, without the network. */
export async function buildPeers(): Promise<void> {
  const source = join(pionHome, 'src', 'peer')
  mkdirSync(source, { recursive: true })
  copyFileSync(join(import.meta.dirname, 'peers', 'pion_peer.go'), join(source, 'peer.go'))
  // Without a go.mod beside it, Go looks for pion's version 3 in a folder of that name.
  writeFileSync(join(source, 'go.mod'), 'module peer\n')
  const env = { ...process.env, GO111MODULE: 'off', GOPATH: `${pionHome}:/usr/share/gocode`, GOFLAGS: '' }
  await run('/usr/bin/go', ['install', 'peer'], { cwd: source, env })
}

async function openProgram(program: string, file: string, { wrapper = [], iceServers }: Place = {}): Promise<Peer> {
  const path = file === '' ? [] : [join(import.meta.dirname, 'peers', file)]
  const env = { ...process.env, NODE_OPTIONS: '', ICE_SERVERS: JSON.stringify(iceServers ?? []) }
  const [command = program, ...args] = [...wrapper, program, ...path]
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2000)))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const say = async (
    word: string,
    more: { readonly sdp?: string; readonly password?: string } = {},
  ): Promise<Record<string, string | number | boolean>> => {
    child.stdin.write(`${JSON.stringify({ do: word, ...more })}\n`)
    const line = await within(lines.next(), `${file}: ${word}`)
    if (line.done === true) throw new Error(`${file} ended at ${word}: ${complaint}`)
    const reply = JSON.parse(line.value) as Record<string, string | number | boolean>
    if (reply['error'] !== undefined) throw new Error(`${file}: ${word}: ${reply['error']}\n${complaint}`)
    return reply
  }
  const text = async (...said: Parameters<typeof say>): Promise<string> => String((await say(...said))['sdp'])
  return {
    version: String((await say('version'))['version']),
    offer: (password) => text('offer', password === undefined ? {} : { password }),
    accept: async (answer) => void (await say('accept', { sdp: answer })),
    answer: (offer) => text('answer', { sdp: offer }),
    async seen() {
      const { connected, pictures, sounds } = await say('seen')
      return { connected: connected === true, pictures: Number(pictures), sounds: Number(sounds) }
    },
    async close() {
      await say('close').catch(() => undefined) // one that has died is gone, too
      child.kill('SIGKILL')
    },
  }
}

async function openChromium({ wrapper, iceServers }: Place = {}): Promise<Peer> {
  const program = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
  const browser = await launchChromium(
    // Pages of this machine show their addresses: nobody here resolves mDNS names for the other stacks.
    ['--disable-features=WebRtcHideLocalIpsWithMdns'],
    wrapper && wrapped(wrapper, program),
  )
  const page = await browser.newPage()
  // WebRTC and the microphone want a secure context; the page itself is empty.
  await page.route('https://peer.example/', (route) => route.fulfill({ contentType: 'text/html', body: '' }))
  await page.goto('https://peer.example/')
  await page.evaluate(`globalThis.iceServers = ${JSON.stringify(iceServers ?? [])}`)
  await page.addScriptTag({ path: join(import.meta.dirname, 'peers', 'chromium-peer.js') })
  const ask = <T>(word: string, sdp?: string): Promise<T> =>
    within(page.evaluate<T>(`peer.${word}(${JSON.stringify(sdp ?? null)})`), `Chromium: ${word}`)
  return {
    version: browser.version().split('.')[0]!,
    offer: () => ask('offer'),
    accept: (answer) => ask('accept', answer),
    answer: (offer) => ask('answer', offer),
    seen: () => ask('seen'),
    close: () => browser.close(),
  }
}

/** One command without arguments, which Playwright wants: a script that runs the program in its wrapper. */
function wrapped(wrapper: readonly string[], program: string): string {
  const script = join(mkdtempSync(join(tmpdir(), 'transom-peer-')), 'program')
  writeFileSync(script, `#!/bin/sh\nexec ${[...wrapper, program].join(' ')} "$@"\n`, { mode: 0o700 })
  return script
}

async function within<T>(work: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`${what}: nothing after ${wordMs} ms`)), wordMs)
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer))
}

/** Asks until the claim is true of what the peer has seen; throws what it had seen when it never was. */
export async function untilSeen(peer: Peer, claim: (seen: Seen) => boolean): Promise<Seen> {
  let seen: Seen | undefined
  return until(
    async () => {
      seen = await peer.seen()
      return claim(seen) && seen
    },
    () => seen,
  )
}
