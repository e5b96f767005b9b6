/** Leaves recordings with the bridge, fragment by fragment in their order. */
import { boundedFetch } from 'transom-core/fetch'
import type { Log } from 'transom-core/ports'
import type { RecordingPlace } from './recorder.ts'

/** A bridge that starts again is back by then. */
const retriesMs = [500, 2_000, 5_000]
/** What waits for a bridge that is slower than the camera. */
const mostWaitingBytes = 32 * 1_024 * 1_024

/** `url`: `…/cameras/<cameraId>/recordings`. */
export function createRecordingPlace(options: {
  readonly url: string
  readonly key: string
  readonly log: Log
  /** For tests. */
  readonly pauseMs?: (ms: number) => Promise<void>
}): RecordingPlace {
  const { url, key, log, pauseMs = defaultPause } = options
  const send = boundedFetch({ ms: 10_000 })
  let last: Promise<void> = Promise.resolve()

  /** Once more where the bridge was away; what it refuses is refused. */
  async function put(path: string, method: 'PUT' | 'POST', type: string, body: Buffer): Promise<void> {
    for (const retryMs of [...retriesMs, undefined]) {
      const reply = await send(`${url}/${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, 'content-type': type },
        body: new Uint8Array(body),
      }).catch((error: unknown) => error)
      if (reply instanceof Response && reply.ok) return
      const why = reply instanceof Response ? `the bridge answered ${reply.status}` : 'the bridge does not answer'
      const isFinal = reply instanceof Response && reply.status < 500 && reply.status !== 429
      if (isFinal || retryMs === undefined) throw new Error(why, { cause: reply })
      await pauseMs(retryMs)
    }
  }

  return {
    begin(startAt, codecs, onLost) {
      let isLost = false
      /** Before the first segment there is nothing that a picture could belong to. */
      let hasBegun = false
      let early: Buffer | undefined
      let waitingBytes = 0
      const lose = (error: unknown) => {
        if (isLost) return
        isLost = true
        log('error', 'gateway.recording-failed', { startAt, error })
        onLost()
      }
      const then = (bytes: number, work: () => Promise<void>) => {
        waitingBytes += bytes
        if (waitingBytes > mostWaitingBytes) lose(new Error('the bridge takes it more slowly than it comes'))
        last = last.then(async () => {
          if (!isLost) await work()
          waitingBytes -= bytes
        })
      }
      const picture = (jpeg: Buffer) =>
        then(jpeg.length, () =>
          put(`${startAt}/picture`, 'PUT', 'image/jpeg', jpeg).catch((error: unknown) =>
            log('warn', 'gateway.still-missed', { error }),
          ),
        )
      return {
        segment({ number, at, durationMs, data }) {
          const query = new URLSearchParams({ at: String(at), durationMs: String(Math.round(durationMs)) })
          if (number === 0) query.set('codecs', codecs)
          const path = `${startAt}/fragments/${number}?${query.toString()}`
          then(data.length, () => put(path, 'PUT', 'video/mp4', data).catch(lose))
          hasBegun = true
          if (early !== undefined) picture(early)
          early = undefined
        },
        picture(jpeg) {
          if (hasBegun) picture(jpeg)
          else early = jpeg
        },
        end() {
          if (hasBegun) then(0, () => put(`${startAt}/end`, 'POST', 'application/json', Buffer.from('{}')).catch(lose))
        },
      }
    },
    settled: () => last,
  }
}

const defaultPause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms).unref())
