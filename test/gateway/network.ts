/**
 * Two homes on a net, each behind a box of its own, made of the kernel's namespaces: this process with the camera in one, a
 * display in the other. Needs root and Debian's iproute2, nftables and coturn.
 *
 *   this process .2 ─ 198.51.100.0/24 ─ .1 box .11 ─ 203.0.113.0/24 (coturn at .1) ─ .12 box .1 ─ 198.18.0.0/24 ─ .2 display
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCertificate } from '../kvs/fake-kvs.ts'
import { until } from '../until.ts'

export type Home = 'camera' | 'display'

export interface Network {
  /** Runs a program in the display's home. */
  readonly wrapper: readonly string[]
  /** This share of all UDP is lost at the display, each way for itself. */
  lose(percent: number): void
  /** The box of this home lets no UDP through. */
  blockUdp(home: Home): void
  /** The box translates addresses, with another port for each destination, and lets in only what was asked for. */
  translate(home: Home): void
  /** The display is somewhere else in its home: 198.18.0.3. */
  moveDisplay(): void
  /** The display's box, which translates, gets another address of the net, as after a new dial-up. */
  redial(): void
  /** Starts coturn on the net. */
  startTurn(): Promise<Turn>
  close(): void
}

export interface Turn {
  /** A `turn:` or `turns:` URL with its password. */
  server(transport: 'udp' | 'tcp' | 'tls'): {
    readonly urls: string
    readonly username: string
    readonly credential: string
  }
  /** The authority of its certificate, PEM. */
  readonly ca: string
  /** Allocations that were made so far, and those that ended, by its log. */
  allocations(): { readonly made: number; readonly ended: number }
}

const run = (command: string): void => void execFileSync('/bin/sh', ['-ec', command], { encoding: 'utf8' })

const families = {
  IPv4: { camera: '198.51.100.', net: '203.0.113.', display: '198.18.0.', any: '0/24', host: '/24' },
  IPv6: { camera: 'fd73:7472:1::', net: 'fd73:7472:2::', display: 'fd73:7472:3::', any: '/64', host: '/64 nodad' },
} as const
/** Adds nftables rules to a namespace. */
const filter = (space: string, rules: string): void => run(`ip netns exec ${space} nft -f - <<'END'\n${rules}\nEND`)
let count = 0

