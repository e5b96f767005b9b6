/** What several settings look like, and what is said of one that does not. */
import { z } from 'zod'

/** Digits only: `Number(' ')` would be 0. */
export const wholeNumber = (least: number, most: number, fallback: number) => {
  const wanted = `must be a whole number from ${least} to ${most}`
  return z
    .string()
    .regex(/^\d{1,9}$/, { error: wanted, abort: true })
    .transform(Number)
    .refine((number) => number >= least && number <= most, wanted)
    .default(fallback)
}

/** Scheme, host and port. Below a path neither the pages nor what is signed would be found. */
export const siteAddress = (example: string) =>
  z.string().transform((text, context) => {
    const url = URL.parse(text)
    if (url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url.origin
    context.addIssue(`must be an http or https address without a path: ${example}`)
    return z.NEVER
  })
