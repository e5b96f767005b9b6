/** Attacks on what comes to the port of a view before anybody is known: STUN, TURN, its frames on streams, and DTLS records. */
import { Message, TurnProtocol, classes, methods, parseMessage } from 'werift'
import { createPair } from '../patches/wire.ts'
import type { Parser } from './parsers.ts'

const bytes = (input: string) => Buffer.from(input, 'latin1')
const id = Buffer.alloc(12, 5)
const key = Buffer.from('password')
const mapped = ['192.0.2.1', 5_000] as const
const server: readonly [string, number] = ['192.0.2.1', 3_478]

const messages = [
  new Message(methods.BINDING, classes.REQUEST, id)
    .setAttribute('USERNAME', 'a:b')
    .setAttribute('PRIORITY', 1)
    .setAttribute('ICE-CONTROLLING', 1n)
    .addMessageIntegrity(key)
    .addFingerprint(),
  new Message(methods.BINDING, classes.RESPONSE, id).setAttribute('XOR-MAPPED-ADDRESS', mapped).addFingerprint(),
  new Message(methods.ALLOCATE, classes.ERROR, id)
    .setAttribute('ERROR-CODE', [401, 'Unauthorized'])
    .setAttribute('NONCE', Buffer.from('nonce'))
    .setAttribute('REALM', 'realm'),
  new Message(methods.DATA, classes.INDICATION, id)
    .setAttribute('XOR-PEER-ADDRESS', ['2001:db8::1', 5_000])
    .setAttribute('DATA', Buffer.from('data')),
].map((message) => message.bytes.toString('latin1'))

async function connect() {
  const pair = await createPair()
  await pair.connect()
  return pair
}

/** Two ends that are connected, made with the first attack. */
const connected = (() => {
  let made: ReturnType<typeof connect> | undefined
  return () => (made ??= connect())
})()

/** A client on this kind of transport, whose allocation was refused: it waits for nothing, and reads what comes. */
async function turnClient(type: 'udp' | 'tcp') {
  const transport = {
    type,
    address: { address: '192.0.2.2', family: 'IPv4', port: 50_000 },
    closed: false,
    onData: (_data: Buffer, _from: readonly [string, number]) => {},
    async send(data: Buffer) {
      const refusal = new Message(methods.ALLOCATE, classes.ERROR, data.subarray(8, 20))
      queueMicrotask(() => transport.onData(refusal.setAttribute('ERROR-CODE', [400, 'Bad Request']).bytes, server))
    },
    close: async () => {},
  }
  const client = new TurnProtocol(server, 'user', 'password', 600, transport)
  await client.connectionMade().catch(() => undefined)
  return { client, transport }
}

async function attackTurn(type: 'udp' | 'tcp', input: string): Promise<void> {
  const { client, transport } = await turnClient(type)
  const heard: string[] = []
  client.onData.subscribe((data) => heard.push(data.toString()))
  transport.onData(bytes(input), mapped)
  // On a stream the rest of a frame that was announced may still have to come.
  if (type === 'tcp') transport.onData(Buffer.alloc(70_000, 0xff), mapped)
  const after = new Message(methods.DATA, classes.INDICATION, id)
  after.setAttribute('XOR-PEER-ADDRESS', mapped).setAttribute('DATA', Buffer.from('after'))
  transport.onData(after.bytes, mapped)
  if (!heard.includes('after')) throw new TypeError('what comes after it is not read')
}

const channelData = Buffer.from('4000000464617461', 'hex').toString('latin1')

export const iceParsers: readonly Parser[] = [
  {
    name: 'STUN',
    isBinary: true,
    samples: messages,
    read(input) {
      parseMessage(bytes(input))
      parseMessage(bytes(input), key)
    },
  },
  {
    name: 'TURN over UDP',
    isBinary: true,
    samples: [...messages, channelData],
    read: (input) => attackTurn('udp', input),
  },
  {
    name: 'TURN over TCP',
    isBinary: true,
    samples: [...messages, channelData],
    read: (input) => attackTurn('tcp', input),
  },
  {
    name: 'DTLS',
    isBinary: true,
    samples: [
      `16fefd00000000000000630014 0e000008 0001 000000 000008 ${'aa'.repeat(8)}`,
      `16feff0000000000000000003a 0100002e 0000 000000 00002e fefd ${'bb'.repeat(32)} 00 00 0002 c02b 0100 0004 00170000`,
      '15fefd000000000000000100020228',
      `17fefd00010000000000050018 ${'cc'.repeat(24)}`,
      '14fefd0000000000000002000101',
    ].map((hex) => Buffer.from(hex.replaceAll(' ', ''), 'hex').toString('latin1')),
    async read(input) {
      const pair = await connected()
      for (const side of ['client', 'server'] as const) pair.deliver(side, bytes(input))
      const heard = Promise.withResolvers<string>()
      pair.server.dataReceiver = (data) => heard.resolve(data.toString())
      await pair.client.sendData(Buffer.from('after'))
      if ((await heard.promise) !== 'after') throw new TypeError('what comes after it is not read')
    },
  },
]
