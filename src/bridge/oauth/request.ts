/** Reading what a browser sent, and handing on what goes wrong with it. */
import { timingSafeEqual } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import * as z from 'zod'
import { BridgeError } from 'transom-core/errors'
import { parseJson } from '../http.ts'

/** One parameter of the query; one that comes twice is none. */
export function queryOf(req: Request, name: string): string {
  const value = req.query[name]
  return typeof value === 'string' ? value : ''
}

/**
 * A request line may name any server (RFC 9112 section 3.2.2: `GET http://elsewhere/oauth/auth`), and a link that is made
 * of it would lead there. From here on only the path and the query are left.
 */
export function dropAuthority(req: Request): void {
  req.url = originForm(req.url)
  req.originalUrl = originForm(req.originalUrl)
}

function originForm(url: string): string {
  if (url.startsWith('/')) return url
  const target = URL.parse(url)
  return target?.pathname.startsWith('/') === true ? `${target.pathname}${target.search}` : '/'
}

/** What a form's field holds as JSON; `undefined` for what is none. */
export function jsonOf(field: unknown): unknown {
  return typeof field === 'string' ? parseJson(field) : undefined
}

/** Compares a form's token with ours, in the same time wherever they differ. */
export function isSameText(given: unknown, expected: string): boolean {
  if (typeof given !== 'string') return false
  const [left, right] = [Buffer.from(given), Buffer.from(expected)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** The part of a path that may be logged: behind its first segment stand codes (`/welcome/<code>`, `/enter/<code>`) and ids. */
export function routeOf(path: string): string {
  return path.split('/', 2).join('/')
}

/** Why a request was refused, for the log: parsers of paths and bodies quote what they could not read, so only their kind. */
export function refusalOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  if (error.name === 'URIError' || error.name === 'SyntaxError') return `${error.name} in the request`
  return 'type' in error && typeof error.type === 'string' ? error.type : String(error)
}

/** Hands a rejection to the error handler; a body that does not fit its form is the visitor's fault. */
export function answer(handle: (req: Request, res: Response) => Promise<void>): RequestHandler {
  return async (req, res, next) => {
    try {
      await handle(req, res)
    } catch (error) {
      const isVisitors =
        error instanceof z.ZodError ||
        (error instanceof BridgeError && (error.code === 'invalid_request' || error.code === 'camera_not_found'))
      next(isVisitors ? Object.assign(error, { status: 400 }) : error)
    }
  }
}
