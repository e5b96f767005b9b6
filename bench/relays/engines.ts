/** The engines that are compared, each in a process of its own behind the same words. */
import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import type { Ask, Reply } from './viewers.ts'

export interface Engine {
  readonly name: string
  readonly pid: number
  /** Lets a viewer in. `ask` speaks to the viewers. */
  connect(ask: (ask: Ask) => Promise<Reply>): Promise<void>
  /** Before its memory is looked at. */
  collect(): Promise<void>
  close(): void
}

/** Milliseconds of CPU so far, by the kernel's count of hundredths. */
export const cpuMsOf = ({ pid }: Engine): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** Memory that belongs to the process alone, MB. */
export const memoryOf = ({ pid }: Engine): number =>
  Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024

/** `transom`, `libdatachannel`, or the path of a werift. */
export async function openNode(name: string, camera: string, port: number): Promise<Engine> {
  const path = join(import.meta.dirname, 'camera.ts')
  const child = fork(path, [camera, String(port)], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const say = async (word: string): Promise<string> => {
    child.send(word)
    return String((await once(child, 'message'))[0])
  }
  await once(child, 'message')
  return { ...answering(name, child, say), collect: async () => void (await say('gc')) }
}

/** pion, built here; `undefined` where Debian's golang-go or golang-github-pion-webrtc.v3-dev is not installed. */
export async function openPion(port: number): Promise<Engine | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-pion-'))
  const program = join(directory, 'pion.out')
  // Debian's Go packages are no modules, but a path that ends in /v3 is only found from within one.
  const cwd = join(directory, 'src', 'pion')
  mkdirSync(cwd, { recursive: true })
  writeFileSync(join(cwd, 'go.mod'), 'module pion\n')
  copyFileSync(join(import.meta.dirname, 'pion.go'), join(cwd, 'pion.go'))
  const env = { ...process.env, GO111MODULE: 'off', GOPATH: `${directory}:/usr/share/gocode`, GOFLAGS: '' }
  const built = spawnSync('go', ['build', '-o', program, 'pion'], { cwd, env, encoding: 'utf8' })
  if (built.status !== 0) return undefined
  const child = spawn(program, [String(port)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  await once(lines, 'line')
  const say = async (offer: string): Promise<string> => {
    child.stdin.write(`${JSON.stringify(offer)}\n`)
    return String(JSON.parse(String((await once(lines, 'line'))[0])))
  }
  return answering('pion', child, say)
}

function answering(name: string, child: ChildProcess, say: (offer: string) => Promise<string>): Engine {
  return {
    name,
    pid: child.pid ?? 0,
    async connect(ask) {
      for (let accepted: number | undefined; accepted === undefined;) {
        const { id = 0, sdp = '' } = await ask({ do: 'offer' })
        accepted = (await ask({ do: 'accept', id, sdp: await say(sdp) })).id
      }
    },
    collect: async () => undefined,
    close: () => void child.kill(),
  }
}

/** Janus with a mountpoint of its streaming plugin; `undefined` where it is not installed. It offers, and the viewer answers. */
export async function openJanus(port: number): Promise<Engine | undefined> {
  if (!existsSync('/usr/bin/janus')) return undefined
  const configs = mkdtempSync(join(tmpdir(), 'bench-janus-'))
  const write = (name: string, text: string) => writeFileSync(join(configs, `${name}.jcfg`), text)
  const httpPort = port + 1_000
  write(
    'janus',
    `general: { debug_level = 1 }
plugins: { disable = "${others('plugins', 'libjanus_streaming.so')}" }
transports: { disable = "${others('transports', 'libjanus_http.so')}" }
`,
  )
  write(
    'janus.transport.http',
    `general: { base_path = "/janus", http = true, port = ${httpPort}, ip = "127.0.0.1" }\n`,
  )
  write(
    'janus.plugin.streaming',
    `camera: { type = "rtp", id = 1, media = ({ type = "video", mid = "v", label = "v", port = ${port}, pt = 96, codec = "h264", fmtp = "profile-level-id=42e01f;packetization-mode=1" }) }\n`,
  )
  const child = spawn('/usr/bin/janus', ['-F', configs, '-L', '/dev/null'], { stdio: 'ignore' })
  const base = `http://127.0.0.1:${httpPort}/janus`
  const post = async (path: string, body: object): Promise<{ data?: { id: number } }> => {
    const text = JSON.stringify({ ...body, transaction: 'bench' })
    const response = await fetch(base + path, { method: 'POST', body: text })
    return (await response.json()) as { data?: { id: number } }
  }
  for (let tries = 0; !(await fetch(`${base}/info`).catch(() => undefined)); tries += 1) {
    if (tries > 50) throw new Error('Janus did not start')
    await wait(100)
  }
  return {
    ...answering('Janus', child, async () => ''),
    async connect(ask) {
      const session = (await post('', { janus: 'create' })).data?.id
      const handle = `/${session}/${(await post(`/${session}`, { janus: 'attach', plugin: 'janus.plugin.streaming' })).data?.id}`
      await post(handle, { janus: 'message', body: { request: 'watch', id: 1 } })
      let offer: string | undefined
      while (offer === undefined) {
        const event = (await (await fetch(`${base}/${session}`)).json()) as { jsep?: { sdp: string } }
        offer = event.jsep?.sdp
      }
      const { sdp } = await ask({ do: 'answer', sdp: offer })
      await post(handle, { janus: 'message', body: { request: 'start' }, jsep: { type: 'answer', sdp } })
    },
  }
}

/** The libraries of Janus of one kind without the one that is used. */
const others = (kind: 'plugins' | 'transports', used: string): string =>
  readdirSync(join('/usr/lib/x86_64-linux-gnu/janus', kind))
    .filter((file) => file.endsWith('.so') && file !== used)
    .join()
