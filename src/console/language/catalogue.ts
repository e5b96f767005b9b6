/** What the catalogues of words are written with. */
import type { ComponentChildren } from 'preact'

/** A sentence with elements in it: rich`${name} wants to share ${camera}.` */
export const rich = (texts: TemplateStringsArray, ...values: readonly ComponentChildren[]): ComponentChildren[] =>
  texts.flatMap((text, index) => [text, values[index]])

/** The forms of a counted word that its language tells apart (CLDR plural rules); `other` serves for the rest. */
type Forms = { readonly other: string } & { readonly [Rule in Intl.LDMLPluralRule]?: string }

/** Returns what puts a number and its word together: `1 viewer`, `1,204 viewers`. */
export function countedIn(language: string): (count: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(language)
  const numbers = new Intl.NumberFormat(language)
  return (count, forms) => `${numbers.format(count)} ${forms[rules.select(count)] ?? forms.other}`
}
