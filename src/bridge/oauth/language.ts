/** The language in which a person is shown the pages of account linking. */
import type { IncomingHttpHeaders } from 'node:http'
import { languageOf, languages, type Language } from 'transom-core/language'

/** A request of Express or of Koa: both read `Accept-Language` (RFC 9110 section 12.5.4) by the same library. */
export interface Asking {
  readonly headers: IncomingHttpHeaders
  acceptsLanguages(wanted: string[]): unknown
}

/** What the person has chosen on our own page, which sets it: `src/console/language/language.ts`. */
const cookie = /(?:^|; )transom_language=([^;]*)/

/**
 * As the person has chosen, as the operator has set (`setting`), as the client that led here says (`hints`: BCP 47 tags,
 * as in OpenID Connect's `ui_locales`), or the one the browser wants most; English if it wants none of ours.
 */
export function languageFor(asking: Asking, setting?: Language, hints: readonly string[] = []): Language {
  const accepted = asking.acceptsLanguages([...languages])
  return (
    languageOf(cookie.exec(asking.headers.cookie ?? '')?.[1]) ??
    setting ??
    hints.map(languageOf).find((one) => one !== undefined) ??
    languages.find((one) => one === accepted) ??
    'en'
  )
}
