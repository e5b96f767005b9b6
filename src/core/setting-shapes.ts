/** What several settings look like, and what is said of one that does not. */
import * as z from 'zod'

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

export const onOff = (fallback: 'on' | 'off') =>
  z
    .enum(['on', 'off'])
    .default(fallback)
    .transform((value) => value === 'on')

/** Scheme, host and port. Below a path neither the pages nor what is signed would be found. */
export const siteAddress = (example: string) =>
  z.string().transform((text, context) => {
    const url = URL.parse(text)
    if (url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url.origin
    context.addIssue(`must be an http or https address without a path: ${example}`)
    return z.NEVER
  })

/**
 * Reads variables of these shapes. Throws an `Error` that names each bad one and what it should be, and any `TRANSOM_`
 * variable that means nothing, because a misspelled setting would be silently ignored.
 */
export function readVariables<Shape extends z.ZodRawShape>(
  variables: z.ZodObject<Shape>,
  env: Readonly<Record<string, string | undefined>>,
): z.output<z.ZodObject<Shape>> {
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith('TRANSOM_') && !(name in variables.shape) && !name.startsWith('TRANSOM_TEST_'),
  )
  if (unknown.length > 0)
    throw new Error(`unknown setting ${unknown.join(', ')}; known are ${Object.keys(variables.shape).join(', ')}`)
  // An empty value in a .env file means "not set".
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const parsed = variables.safeParse(given)
  if (!parsed.success) {
    throw new Error(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'))
  }
  return parsed.data
}
