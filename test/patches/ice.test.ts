/** What patches/werift changes in ICE: servers, relays, nomination, checks of strangers, what a close leaves behind. */
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  candidateFromSdp,
  candidateToIce,
  classes,
  Message,
  methods,
  parseIceServers,
  RTCPeerConnection,
  RTCIceGatherer,
  StunProtocol,
} from 'werift'
import { openUdpSockets } from '../gateway/world.ts'
import { startIceServer, type TestIceServer, type TestIceServerOptions } from './ice-server.ts'
import { until } from '../until.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
  await until(() => openUdpSockets() === 0)
})

async function server(options?: TestIceServerOptions): Promise<TestIceServer> {
  const started = await startIceServer(options)
  closing.push(() => started.close())
  return started
}

/** An ICE agent with these servers that has been told of them only. */
function agent(urls: readonly string[], credential = 'password') {
  const options = {
    useIpv6: false,
    additionalHostAddresses: ['127.0.0.1'],
    turnConnectTimeout: 0.6,
    stunGatherTimeout: 0.4,
  }
  const servers = urls.map((url) => ({ urls: url, username: 'user', credential }))
  const gatherer = new RTCIceGatherer({ ...parseIceServers(servers), ...options })
  const reports: { url: string; reason: string | undefined; tookMs: number | undefined }[] = []
  gatherer.connection.onIceServer.subscribe(({ url, error, tookMs }) =>
    reports.push({ url, reason: error?.message, tookMs }),
  )
  closing.push(() => gatherer.connection.close())
  const of = (type: string) => gatherer.localCandidates.filter((candidate) => candidate.type === type)
  return { gatherer, connection: gatherer.connection, reports, of }
}

describe('gathering', () => {
  test('asks nobody when no server is named', async () => {
    expect(new RTCPeerConnection().getConfiguration().iceServers).toEqual([])
    const { gatherer, connection, of } = agent([])
    await gatherer.gather()
    expect(connection.options).toMatchObject({ stunServers: [], turnServers: [] })
    expect(gatherer.localCandidates.length).toBe(of('host').length)
  })

  test('allocates on all TURN servers side by side, and says which are dead or refuse', async () => {
    const good = await server()
    const overTcp = await server({ transport: 'tcp' })
    const silent = await server({ isSilent: true })
    const closed = await startIceServer({ transport: 'tcp' })
    closed.close()
    const urls = [
      `turn:127.0.0.1:${silent.port}?transport=udp`,
      `turn:127.0.0.1:${closed.port}?transport=tcp`,
      `turn:127.0.0.1:${good.port}?transport=udp`,
      `turn:127.0.0.1:${overTcp.port}?transport=tcp`,
    ]
    const { gatherer, reports, of } = agent(urls)
    // When the silent one is given up, the good ones have long been there.
    let relays = 0
    gatherer.connection.onIceServer.subscribe(({ error }) => {
      if (error?.message === 'no answer') relays = of('relay').length
    })
    await gatherer.gather()
    expect(relays).toBe(2)
    expect(reports.find(({ url }) => url === urls[0])?.reason).toBe('no answer')
    expect(reports.find(({ url }) => url === urls[1])?.reason).toContain('ECONNREFUSED')
    expect(
      reports
        .filter(({ reason }) => reason === undefined)
        .map(({ url }) => url)
        .toSorted(),
    ).toEqual(urls.slice(2).toSorted())
  })

  test('says that a server refuses the password', async () => {
    const refusing = await server({ refuses: true })
    const { gatherer, reports } = agent([`turn:127.0.0.1:${refusing.port}?transport=udp`])
    await gatherer.gather()
    expect(reports.map(({ reason }) => reason)).toEqual(['refused: 401 Unauthorized'])
  })

  test('takes TCP when a URL leaves the choice and UDP is silent', async () => {
    const overTcp = await server({ transport: 'tcp' })
    const { gatherer, of } = agent([`turn:127.0.0.1:${overTcp.port}`])
    await gatherer.gather()
    expect(of('relay').length).toBe(1)
  })

  test('learns the reflexive address from a TURN server by STUN, and from its Allocate answer', async () => {
    const asked = await server({ mapped: ['198.51.100.7', 5_000] })
    const first = agent([`turn:127.0.0.1:${asked.port}?transport=udp`])
    await first.gatherer.gather()
    expect(asked.bindings).toBe(first.of('host').length)
    expect(first.of('srflx').map(({ ip, port }) => `${ip}:${port}`)).toContain('198.51.100.7:5000')

    const withoutStun = await server({ noStun: true, mapped: ['198.51.100.8', 5_001] })
    const other = agent([`turn:127.0.0.1:${withoutStun.port}?transport=udp`])
    await other.gatherer.gather()
    const [reflexive] = other.of('srflx')
    expect(other.of('srflx').map(({ ip, port }) => `${ip}:${port}`)).toEqual(['198.51.100.8:5001'])
    expect(other.of('host').map(({ port }) => port)).toContain(reflexive?.relatedPort)
  })

  test('gives an allocation back when it is closed', async () => {
    const turn = await server()
    const { gatherer, connection } = agent([`turn:127.0.0.1:${turn.port}?transport=udp`])
    await gatherer.gather()
    await connection.close()
    await until(() => turn.released === 1)
    expect(turn.allocated).toBe(1)
  })

  test('that is closed on its way ends with it', async () => {
    const turn = await server({ isSilent: true })
    const { gatherer, connection } = agent([`turn:127.0.0.1:${turn.port}`, `stun:127.0.0.1:${turn.port}`])
    const gathering = gatherer.gather()
    await connection.close()
    await gathering
    expect(gatherer.localCandidates).toEqual([])
  })

  test('pairs a relay that comes late with the candidates that are known', async () => {
    const turn = await server()
    const { gatherer, connection, of } = agent([`turn:127.0.0.1:${turn.port}?transport=udp`])
    await connection.addRemoteCandidate(parseCandidate('1 1 udp 2130706431 127.0.0.1 9 typ host'))
    await gatherer.gather()
    expect(of('relay').length).toBe(1)
    expect(connection.candidatePairs.filter(({ localCandidate }) => localCandidate.type === 'relay')).toHaveLength(1)
  })
})

