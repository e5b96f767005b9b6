/** Every parser that reads what others send, each with real messages to begin from; an attack throws bent ones at it. */
import { composeAnswer, readTrickled } from '../../src/bridge/broker/answer.ts'
import { readAnswer } from '../../src/bridge/broker/agreement.ts'
import { candidateLine, parseCandidate } from '../../src/bridge/broker/candidate.ts'
import { offerForCamera, readOffer } from '../../src/bridge/broker/offer.ts'
import { BridgeError } from '../../src/core/errors.ts'
import { SourceError } from '../../src/gateway/media.ts'
import { narrowOffer } from '../../src/gateway/offer.ts'
import { bearerToken, parseJson } from '../../src/bridge/http.ts'
import { decodeDescription, decodeMessage } from '../../src/kvs/message.ts'
import { readFrame } from '../../src/signaling/message.ts'
import { ServiceError } from '../../src/signaling/service-error.ts'
import { claimedKey, verifySigV4 } from '../../src/signaling/sigv4.ts'
import { answerBinding } from '../../src/signaling/stun.ts'
import { alexaEvent } from '../../src/core/wire/alexa.ts'
import { cameraEvent, mqttEvent } from '../../src/core/wire/camera-event.ts'
import { faultsOf } from '../../src/core/wire/faults.ts'
import { googleRequest, signalingMessage } from '../../src/core/wire/google.ts'
import * as directive from '../alexa/directives.ts'
import { createWorld } from '../alexa/world.ts'
import { chromiumAnswer, chromiumOffer, cSdkAnswer, echoOffer, echoRules, hubRules } from '../broker/fixtures.ts'
import { hostCandidate, reflexiveCandidate, relayCandidate } from '../broker/fixtures.ts'
import { cameraParsers } from './cameras.ts'
import { iceParsers } from './ice.ts'
import { createMutator } from './mutate.ts'
import { createByteMutator } from './mutate-bytes.ts'
import { playbackParsers } from './playback.ts'
import { rtpParsers } from './rtp.ts'

