/** Debian's coturn with the configuration of docs/coturn.conf takes the passwords that GetIceServerConfig hands out. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { GetIceServerConfigCommand, type IceServer } from '@aws-sdk/client-kinesis-video-signaling'
import { RTCPeerConnection } from 'werift'
import { turnPassword } from '../../src/signaling/ice-servers.ts'
import { run, type Running } from './running-service.ts'
import { until } from '../until.ts'

const secret = 'a-secret-that-both-know'
let directory: string
let coturn: ChildProcess
let port: number
let said = ''
let running: Running

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'coturn-'))
  port = await freePort()
  const overrides = [
    ['--listening-port', `${port}`],
    ['--listening-ip', '127.0.0.1'],
    ['--relay-ip', '127.0.0.1'],
    ['--relay-ip', '::1'],
    ['--static-auth-secret', secret],
    // Both peers are on this machine, where nobody else would be let through.
    ['--allow-loopback-peers'],
    ['--no-tls'],
    ['--no-dtls'],
    ['--log-file', 'stdout'],
    ['--pidfile', join(directory, 'pid')],
    ['--userdb', join(directory, 'turndb')],
  ]
  const file = join(import.meta.dirname, '..', '..', 'docs', 'coturn.conf')
  coturn = spawn('turnserver', ['-c', file, ...overrides.flat()], { stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [coturn.stdout, coturn.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  running = await run({ turn: { urls: [`turn:127.0.0.1:${port}?transport=udp`], secret } })
  await until(() => /IO method \(auth thread\)/.test(said)).catch((cause: unknown) => {
    throw new Error(said, { cause })
  })
})
afterAll(async () => {
  await running.close()
  coturn.kill('SIGKILL')
  await rm(directory, { recursive: true, force: true })
})

/** Whether coturn gives this user a relay, asked by its own client. */
async function isAdmitted(username: string, credential: string): Promise<boolean> {
  const args = ['-y', '-c', '-n', '1', '-m', '1', '-p', `${port}`, '-u', username, '-w', credential, '127.0.0.1']
  return new Promise((resolve) => {
    execFile('turnutils_uclient', args, { timeout: 10_000 }, (error, out) =>
      resolve(!error && /Total lost packets 0/.test(out)),
    )
  })
}

async function servers(): Promise<IceServer[]> {
  const ChannelARN = await running.service.ensureChannel('door')
  const call = new GetIceServerConfigCommand({ ChannelARN, ClientId: 'porch-camera', Service: 'TURN' })
  return (await running.signaling().send(call)).IceServerList ?? []
}

const gathered = async (peer: RTCPeerConnection) => {
  await until(() => peer.iceGatheringState === 'complete')
  const { type, sdp } = peer.localDescription!
  expect(sdp).toMatch(/typ relay/)
  expect(sdp).not.toMatch(/typ host/)
  return { type, sdp }
}

test('two peers that know no way but the relay reach each other with what the service handed out', async () => {
  const [server] = await servers()
  expect(server).toMatchObject({ Username: expect.stringMatching(/^\d{10}:porch-camera$/), Ttl: 300 })
  const { Uris = [], Username = '', Password = '' } = server ?? {}
  const iceServers = Uris.map((urls) => ({ urls, username: Username, credential: Password }))
  const make = () => new RTCPeerConnection({ iceServers, iceTransportPolicy: 'relay' })
  const [one, other] = [make(), make()]
  try {
    const channel = one.createDataChannel('x')
    const heard: unknown[] = []
    other.onDataChannel.subscribe((theirs) => theirs.onMessage.subscribe((data) => heard.push(data)))
    await one.setLocalDescription(await one.createOffer())
    await other.setRemoteDescription(await gathered(one))
    await other.setLocalDescription(await other.createAnswer())
    // What a display at home offers too, and what the relay has no route to: refused alone, not with the whole relay.
    const answer = await gathered(other)
    const homely = 'a=candidate:99 1 udp 2130706431 192.168.77.77 50000 typ host\r\na=candidate:'
    await one.setRemoteDescription({ ...answer, sdp: answer.sdp.replace('a=candidate:', homely) })
    await until(() => channel.readyState === 'open')
    channel.send(Buffer.from('hello'))
    await until(() => heard.length > 0)
    expect(String(heard[0])).toBe('hello')
  } finally {
    await Promise.all([one.close(), other.close()])
  }
})

test('a password is good until its time, and only ours', async () => {
  const soon = turnPassword(secret, 'v', Date.now() + 60_000)
  expect(await isAdmitted(soon.username, soon.credential)).toBe(true)
  const late = turnPassword(secret, 'v', Date.now() - 60_000)
  expect(await isAdmitted(late.username, late.credential)).toBe(false)
  const forged = turnPassword('another secret', 'v', Date.now() + 60_000)
  expect(await isAdmitted(forged.username, forged.credential)).toBe(false)
})

test.each(
  ['10.1.2.3', '172.16.0.1', '192.168.77.77', '100.64.0.1', '169.254.169.254', 'fd00::1', 'fe80::1'].concat(
    // The same again, written as IPv6.
    [
      '::ffff:10.1.2.3',
      '::ffff:169.254.169.254',
      '::10.1.2.3',
      '64:ff9b::10.1.2.3',
      '64:ff9b:1::a01:203',
      '2002:a01:203::1',
    ],
  ),
)('it relays nothing to %s', async (peer) => {
  const { username, credential } = turnPassword(secret, 'v', Date.now() + 60_000)
  const family = peer.includes(':') ? ['-x'] : []
  const rest = ['-c', '-n', '1', '-m', '1', '-p', `${port}`, '-u', username, '-w', credential, '-e', peer, '127.0.0.1']
  const client = execFile('turnutils_uclient', [...family, ...rest], { timeout: 10_000 })
  let told = ''
  for (const stream of [client.stdout, client.stderr]) stream?.on('data', (chunk: string) => (told += chunk))
  await once(client, 'close')
  expect(told).toMatch(/error 403 \(Forbidden IP\)/)
})
