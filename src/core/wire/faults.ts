/** What is wrong with an input, in words for whoever sent it: each field by its name, and what it must be. */
import type { z } from 'zod'

type Issue = z.core.$ZodIssue

/** The faults of an input on one line: `name: must be text; rooms[2].id: is missing`. */
export const faultsOf = (error: z.ZodError): string => faultLines(error).join('; ')

/** The faults of an input, one text each: `name: must be text`. */
export const faultLines = ({ issues }: z.ZodError): readonly string[] =>
  issues.map((issue) => `${nameOf(issue.path)}: ${wordsFor(issue)}`)

function nameOf(path: readonly PropertyKey[]): string {
  const name = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
  return name.replace(/^\./, '') || 'input'
}

/** The validator's own texts are for developers; a schema's are for people, and stay. */
function wordsFor(issue: Issue): string {
  if (!/^(Invalid|Too |Unrecognized)/.test(issue.message)) return issue.message
  switch (issue.code) {
    case 'invalid_type':
      return /received undefined/.test(issue.message) ? 'is missing' : `must be ${article(issue.expected)}`
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`
    case 'too_small':
      return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(issue.origin)}`
    case 'too_big':
      return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unitOf(issue.origin)}`
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    case 'unrecognized_keys':
      return `has unknown fields: ${issue.keys.join(', ')}`
    case 'invalid_format':
      return formats[issue.format] ?? 'is not in the expected form'
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return 'is not in the expected form'
  }
}

const formats: Readonly<Record<string, string>> = {
  url: 'must be a URL',
  email: 'must be an e-mail address',
  datetime: 'must be a date and time of ISO 8601',
}

function article(expected: string): string {
  switch (expected) {
    case 'string':
      return 'text'
    case 'int':
      return 'a whole number'
    case 'boolean':
      return 'true or false'
    case 'record':
    case 'object':
      return 'an object'
    case 'array':
      return 'an array'
    default:
      return `a ${expected}`
  }
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters'
  return origin === 'array' || origin === 'set' ? ' entries' : ''
}
