/** The languages in which people read Transom. Logs and the command line are English. */

/** Another language: a name here, and a catalogue wherever the compiler then misses one (docs/languages.md). */
export const languages = ['en', 'de'] as const
/** One of them. */
export type Language = (typeof languages)[number]

/** The language of a BCP 47 tag (`de-AT` is `de`) or a POSIX locale (`de_AT.UTF-8`); undefined for one that Transom does not speak. */
export function languageOf(tag: string | undefined): Language | undefined {
  const primary = tag?.trim().split(/[-_.]/)[0]?.toLowerCase()
  return languages.find((one) => one === primary)
}
