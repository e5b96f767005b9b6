/** A display that knows no Opus, through both assistants' doors to the doorbell of the gateway: a picture, and G.711 both ways. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { RTCPeerConnection, RtpHeader, RtpPacket, useH264, usePCMA, usePCMU } from 'werift'
import { createAlexa } from '../../src/simulator/alexa.ts'
import { readAnswer } from '../../src/simulator/answer.ts'
import { findCamera } from '../../src/simulator/assistant.ts'
import { createGoogle } from '../../src/simulator/google.ts'
import { linkAccount } from '../../src/simulator/link.ts'
import { settledSession } from '../../src/simulator/sessions.ts'
import { readSettings } from '../../src/simulator/settings.ts'
import type { Embedded } from '../../src/transom/embedded.ts'
import { until } from '../until.ts'
import { embedHouse } from './embedded-house.ts'

const patience = 60_000
let house: Embedded
let dataDir: string

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'transom-g711-'))
  house = await embedHouse(dataDir)
})
afterAll(async () => {
  await house.close()
  rmSync(dataDir, { recursive: true, force: true })
})

test.each([
  ['alexa', 'PCMU', usePCMU],
  ['google', 'PCMA', usePCMA],
] as const)('of %s with %s only', async (name, codec, use) => {
  const signal = AbortSignal.timeout(patience)
  const { bridge, clients, user } = readSettings(dataDir)
  const { accessToken } = await linkAccount({ assistant: name, bridge, client: clients[name], user }, signal)
  const tools = { bridge, accessToken, note: () => {} }
  const assistant = name === 'alexa' ? createAlexa(tools) : createGoogle(tools)
  await assistant.prepare(await findCamera(assistant, house.camera.id, tools.note, signal), signal)

  const peer = new RTCPeerConnection({
    codecs: { video: [useH264()], audio: [use()] },
    bundlePolicy: 'max-bundle',
    iceServers: [],
  })
  try {
    const got = { types: new Set<number>(), sizes: new Set<number>(), video: 0 }
    const { sender } = peer.addTransceiver('audio', { direction: 'sendrecv' })
    peer.addTransceiver('video', { direction: 'recvonly' })
    peer.onTrack.subscribe((track) => {
      track.onReceiveRtp.subscribe(({ header, payload }) => {
        if (track.kind === 'video') got.video += 1
        else {
          got.types.add(header.payloadType)
          got.sizes.add(payload.length)
        }
      })
    })
    await peer.setLocalDescription(await peer.createOffer())
    const offer = peer.localDescription?.sdp ?? ''
    const answer = await assistant.offer(offer, signal)
    expect(readAnswer(offer, answer, assistant.answerRules).audio).toMatchObject({ codec, takes: true })
    await peer.setRemoteDescription({ type: 'answer', sdp: answer })
    await until(() => got.video > 20 && got.types.size > 0)
    // 20 ms of it, in its static payload type (RFC 3551 section 6).
    expect([[...got.types], [...got.sizes]]).toEqual([[codec === 'PCMU' ? 0 : 8], [160]])

    const voice = Buffer.alloc(160, 0x10)
    for (let index = 0; index < 25; index++)
      await sender.sendRtp(new RtpPacket(new RtpHeader({ sequenceNumber: index, timestamp: index * 160 }), voice))
    await assistant.connected(signal)
    const matches = (row: { readonly reference: string }) => row.reference === assistant.reference()
    const session = await settledSession({ bridge, accessToken, matches }, 20, patience, signal)
    expect(session?.heard?.packets).toBeGreaterThanOrEqual(20)
    await assistant.hangUp(signal)
  } finally {
    await peer.close()
  }
})