/** A display that nominates as a test tells it to: two sockets, and the password of one ICE agent. */
async function display(connection: ReturnType<typeof agent>['connection'], password = connection.localPassword) {
  const sockets: StunProtocol[] = []
  for (const _ of [0, 1]) {
    const socket = new StunProtocol()
    await socket.connectionMade(true)
    socket.onRequestReceived.subscribe((request, from) => {
      const reply = new Message(methods.BINDING, classes.RESPONSE, request.transactionId)
      reply
        .setAttribute('XOR-MAPPED-ADDRESS', from)
        .addMessageIntegrity(Buffer.from('p'.repeat(22)))
        .addFingerprint()
      void socket.sendStun(reply, from)
    })
    closing.push(() => socket.close())
    sockets.push(socket)
  }
  const host = connection.localCandidates.find((candidate) => candidate.host === '127.0.0.1')
  const check = (nominates: boolean) => {
    const request = new Message(methods.BINDING, classes.REQUEST)
    request.setAttribute('USERNAME', `${connection.localUsername}:them`).setAttribute('PRIORITY', 1_862_270_975)
    request.setAttribute('ICE-CONTROLLING', 2n ** 63n)
    if (nominates) request.setAttribute('USE-CANDIDATE', null)
    return request
  }
  return {
    portOf: (index: number) => sockets[index]!.getExtraInfo()[1],
    /** Sends a check from a socket; resolves when it is answered. */
    async check(index: number, nominates: boolean): Promise<Message> {
      const request = check(nominates)
      await sockets[index]!.request(request, ['127.0.0.1', host!.port], Buffer.from(password), {
        retransmissions: 0,
        responseTimeout: 300,
      })
      return request
    },
    async repeat(index: number, request: Message) {
      await sockets[index]!.sendStun(request, ['127.0.0.1', host!.port])
    },
  }
}

const parseCandidate = (sdp: string) => candidateToIce(candidateFromSdp(sdp))

async function connected() {
  const { gatherer, connection } = agent([])
  await gatherer.gather()
  connection.setRemoteParams({ iceLite: false, usernameFragment: 'them', password: 'p'.repeat(22) })
  const other = await display(connection)
  const connecting = connection.connect()
  await other.check(0, true)
  await connecting
  return { connection, other }
}

describe('a pair', () => {
  test('that the display nominates last is the one that is used', async () => {
    const { connection, other } = await connected()
    const nominated = () => connection.nominated?.remoteAddr[1]
    expect(nominated()).toBe(other.portOf(0))
    await other.check(1, false)
    expect(nominated()).toBe(other.portOf(0))
    await other.check(1, true)
    await until(() => nominated() === other.portOf(1))
    const first = await other.check(0, true)
    await until(() => nominated() === other.portOf(0))
    await other.check(1, true)
    await until(() => nominated() === other.portOf(1))
    // An old datagram that comes again is no new nomination.
    await other.repeat(0, first)
    await other.check(1, false)
    expect(nominated()).toBe(other.portOf(1))
  })

  test('that the filter forbids is not begun by a check of the other side', async () => {
    const { gatherer, connection } = agent([])
    connection.options.filterCandidatePair = ({ remoteCandidate }) => remoteCandidate.host !== '127.0.0.1'
    await gatherer.gather()
    connection.setRemoteParams({ iceLite: false, usernameFragment: 'them', password: 'p'.repeat(22) })
    const other = await display(connection)
    const connecting = connection.connect()
    // It is answered as every check is, and that is all.
    await other.check(0, true)
    expect(connection.candidatePairs).toEqual([])
    await connection.close()
    await connecting.catch(() => undefined)
  })

  test('is not made by a stranger who does not know the password', async () => {
    const { gatherer, connection } = agent([])
    await gatherer.gather()
    connection.setRemoteParams({ iceLite: false, usernameFragment: 'them', password: 'p'.repeat(22) })
    const stranger = await display(connection, 'not the password')
    const connecting = connection.connect()
    await expect(stranger.check(0, true)).rejects.toThrow('no answer')
    expect(connection.candidatePairs).toEqual([])
    await connection.close()
    await connecting.catch(() => undefined)
  })
})

test('a name that nobody on the network answers for keeps nothing alive after the close', async () => {
  const { connection } = agent([])
  const looking = connection.addRemoteCandidate(parseCandidate('1 1 udp 2130706431 nobody-here.local 9 typ host'))
  expect(process.getActiveResourcesInfo()).toContain('Timeout')
  await connection.close()
  await looking
  expect(connection.remoteCandidates).toEqual([])
})
