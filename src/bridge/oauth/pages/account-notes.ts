/** What the account page says of what was just done: a word in its address, so that reloading does nothing again. */
import type { Words } from './words/en.ts'

export type NoteName = keyof Words['notes']

/** Those that say why nothing was done. */
const bad: readonly NoteName[] = ['gone', 'refused', 'nopasskey', 'unconfirmed', 'signedout']

/** A note as a page shows it. */
export interface Note {
  readonly text: string
  readonly isBad: boolean
}

/** Nothing for a word that is none of ours. */
export function noteOf(name: string, { notes }: Words): Note | undefined {
  return isNote(name, notes) ? { text: notes[name], isBad: bad.includes(name) } : undefined
}

const isNote = (name: string, notes: Words['notes']): name is NoteName => Object.hasOwn(notes, name)
