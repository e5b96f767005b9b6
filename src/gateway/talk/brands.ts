/** The speakers of the brands whose HTTP APIs are known. */
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

export const createHttpSpeaker = (brand: Brand, place: HttpPlace): Speaker => speakers[brand](place)
