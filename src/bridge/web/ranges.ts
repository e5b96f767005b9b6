/** Bytes with the single range that a player asks for (RFC 9110 section 14). */
import type { Request, Response } from 'express'

/** Sends the bytes, or the part of them that the request wants; 416 where there is no such part. */
export function sendParts(request: Request, response: Response, bytes: Buffer): void {
  response.set('accept-ranges', 'bytes')
  const ranges = request.range(bytes.length, { combine: true })
  if (ranges === -1) {
    response.status(416).set('content-range', `bytes */${bytes.length}`).end()
    return
  }
  const [range] = Array.isArray(ranges) && ranges.type === 'bytes' && ranges.length === 1 ? ranges : []
  if (range === undefined) return void response.send(bytes)
  const { start, end } = range
  response.status(206).set('content-range', `bytes ${start}-${end}/${bytes.length}`)
  response.send(bytes.subarray(start, end + 1))
}
