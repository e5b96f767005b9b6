/** Which screen is shown: the part of the address after `#`. */
import { signal, type ReadonlySignal } from '@preact/signals'
import { readFilter, writeFilter, type ActivityFilter } from './activity.ts'
import type { Assistant } from './api.ts'

export type Route =
  | { readonly screen: 'cameras' }
  | { readonly screen: 'camera'; readonly cameraId: string; readonly talk?: true }
  | { readonly screen: 'display'; readonly assistant: Assistant; readonly cameraId: string; readonly problem?: string }
  | { readonly screen: 'activity'; readonly filter: ActivityFilter }
  | { readonly screen: 'sessions' }
  | { readonly screen: 'session'; readonly sessionId: string }
  | { readonly screen: 'lost' }

export function readRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const [first = '', second, third] = path.split('/').map(decoded)
  if (first === '') return { screen: 'cameras' }
  if (first === 'camera' && second)
    return { screen: 'camera', cameraId: second, ...(new URLSearchParams(query).has('talk') && { talk: true }) }
  if (first === 'activity') return { screen: 'activity', filter: readFilter(query) }
  if (first === 'sessions') return second ? { screen: 'session', sessionId: second } : { screen: 'sessions' }
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
  display: (assistant: Assistant, id: string) => `#/display/${assistant}/${encodeURIComponent(id)}`,
  activity: (filter: ActivityFilter) => `#/activity${writeFilter(filter)}`,
  sessions: '#/sessions',
  session: (id: string) => `#/sessions/${encodeURIComponent(id)}`,
} as const

/** Follows the address for as long as the page lives. */
export function watchRoute(): ReadonlySignal<Route> {
  const route = signal(readRoute(location.hash))
  addEventListener('hashchange', () => (route.value = readRoute(location.hash)))
  return route
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
