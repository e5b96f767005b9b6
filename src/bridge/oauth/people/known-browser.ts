/** A browser in which somebody signed in before: a stranger's guesses elsewhere, even behind the same address, do not slow it down. */
import { createHmac, randomBytes } from 'node:crypto'
import type { Request, Response } from 'express'
import { cookieKind } from '../cookies.ts'
import { isSameText } from '../request.ts'

/** The browser that sends this request. `login` is in its canonical form, with its tenant. */
export interface Browser {
  /** Its id, if it has signed in with this login before. */
  idFor(login: string): string | undefined
  /** From now on it is known, for this login. That opens nothing by itself. */
  remember(login: string): void
}

/** Browsers keep no cookie longer. */
const rememberedMs = 400 * 24 * 3_600_000

/** `issuer`: below it are all our pages. */
export function createKnownBrowsers(key: string, issuer: string) {
  const cookie = cookieKind(issuer, 'transom_browser')
  const sign = (id: string, login: string): string =>
    createHmac('sha256', key).update(`browser ${id} ${login}`).digest('base64url')

  return {
    of(req: Request, res: Response): Browser {
      const [id = '', signature] = (cookie.read(req, /^[\w-]{16}\./) ?? '').split('.')
      return {
        idFor: (login) => (id !== '' && isSameText(signature, sign(id, login)) ? id : undefined),
        remember(login) {
          const fresh = randomBytes(12).toString('base64url')
          res.cookie(cookie.name, `${fresh}.${sign(fresh, login)}`, { ...cookie.rules, maxAge: rememberedMs })
        },
      }
    },
  }
}

export type KnownBrowsers = ReturnType<typeof createKnownBrowsers>
