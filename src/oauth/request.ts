/** Reading what a browser sent: a query parameter, JSON in a form field. */
import type { Request } from 'express'

/** One parameter of the query; one that comes twice is none. */
export function queryOf(req: Request, name: string): string {
  const value = req.query[name]
  return typeof value === 'string' ? value : ''
}

/** `undefined` for what is no JSON. */
export function jsonOf(text: unknown): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}
