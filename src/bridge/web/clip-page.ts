/** What somebody sees who opens a link to a clip that does not work any more: a page, since no program asked. */
import type { ErrorRequestHandler } from 'express'
import type { Language } from 'transom-core/language'
import { languageFor } from '../oauth/language.ts'
import { markup, page, type Brand } from '../oauth/pages/markup.ts'
import { securityHeaders } from '../oauth/pages/style.ts'
import { Refused, statusOfRefusal } from './refusals.ts'

interface Text {
  readonly title: string
  readonly message: string
}

interface Words {
  /** Expired, changed, of another bridge, or no longer shared. */
  readonly closed: Text
  /** Deleted by hand or by age. */
  readonly gone: Text
}

const en: Words = {
  closed: {
    title: 'This link no longer works',
    message: 'It has expired, or the recording is no longer shared. Ask whoever sent it for a new link.',
  },
  gone: {
    title: 'This recording was deleted',
    message: 'Its owner deleted it, or it was kept as long as recordings are kept there.',
  },
}

const de: Words = {
  closed: {
    title: 'Dieser Link funktioniert nicht mehr',
    message:
      'Er ist abgelaufen, oder die Aufnahme wird nicht mehr geteilt. Bitte um einen neuen Link, wo du ihn her hast.',
  },
  gone: {
    title: 'Diese Aufnahme wurde gelöscht',
    message: 'Ihr Besitzer hat sie gelöscht, oder ihre Aufbewahrungszeit ist vorbei.',
  },
}

const catalogues: Readonly<Record<Language, Words>> = { en, de }

/** Answers a browser that was led to a clip, by a page with the status of the refusal; leaves all else to the next handler. */
export function showClipRefusal(brand: Brand): ErrorRequestHandler {
  return (thrown, request, response, next) => {
    // A browser that opens a link asks for HTML before all; players and programs do not.
    const isReader = request.path.endsWith('/clip.mp4') && request.headers.accept?.includes('text/html') === true
    if (response.headersSent || !isReader || !(thrown instanceof Refused)) return next(thrown)
    const language = languageFor(request, brand.language)
    const { title, message } = catalogues[language][thrown.refusal === 'not_found' ? 'gone' : 'closed']
    response
      .status(statusOfRefusal(thrown))
      .set(securityHeaders)
      .vary('accept, accept-language')
      .type('html')
      .send(page(brand, language, title, markup`<h1>${title}</h1><p>${message}</p>`))
  }
}
