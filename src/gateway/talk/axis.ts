/** Axis: `transmit.cgi` of the VAPIX Audio API takes µ-law as the body of one long request. */
import { meet, openHttpLine, type HttpPlace } from './http-line.ts'
import type { Speaker } from './speaker.ts'

const path = '/axis-cgi/audio/transmit.cgi'

export function createAxisSpeaker(place: HttpPlace): Speaker {
  const request = { method: 'POST', path, headers: { 'Content-Type': 'audio/basic' } } as const
  return {
    async open(signal) {
      const { credentials } = await meet(place, request, signal)
      return openHttpLine({ place, request, credentials, law: 'PCMU', answersFirst: false }, signal)
    },
  }
}
