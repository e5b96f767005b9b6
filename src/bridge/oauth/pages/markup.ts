/** HTML without a template engine: every value is escaped, and every page has the same frame. */
import type { Language } from 'transom-core/language'
import { stylesheet } from './style.ts'

/** How the bridge calls itself on its pages. */
export interface Brand {
  readonly name: string
  readonly privacyUrl?: string
  /** For everybody who has not chosen another one; without it each reader's own. */
  readonly language?: Language
}

/** A whole page. `head` is for a script of ours. */
export function page(brand: Brand, language: string, title: string, body: Html, head: Html = nothing): string {
  return markup`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <title>${title} – ${brand.name}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <style>${trusted(stylesheet)}</style>
        ${head}
      </head>
      <body>
        <main>
          <p class="brand">${fanlight}${brand.name}</p>
          ${body}
        </main>
      </body>
    </html>
`.markup
}

/** A transom: the window above a door. */
const fanlight = trusted(
  '<svg viewBox="0 0 32 20" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">' +
    '<path d="M2 18a14 14 0 0 1 28 0ZM11 18a5 5 0 0 1 10 0M16 4v9M6.5 8.5l5.7 6M25.5 8.5l-5.7 6"/></svg>',
)

export interface Html {
  readonly markup: string
}

export const nothing: Html = { markup: '' }

/** For our own constants only. */
export function trusted(markup: string): Html {
  return { markup }
}

/** Text between the quasi-literals is escaped unless it came out of `markup` itself. */
export function markup(literals: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  const parts = literals.map((literal, index) => {
    const value = values[index] ?? ''
    if (typeof value === 'string') return literal + escape(value)
    return (
      literal +
      [value]
        .flat()
        .map((part) => part.markup)
        .join('')
    )
  })
  return { markup: parts.join('') }
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '')
}
