/** Which screen is shown: the part of the address after `#`. */
import { signal, type ReadonlySignal } from '@preact/signals'
import { readFilter, writeFilter, type ActivityFilter } from './activity.ts'
import type { Assistant } from './api.ts'
import { readSessionFilter, writeSessionFilter, type SessionFilter } from './sessions.ts'

export type Route =
  | { readonly screen: 'cameras' }
  /** `at`: of what was recorded, from this instant on, instead of live. */
  | { readonly screen: 'camera'; readonly cameraId: string; readonly talk?: true; readonly at?: number }
  | { readonly screen: 'display'; readonly assistant: Assistant; readonly cameraId: string; readonly problem?: string }
  | { readonly screen: 'activity'; readonly filter: ActivityFilter }
  /** `at`: when the session began that stood at the top of the list. */
  | { readonly screen: 'sessions'; readonly filter: SessionFilter; readonly at?: number }
  /** `filter`: of the list that led there. */
  | { readonly screen: 'session'; readonly sessionId: string; readonly filter: SessionFilter }
  | { readonly screen: 'lost' }

export function readRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const [first = '', second, third] = path.split('/').map(decoded)
  if (first === '') return { screen: 'cameras' }
  // Nobody answers the door of yesterday.
  if (first === 'camera' && second)
    return { screen: 'camera', cameraId: second, ...(has(query, 'talk') ? { talk: true } : readInstant(query)) }
  if (first === 'activity') return { screen: 'activity', filter: readFilter(query) }
  if (first === 'sessions' && second) return { screen: 'session', sessionId: second, filter: readSessionFilter(query) }
  if (first === 'sessions') return { screen: 'sessions', filter: readSessionFilter(query), ...readInstant(query) }
  if (first === 'display' && (second === 'alexa' || second === 'google') && third) {
    const problem = new URLSearchParams(query).get('problem')
    return { screen: 'display', assistant: second, cameraId: third, ...(problem !== null && { problem }) }
  }
  return { screen: 'lost' }
}

export const hrefs = {
  cameras: '#/',
  camera: (id: string) => `#/camera/${encodeURIComponent(id)}`,
  /** Live, and talking at once. */
  answer: (id: string) => `#/camera/${encodeURIComponent(id)}?talk`,
  /** What was recorded, from this instant on. */
  recorded: (id: string, at: number) => `#/camera/${encodeURIComponent(id)}?at=${Math.round(at)}`,
  display: (assistant: Assistant, id: string) => `#/display/${assistant}/${encodeURIComponent(id)}`,
  activity: (filter: ActivityFilter) => `#/activity${writeFilter(filter)}`,
  sessions: '#/sessions',
  sessionsOf: (filter: SessionFilter, at?: number) => `#/sessions${writeSessionFilter(filter, at)}`,
  session: (id: string) => `#/sessions/${encodeURIComponent(id)}`,
  /** With the way back to the list that led there. */
  sessionFrom: (id: string, filter: SessionFilter) =>
    `#/sessions/${encodeURIComponent(id)}${writeSessionFilter(filter)}`,
} as const

/** Follows the address for as long as the page lives. */
export function watchRoute(): ReadonlySignal<Route> {
  const route = signal(readRoute(location.hash))
  addEventListener('hashchange', () => (route.value = readRoute(location.hash)))
  return route
}

const has = (query: string, name: string): boolean => new URLSearchParams(query).has(name)

/** `at` of an address, epoch milliseconds, if it can be one. */
function readInstant(query: string): { readonly at?: number } {
  const at = new URLSearchParams(query).get('at')
  return at !== null && /^\d{1,15}$/.test(at) ? { at: Number(at) } : {}
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
