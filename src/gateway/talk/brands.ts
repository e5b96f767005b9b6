/** The speakers of the brands whose HTTP APIs are known. */
import { createPatience } from '../rtsp/patience.ts'
import { createAxisSpeaker } from './axis.ts'
import { createDahuaSpeaker } from './dahua.ts'
import { createDoorbirdSpeaker } from './doorbird.ts'
import { createHikvisionSpeaker } from './hikvision.ts'
import type { HttpPlace } from './http-line.ts'
import type { Brand, Speaker } from './speaker.ts'

const speakers: Readonly<Record<Brand, (place: HttpPlace) => Speaker>> = {
  axis: createAxisSpeaker,
  dahua: createDahuaSpeaker,
  doorbird: createDoorbirdSpeaker,
  hikvision: createHikvisionSpeaker,
}

/** The loudspeaker at this place, whose password, once refused, is not tried again at each word: cameras lock accounts. */
export function createHttpSpeaker(brand: Brand, place: HttpPlace): Speaker {
  const speaker = speakers[brand](place)
  const patience = createPatience()
  return {
    async open(signal) {
      patience.check()
      try {
        const line = await speaker.open(signal)
        // Some cameras refuse only when the first sound has come.
        void line.ended.then(patience.failed)
        return line
      } catch (error) {
        patience.failed(error)
        throw error
      }
    },
  }
}
