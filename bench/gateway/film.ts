/** A camera on loopback that plays the same pictures again and again, in real time. */
import { createFakeCamera } from '../../test/gateway/rtsp/camera.ts'
import { movingRate, recordMoving, sendMoving, type Kind } from '../../test/gateway/rtsp/moving.ts'

export interface Film {
  /** The address of its stream. */
  readonly url: string
  close(): Promise<void>
}

/** `gopSeconds` from one key frame to the next, at 25 pictures a second of 320 by 240. */
export async function startFilm(kind: Kind, gopSeconds: number): Promise<Film> {
  const count = gopSeconds * movingRate
  const moving = await recordMoving(kind, count)
  const camera = await createFakeCamera({ sdp: moving.sdp, quiet: true })
  const startedAt = performance.now()
  let index = 0
  const filming = setInterval(() => {
    for (const due = ((performance.now() - startedAt) * movingRate) / 1_000; index < due; index += 1) {
      const picture = moving.pictures[index % count]
      if (picture) sendMoving(camera, { pictures: [picture] }, Math.floor(index / count) * gopSeconds * 90_000)
    }
  }, 1_000 / movingRate)
  return {
    url: `rtsp://127.0.0.1:${camera.port}/live`,
    async close() {
      clearInterval(filming)
      await camera.close()
    },
  }
}
