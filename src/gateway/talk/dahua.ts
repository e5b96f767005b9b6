/** Dahua and Amcrest: `audio.cgi?action=postAudio` of their HTTP API takes A-law as the body of one long request. */
import { meet, openHttpLine, type HttpPlace } from './http-line.ts'
import type { Speaker } from './speaker.ts'

const path = '/cgi-bin/audio.cgi?action=postAudio&httptype=singlepart&channel=1'

export function createDahuaSpeaker(place: HttpPlace): Speaker {
  const request = { method: 'POST', path, headers: { 'Content-Type': 'Audio/G.711A' } } as const
  return {
    async open(signal) {
      const { credentials } = await meet(place, request, signal)
      return openHttpLine({ place, request, credentials, law: 'PCMA', answersFirst: false }, signal)
    },
  }
}
