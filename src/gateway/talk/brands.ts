/** The speakers of the brands whose HTTP APIs are known. */
import { createPatience, type Patience } from '../patience.ts'
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

/**
 * The loudspeaker at this place, whose password, once refused, is not tried again at each word: cameras lock accounts.
 * `patience`: that of all who use this password; by default nobody else does.
 */
export function createHttpSpeaker(brand: Brand, place: HttpPlace, patience: Patience = createPatience()): Speaker {
  const speaker = speakers[brand](place)
  const door = patience.door()
  return {
    async open(signal) {
      door.check()
      try {
        const line = await speaker.open(signal)
        // Some cameras refuse only when the first sound has come.
        void line.ended.then((why) => (why.code === 'source_password' ? door.failed(why) : door.succeeded()))
        return line
      } catch (error) {
        door.failed(error)
        throw error
      }
    },
  }
}
