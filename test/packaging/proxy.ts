/** A real proxy before a real bridge: the recipe's own file, with names, ports and certificate of this test in it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadIdentity } from '../../src/signaling/certificates.ts'

const recipes = join(import.meta.dirname, '../../packaging/proxies')
const startMs = 10_000

/** `localhost` and the ports by which browsers and assistants, and cameras, come; and where the bridge listens. */
export interface Ports {
  readonly bridge: number
  readonly signaling: number
  readonly bridgeBehind: number
  readonly signalingBehind: number
}

export interface Proxy {
  /** The authority of its certificate. */
  readonly caPath: string
  close(): Promise<void>
}

interface Place {
  readonly directory: string
  readonly certPath: string
  readonly keyPath: string
  readonly ports: Ports
}

const commands = {
  nginx(place: Place): readonly string[] {
    const { directory, ports } = place
    const sites = [
      ['nginx.conf', ports.bridge, ports.bridgeBehind],
      ['nginx-signaling.conf', ports.signaling, ports.signalingBehind],
    ] as const
    for (const [file, port, behind] of sites)
      writeFileSync(
        join(directory, file),
        replaced(file, [
          [/listen 443/g, `listen 127.0.0.1:${port}`],
          [/server_name \S+;/g, 'server_name localhost;'],
          [/(ssl_certificate +)\S+;/g, `$1${place.certPath};`],
          [/(ssl_certificate_key +)\S+;/g, `$1${place.keyPath};`],
          [/(proxy_pass http:\/\/127\.0\.0\.1):\d+/g, `$1:${behind}`],
        ]),
      )
    const own = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (one) => `${one}_temp_path ${directory}/${one};`,
    )
    const includes = sites.map(([file]) => `include ${directory}/${file};`)
    const main = `daemon off; pid ${directory}/pid; error_log stderr warn; events {}
      http { access_log off; ${[...own, ...includes].join('\n')} }`
    writeFileSync(join(directory, 'main.conf'), main)
    return ['/usr/sbin/nginx', '-e', 'stderr', '-c', join(directory, 'main.conf')]
  },
  caddy({ directory, certPath, keyPath, ports }: Place): readonly string[] {
    const certificate = `tls ${certPath} ${keyPath}`
    const sites = replaced('Caddyfile', [
      [/^bridge\.example\.org \{/gm, `https://localhost:${ports.bridge} {\n${certificate}`],
      [/^kvs\.example\.org \{/gm, `https://localhost:${ports.signaling} {`],
      [/\btls \{/g, `${certificate} {`],
      [/127\.0\.0\.1:8080/g, `127.0.0.1:${ports.bridgeBehind}`],
      [/127\.0\.0\.1:8443/g, `127.0.0.1:${ports.signalingBehind}`],
    ])
    writeFileSync(join(directory, 'Caddyfile'), `{\nadmin off\nauto_https disable_redirects\n}\n${sites}`)
    return ['caddy', 'run', '--config', join(directory, 'Caddyfile'), '--adapter', 'caddyfile']
  },
} as const

/** The proxies that Debian has. */
export const proxyNames = Object.keys(commands) as readonly (keyof typeof commands)[]

/** The recipe with this in place of that; each must be there, or the test would try something else than the recipe. */
function replaced(file: string, changes: readonly (readonly [RegExp, string])[]): string {
  let text = readFileSync(join(recipes, file), 'utf8')
  for (const [from, to] of changes) {
    if (text.search(from) === -1) throw new Error(`${file} has no ${from}`)
    text = text.replace(from, to)
  }
  return text
}

/** Starts the proxy; resolves when both its ports answer. */
export async function startProxy(name: keyof typeof commands, ports: Ports): Promise<Proxy> {
  const directory = mkdtempSync(join(tmpdir(), `transom-${name}-`))
  // nginx's workers are not root.
  chmodSync(directory, 0o755)
  const { caPath, cert, key } = await loadIdentity(directory, ['localhost'], Date.now, () => {})
  const [certPath, keyPath] = [join(directory, 'proxy.crt'), join(directory, 'proxy.key')]
  writeFileSync(certPath, cert)
  writeFileSync(keyPath, key)
  const [program = '', ...args] = commands[name]({ directory, certPath, keyPath, ports })
  const proxy = spawn(program, args, {
    env: { ...process.env, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const out of [proxy.stdout, proxy.stderr]) out.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const close = async (): Promise<void> => {
    await end(proxy)
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await Promise.all([answering(ports.bridge, proxy), answering(ports.signaling, proxy)])
  } catch (cause) {
    await close()
    throw new Error(`${name} did not start:\n${said}`, { cause })
  }
  return { caPath, close }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}

async function answering(port: number, child: ChildProcess): Promise<void> {
  const giveUpAt = Date.now() + startMs
  while (!(await accepts(port))) {
    if (Date.now() > giveUpAt || child.exitCode !== null) throw new Error(`nobody listens at port ${port}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Ports at which nothing listens, of none that the system gives to whoever asks for any: nobody takes one meanwhile. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
