/** Real-life descriptions and the facts that the broker's tests share. */
import { readFileSync } from 'node:fs'
import { accountId, cameraId, sessionId } from '../../src/core/ports.ts'
import type { AnswerRules } from '../../src/bridge/broker/rules.ts'
import type { Budgets, Facts } from '../../src/bridge/broker/story.ts'

const read = (name: string): string => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8')

/** An Echo's offer in every point of the field captures; bare LF. */
export const echoOffer = read('echo-offer.sdp')
/** A Chromium's offer: video recvonly, audio sendrecv, max-bundle. */
export const chromiumOffer = read('chromium-offer.sdp')
/** What a KVS C SDK master answers to the Echo. */
export const cSdkAnswer = read('c-sdk-answer.sdp')

/** A camera's answer to `chromiumOffer`, as werift writes it: one H.264 and Opus, other mids' order kept. */
export const chromiumAnswer = [
  'v=0',
  'o=- 12345 0 IN IP4 0.0.0.0',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'a=ice-options:trickle',
  'm=video 9 UDP/TLS/RTP/SAVPF 108',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:werf',
  'a=ice-pwd:0123456789012345678901',
  `a=fingerprint:sha-256 ${Array<string>(32).fill('AA').join(':')}`,
  'a=setup:active',
  'a=mid:0',
  'a=sendonly',
  'a=rtcp-mux',
  'a=rtpmap:108 H264/90000',
  'a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  'a=rtcp-fb:108 nack',
  'a=rtcp-fb:108 made-up',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:werf',
  'a=ice-pwd:0123456789012345678901',
  `a=fingerprint:sha-256 ${Array<string>(32).fill('AA').join(':')}`,
  'a=setup:active',
  'a=mid:1',
  'a=sendrecv',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  '',
].join('\r\n')

export const hostCandidate = 'candidate:7 1 udp 2130706431 192.0.2.9 50000 typ host'
export const reflexiveCandidate =
  'candidate:8 1 udp 1694498815 203.0.113.9 50001 typ srflx raddr 0.0.0.0 rport 0 generation 0 network-cost 999'
export const relayCandidate =
  'candidate:9 1 udp 16777215 203.0.113.77 50002 typ relay raddr 0.0.0.0 rport 0 generation 0 network-cost 999'

export const echoRules: AnswerRules = { ipv4Only: true, tcpCandidates: false, talkBack: true }
export const hubRules: AnswerRules = { ipv4Only: false, tcpCandidates: true, talkBack: true }

export const budgets: Budgets = { settleCapMs: 1_500, quietMs: 200, replyMs: 100, absentMs: 3_000, lifetimeMs: 600_000 }

/** A session that starts at 0 and must be answered by 5,000. */
export const facts: Facts = {
  id: sessionId('0123456789012345678901'),
  assistant: 'alexa',
  accountId: accountId('a'),
  cameraId: cameraId('front-door'),
  reference: 'r',
  offerDigest: 'd',
  viewerId: 's-0123456789012345678901.00',
  startedAt: 0,
  answerBy: 5_000,
  rules: echoRules,
  budgets,
}