/** `family`: the only one that the homes and the net speak. */
export function createNetwork(family: keyof typeof families = 'IPv4'): Network {
  const { camera, net, display, any, host } = families[family]
  // The kernel takes its time to take a wire away: each network has names of its own.
  count += 1
  const id = `${process.pid}-${count}`
  const wire = `tr${process.pid % 100_000}n${count}`
  const spaces = { camera: `tr-a-${id}`, net: `tr-n-${id}`, display: `tr-b-${id}`, inside: `tr-d-${id}` }
  const ip = `ip ${family === 'IPv6' ? '-6 ' : ''}`
  const removeAll = () => {
    // Their ends of the wires take the others along.
    for (const space of Object.values(spaces)) run(`ip netns delete ${space} || true`)
  }
  const make = () =>
    run(`
for space in ${Object.values(spaces).join(' ')}; do
  ip netns add $space
  ip -n $space link set lo up
  ip netns exec $space sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.promote_secondaries=1 net.ipv6.conf.all.forwarding=1
done
ip link add ${wire} type veth peer name home netns ${spaces.camera}
ip -n ${spaces.inside} link add home type veth peer name home netns ${spaces.display}
ip -n ${spaces.camera} link add net type veth peer name camera netns ${spaces.net}
ip -n ${spaces.display} link add net type veth peer name display netns ${spaces.net}
ip -n ${spaces.net} link add net type bridge
for each in camera display; do ip -n ${spaces.net} link set $each master net up; done
for box in ${spaces.camera} ${spaces.display}; do for each in home net; do ip -n $box link set $each up; done; done
ip link set ${wire} up
ip -n ${spaces.net} link set net up
ip -n ${spaces.inside} link set home up
ip address add ${camera}2${host} dev ${wire}
ip -n ${spaces.camera} address add ${camera}1${host} dev home
ip -n ${spaces.camera} address add ${net}11${host} dev net
ip -n ${spaces.net} address add ${net}1${host} dev net
ip -n ${spaces.display} address add ${net}12${host} dev net
ip -n ${spaces.display} address add ${display}1${host} dev home
ip -n ${spaces.inside} address add ${display}2${host} dev home
${ip} route add ${net}${any} via ${camera}1
${ip} route add ${display}${any} via ${camera}1
${ip} -n ${spaces.camera} route add ${display}${any} via ${net}12
${ip} -n ${spaces.net} route add ${camera}${any} via ${net}11
${ip} -n ${spaces.net} route add ${display}${any} via ${net}12
# Nobody is there: the rest of the world is silent. Without a route to it coturn would give up a relay that sends there.
${ip} -n ${spaces.net} route add default via ${net}254
${ip} -n ${spaces.display} route add ${camera}${any} via ${net}11
${ip} -n ${spaces.inside} route add default via ${display}1
`)
  try {
    make()
  } catch (error) {
    removeAll()
    throw error
  }
  const closing: (() => void)[] = []
  return {
    wrapper: ['ip', 'netns', 'exec', spaces.inside],
    lose: (percent) =>
      filter(
        spaces.inside,
        `table inet loss {
  chain in { type filter hook input priority 0; meta l4proto udp numgen random mod 100 < ${percent} drop; }
  chain out { type filter hook output priority 0; meta l4proto udp numgen random mod 100 < ${percent} drop; }
}`,
      ),
    blockUdp: (home) =>
      filter(
        spaces[home],
        'table inet block { chain through { type filter hook forward priority 0; meta l4proto udp drop; }; }',
      ),
    translate: (home) =>
      filter(
        spaces[home],
        `table inet nat {
  chain leaving { type nat hook postrouting priority 100; oifname "net" masquerade fully-random; }
  chain through { type filter hook forward priority 0; iifname "net" ct state new drop; }
}`,
      ),
    moveDisplay: () =>
      run(`ip -n ${spaces.inside} address add ${display}3${host} dev home
ip -n ${spaces.inside} address delete ${display}2${host.split(' ')[0]} dev home
${ip} -n ${spaces.inside} route replace default via ${display}1`),
    redial: () =>
      run(`ip -n ${spaces.display} address add ${net}13${host} dev net
ip -n ${spaces.display} address delete ${net}12${host.split(' ')[0]} dev net
${ip} -n ${spaces.display} route replace ${camera}${any} via ${net}11`),
    async startTurn() {
      const turn = await startTurn(['ip', 'netns', 'exec', spaces.net], `${net}1`)
      closing.push(turn.close)
      return turn
    },
    close() {
      for (const close of closing) close()
      removeAll()
    },
  }
}

async function startTurn(wrapper: readonly string[], address: string): Promise<Turn & { close(): void }> {
  const directory = mkdtempSync(join(tmpdir(), 'transom-turn-'))
  const { cert, key } = await createCertificate(address)
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  writeFileSync(certFile, cert)
  writeFileSync(keyFile, key)
  const options = {
    '--listening-ip': address,
    '--relay-ip': address,
    '--realm': 'transom',
    '--user': 'user:password',
    '--cert': certFile,
    '--pkey': keyFile,
    '--log-file': 'stdout',
    '--pidfile': join(directory, 'pid'),
    '--userdb': join(directory, 'turndb'),
  }
  const flags = ['-n', '--lt-cred-mech', '--no-cli', '--verbose']
  const args = [...flags, ...Object.entries(options).flat()]
  const [command = '', ...rest] = [...wrapper, 'turnserver', ...args]
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const close = () => {
    child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
  await until(() => /IO method \(auth thread\)/.test(said)).catch((cause: unknown) => {
    close()
    throw new Error(said, { cause })
  })
  const times = (words: RegExp) => said.match(words)?.length ?? 0
  return {
    server: (transport) => ({
      urls: transport === 'tls' ? `turns:${address}:5349?transport=tcp` : `turn:${address}:3478?transport=${transport}`,
      username: 'user',
      credential: 'password',
    }),
    ca: cert,
    allocations: () => ({ made: times(/ALLOCATE processed, success/g), ended: times(/delete: realm/g) }),
    close,
  }
}