export interface Parser {
  readonly name: string
  readonly samples: readonly string[]
  /** Its samples are octets, each a character (`latin1`): what is bent are their bits and lengths. */
  readonly isBinary?: boolean
  /** Reads one input. What it throws must be a refusal; what it returns is well-formed, or it throws. */
  readonly read: (input: string) => unknown
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
const candidates = [hostCandidate, reflexiveCandidate, relayCandidate]
const offer = readOffer(echoOffer)
const { handle } = createWorld()

export const parsers: readonly Parser[] = [
  {
    name: 'offer',
    samples: [echoOffer, chromiumOffer],
    read: (input) => offerForCamera(readOffer(input), hubRules),
  },
  {
    name: 'answer',
    samples: [cSdkAnswer, chromiumAnswer],
    read: (input) => composeAnswer(readAnswer(offer, input, echoRules), [], echoRules),
  },
  {
    name: 'candidate',
    samples: candidates,
    read(input) {
      const parsed = parseCandidate(input)
      if (parsed !== undefined) candidateLine(parsed)
      readTrickled({ candidate: input, sdpMid: '0' })
    },
  },
  { name: 'offer at the gateway', samples: [echoOffer, chromiumOffer], read: (input) => narrowOffer(input, '42e01f') },
  {
    name: 'directive',
    samples: [
      directive.discover(),
      directive.acceptGrant(),
      directive.reportState(),
      directive.initiateSession(),
      directive.sessionConnected(),
      directive.getSnapshot(),
    ].map((each) => JSON.stringify(each)),
    read: async (input) => alexaEvent.parse(await handle(parseJson(input))),
  },
  {
    name: 'intent',
    samples: ['SYNC', 'QUERY', 'EXECUTE', 'DISCONNECT'].map((name) =>
      JSON.stringify({
        requestId: '1',
        inputs: [{ intent: `action.devices.${name}`, payload: { devices: [{ id: 'a' }], commands: [{}] } }],
      }),
    ),
    read: (input) => judged(googleRequest, input),
  },
  {
    name: 'signaling message',
    samples: [JSON.stringify({ action: 'offer', deviceId: 'a', sdp: echoOffer }), '{"action":"end","deviceId":"a"}'],
    read: (input) => judged(signalingMessage, input),
  },
  {
    name: 'camera event',
    samples: [
      '{"kind":"press","eventId":"e","at":1700000000000,"sentAt":1700000000000}',
      '{"kind":"motion","eventId":"e","isDetected":true,"at":1700000000000}',
      '{"kind":"viewer","viewerId":"v","state":"connected","heard":{"packets":5,"level":0.5},"at":1700000000000}',
      '{"kind":"battery","level":50,"at":1700000000000}',
    ],
    read(input) {
      judged(cameraEvent, input)
      judged(mqttEvent, input)
    },
  },
  {
    name: 'signaling frame',
    samples: [
      JSON.stringify({ action: 'SDP_OFFER', messagePayload: base64('{"type":"offer"}'), correlationId: 'c' }),
      JSON.stringify({ Action: 'ICE_CANDIDATE', MessagePayload: base64('{}'), RecipientClientId: 'v' }),
    ],
    read: readFrame,
  },
  {
    name: 'message of a camera',
    samples: [
      ...candidates.map((candidate) =>
        JSON.stringify({ messageType: 'ICE_CANDIDATE', messagePayload: base64(JSON.stringify({ candidate })) }),
      ),
      JSON.stringify({
        messageType: 'SDP_ANSWER',
        messagePayload: base64(JSON.stringify({ type: 'answer', sdp: cSdkAnswer })),
      }),
      '{"messageType":"GO_AWAY"}',
    ],
    read(input) {
      decodeMessage(input)
      decodeDescription('answer', base64(input))
    },
  },
  {
    name: 'signature',
    samples: [
      'AWS4-HMAC-SHA256 Credential=TRSMAAAA/20260101/local/kinesisvideo/aws4_request, SignedHeaders=host;x-amz-date, Signature=00ff',
      '/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=TRSM%2F20260101%2Flocal%2Fkinesisvideo%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=299&X-Amz-SignedHeaders=host&X-Amz-Signature=00ff',
    ],
    async read(input) {
      const isTarget = input.startsWith('/')
      const headers = { host: ['h'], 'x-amz-date': ['20260101T000000Z'], ...(!isTarget && { authorization: [input] }) }
      const request = { method: 'GET', target: isTarget ? input : '/', headers, body: Buffer.alloc(0) }
      claimedKey(request)
      await verifySigV4(request, async () => ({ secret: 'secret' }), Date.UTC(2026, 0, 1))
    },
  },
  { name: 'bearer token', samples: ['Bearer abc.def.ghi'], read: (input) => bearerToken({ authorization: input }) },
  {
    name: 'binding request',
    samples: [Buffer.from('000100002112a442000102030405060708090a0b', 'hex').toString('latin1')],
    read: (input) => answerBinding(Buffer.from(input, 'latin1'), { address: '192.0.2.1', port: 1 }),
  },
  ...rtpParsers,
  ...iceParsers,
  ...cameraParsers,
  ...playbackParsers,
]

export interface Outcome {
  readonly inputs: number
  /** Inputs at which something of ours broke, with what it threw: a `TypeError`, an answer that is none. */
  readonly broken: readonly string[]
  /** The slowest single input, milliseconds. */
  readonly slowestMs: number
}

/** Throws bent inputs at one parser until `isEnough`, which is asked before each with their number. */
export async function attackParser(
  parser: Parser,
  seed: number,
  isEnough: (inputs: number) => boolean,
): Promise<Outcome> {
  const mutator = parser.isBinary ? createByteMutator(seed) : createMutator(seed)
  const broken: string[] = []
  let [inputs, slowestMs] = [0, 0]
  for (; !isEnough(inputs) && broken.length < 10; inputs += 1) {
    const input = mutator.next(parser.samples)
    const startedAt = performance.now()
    try {
      await parser.read(input)
    } catch (thrown) {
      if (!isRefusal(thrown)) broken.push(`${parser.name}: ${String(thrown)} at ${JSON.stringify(input.slice(0, 300))}`)
    }
    slowestMs = Math.max(slowestMs, performance.now() - startedAt)
  }
  return { inputs, broken, slowestMs }
}

/** An error that says what is wrong with the input; anything else is a mistake of ours. */
function isRefusal(thrown: unknown): boolean {
  if (thrown instanceof SourceError) return true
  if (thrown instanceof BridgeError) return thrown.code !== 'internal'
  return thrown instanceof ServiceError && thrown.status < 500
}

/** A door parses, and puts what is wrong into words. */
function judged(
  schema: { safeParse(value: unknown): { error?: Parameters<typeof faultsOf>[0] | undefined } },
  input: string,
): void {
  const { error } = schema.safeParse(parseJson(input))
  if (error !== undefined) faultsOf(error)
}
