/** The language of the page: as its reader has chosen, as the bridge is set, or the first that the browser asks for. */
import { signal, type ReadonlySignal } from '@preact/signals'
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Language } from 'transom-core/language'
import type { Problem, problemIn } from 'transom-player'
import type { Camera } from '../api.ts'
import { de } from './de.ts'
import { en, type Words } from './en.ts'
import { createFormats, type Formats } from './formats.ts'

const catalogues: Readonly<Record<Language, Words>> = { en, de }
/** Each in its own words: who reads none of the others finds it. */
export const languageNames: readonly (readonly [Language, string])[] = [
  ['en', 'English'],
  ['de', 'Deutsch'],
]

/** The page in one language. */
export interface Spoken {
  readonly language: Language
  readonly words: Words
  readonly formats: Formats
  /** A problem in its words, by its code; as it came where the code is not known. */
  explain(problem: Problem): Problem
  /** The same in a word or two, for lists. */
  nameOf(problem: Problem): string
  /** The same of what keeps presses and motion from coming, where the advice is another. */
  explainEvents(fault: NonNullable<Camera['eventsFault']>): Problem
}

export interface Languages {
  readonly spoken: ReadonlySignal<Spoken>
  /** The choice of whoever sits here, for this browser and also for the pages of sign-in and account. */
  choose(language: Language): void
}

/** As much of the browser as is needed here. */
export interface Reader {
  /** BCP 47 tags, the most wanted first: `navigator.languages`. */
  readonly wanted: readonly string[]
  /** What the operator has set (TRANSOM_LANGUAGE). */
  readonly setting: string | undefined
  readonly cookies: { cookie: string }
  /** `<html>`, for screen readers, hyphens and quotation marks. */
  readonly page: { lang: string }
}

export const thisReader = (): Reader => ({
  wanted: navigator.languages,
  setting: document.documentElement.dataset['language'],
  cookies: document,
  page: document.documentElement,
})

/** The bridge reads it too: `src/bridge/oauth/language.ts`. */
const cookieName = 'transom_language'
const yearS = 365 * 24 * 3_600

/** `translate`: the player's, which knows the problems of the bridge and its own. */
export function createLanguages(reader: Reader, translate: typeof problemIn): Languages {
  const spoken = signal(speak(chosen(reader.cookies) ?? languageOf(reader.setting) ?? firstOf(reader.wanted)))
  reader.page.lang = spoken.peek().language
  return {
    spoken,
    choose(language) {
      reader.cookies.cookie = `${cookieName}=${language}; path=/; max-age=${yearS}; samesite=lax`
      reader.page.lang = language
      spoken.value = speak(language)
    },
  }

  function speak(language: Language): Spoken {
    const words = catalogues[language]
    // The region is the reader's: English words, and a date as London writes it.
    const locale = reader.wanted.find((tag) => languageOf(tag) === language) ?? language
    const explain = (problem: Problem): Problem => {
      const known = Object.hasOwn(words.problems, problem.code) ? words.problems[problem.code] : undefined
      if (known === undefined) return translate(language, problem)
      const { message, advice } = known
      return { code: problem.code, message, ...(problem.advice !== undefined && advice !== undefined && { advice }) }
    }
    return {
      language,
      words,
      formats: createFormats(locale, words),
      explain,
      nameOf(problem) {
        const { message } = explain(problem)
        // In English the code is the shortest name: `camera_offline`.
        return message === problem.message ? problem.code.replaceAll('_', ' ') : message.replace(/\.$/, '')
      },
      explainEvents(fault) {
        const advice = words.eventsAdvice[fault.code]
        return { ...explain(fault), ...(advice !== undefined && { advice }) }
      },
    }
  }
}

/** The language of a tag: `de-AT` is `de`. */
function languageOf(tag: string | undefined): Language | undefined {
  const primary = tag?.split('-')[0]?.toLowerCase() ?? ''
  return isLanguage(primary) ? primary : undefined
}

const isLanguage = (tag: string): tag is Language => Object.hasOwn(catalogues, tag)

const firstOf = (wanted: readonly string[]): Language => wanted.map(languageOf).find((one) => one !== undefined) ?? 'en'

const chosen = ({ cookie }: Reader['cookies']): Language | undefined =>
  languageOf(new RegExp(`(?:^|; )${cookieName}=([^;]*)`).exec(cookie)?.[1])

export const LanguageContext = createContext<Languages | undefined>(undefined)

export function useLanguages(): Languages {
  const languages = useContext(LanguageContext)
  if (languages === undefined) throw new Error('this part of the page needs a language')
  return languages
}

/** What this part of the page says; it is drawn again when the language changes. */
export const useLanguage = (): Spoken => useLanguages().spoken.value
