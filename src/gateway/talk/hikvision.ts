/** Hikvision: two-way audio by ISAPI. A channel is opened, takes G.711 on a connection of its own, and must be closed. */
import type { Law } from '../g711.ts'
import { SourceError } from '../media.ts'
import { ask, openHttpLine, type HttpPlace } from './http-line.ts'
import type { Speaker } from './speaker.ts'

const channels = '/ISAPI/System/TwoWayAudio/channels'
const farewellMs = 2_000
const laws: Readonly<Record<string, Law>> = { 'G.711ulaw': 'PCMU', 'G.711alaw': 'PCMA' }

export function createHikvisionSpeaker(place: HttpPlace): Speaker {
  return {
    async open(signal) {
      const { reply, credentials } = await ask(place, { method: 'GET', path: channels }, signal)
      const id = /<id>([\w-]{1,16})<\/id>/.exec(reply.body)?.[1]
      const codec = /<audioCompressionType>([\w.-]{1,32})<\/audioCompressionType>/.exec(reply.body)?.[1] ?? ''
      const law = laws[codec]
      if (id === undefined || !law)
        throw new SourceError('source_garbled', `${place.label} takes no G.711: choose it as its audio encoding`)
      const of = (action: string) => `${channels}/${id}/${action}`
      await ask(place, { method: 'PUT', path: of('open') }, signal)
      const goodbye = () => ask(place, { method: 'PUT', path: of('close') }, AbortSignal.timeout(farewellMs))
      const headers = { 'Content-Type': 'application/binary' }
      const request = { method: 'PUT', path: of('audioData'), headers } as const
      try {
        return await openHttpLine({ place, request, credentials, law, answersFirst: true, goodbye }, signal)
      } catch (error) {
        await goodbye().catch(() => undefined)
        throw error
      }
    },
  }
}
