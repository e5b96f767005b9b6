/** Compresses what `/api` answers: lists of sessions and cameras are mostly the same words again and again. */
import compression from 'compression'
import type { RequestHandler } from 'express'

/** Brotli or gzip, as the browser likes. An event of a stream must leave at once: a compressor would keep it for the next. */
export const createCompression = (): RequestHandler =>
  compression({
    filter: (request, response) =>
      !String(response.getHeader('content-type')).startsWith('text/event-stream') &&
      compression.filter(request, response),
  })
