/** Google's Home Graph as a client: each method one call with a deadline, its outcome told apart, never thrown. */
import { randomUUID } from 'node:crypto'
import type { z } from 'zod'
import { untilAborted } from 'transom-core/deadline'
import { boundedFetch, retryAfterMs, whyFailed } from 'transom-core/fetch'
import type { AccountId, Clock, Log } from 'transom-core/ports'
import { graphDevices, graphStates, type ReportRequest } from 'transom-core/wire/google'
import type { Quota, QuotaLane } from './quota.ts'
import { createServiceToken, TokenRefusal, type serviceAccountKey } from './service-token.ts'

export interface HomeGraphDeps {
  readonly serviceAccount: z.infer<typeof serviceAccountKey>
  /** Base URL; default Google's. */
  readonly url?: string
  /** Milliseconds for one call in all, token included; default 5000. */
  readonly deadlineMs?: number
  readonly quota: Quota
  readonly clock: Clock
  readonly log: Log
}

/** What became of a call. Google's yes is not delivery: the user may have announcements off, and only Google's log says so. */
export type GraphResult<T> =
  | { readonly kind: 'accepted'; readonly value: T }
  /** Google knows no such user (any more, or not yet), or for a report: one of its devices. */
  | { readonly kind: 'not-found' }
  /** `retryable`: the same call may be accepted later, not before `afterMs` if that is given. `isThrottled`: for want of quota. */
  | {
      readonly kind: 'failed'
      readonly retryable: boolean
      readonly afterMs?: number
      readonly isThrottled?: true
      readonly reason: string
    }

export type Devices = ReportRequest['payload']['devices']

/** All calls: never throw; aborting `signal` gives up. */
export interface HomeGraph {
  /** States, notifications or both. With notifications `eventId` names the event and no other. A press waits for no quota. */
  report(
    account: AccountId,
    devices: Devices,
    event?: { readonly id: string; readonly lane: 'press' | 'report' },
    signal?: AbortSignal,
  ): Promise<GraphResult<undefined>>
  /** Asks Google to send SYNC for this account, soon. */
  requestSync(account: AccountId, signal?: AbortSignal): Promise<GraphResult<undefined>>
  /** The states that Google believes, by device id. */
  query(
    account: AccountId,
    ids: readonly string[],
    signal?: AbortSignal,
  ): Promise<GraphResult<Readonly<Record<string, Readonly<Record<string, unknown>>>>>>
  /** The devices that Google has kept from SYNC. */
  devices(
    account: AccountId,
    signal?: AbortSignal,
  ): Promise<GraphResult<z.infer<typeof graphDevices>['payload']['devices']>>
  /** Unlinks the account from our side and deletes all that Home Graph has of it. */
  deleteAgentUser(account: AccountId, signal?: AbortSignal): Promise<GraphResult<undefined>>
}

interface Call<T> {
  readonly name: string
  readonly account: AccountId
  readonly method: 'POST' | 'DELETE'
  readonly path: string
  readonly body?: object
  readonly lane?: QuotaLane
  /** Reads the body of any 2xx. What says nothing but yes is not even looked at. */
  readonly read: (text: string) => T
}

interface GraphResponse {
  readonly status: number
  readonly text: string
  /** Milliseconds, of the Retry-After field. */
  readonly waitMs: number | undefined
}

/** So long a used-up quota is left alone when Google does not say how long. */
const quotaMs = 10_000

/** Throws if the private key is not one. */
export function createHomeGraph(deps: HomeGraphDeps): HomeGraph {
  const call = createCalls(deps)
  return {
    report(account, devices, event, signal) {
      const body = {
        requestId: randomUUID(),
        ...(event && { eventId: event.id }),
        agentUserId: account,
        payload: { devices },
      } satisfies ReportRequest
      const path = '/v1/devices:reportStateAndNotification'
      const lane = event?.lane ?? 'report'
      return call({ name: 'report', account, method: 'POST', path, body, lane, read: nothing }, signal)
    },
    requestSync(account, signal) {
      // Queued by Google: calls for one user may come together, which synchronous ones may not.
      const body = { agentUserId: account, async: true }
      const path = '/v1/devices:requestSync'
      return call({ name: 'request-sync', account, method: 'POST', path, body, read: nothing }, signal)
    },
    query(account, ids, signal) {
      const inputs = [{ payload: { devices: ids.map((id) => ({ id })) } }]
      const body = { requestId: randomUUID(), agentUserId: account, inputs }
      const path = '/v1/devices:query'
      return call({ name: 'query', account, method: 'POST', path, body, lane: 'reconcile', read: readStates }, signal)
    },
    devices(account, signal) {
      const body = { requestId: randomUUID(), agentUserId: account }
      const path = '/v1/devices:sync'
      return call(
        { name: 'devices', account, method: 'POST', path, body, lane: 'reconcile', read: readDevices },
        signal,
      )
    },
    deleteAgentUser(account, signal) {
      const path = `/v1/agentUsers/${encodeURIComponent(account)}`
      return call({ name: 'delete-agent-user', account, method: 'DELETE', path, read: nothing }, signal)
    },
  }
}

/** Makes what carries out one call: with a token, within the quota and its deadline, and with one line in the log. */
function createCalls(deps: HomeGraphDeps) {
  const { url = 'https://homegraph.googleapis.com', deadlineMs = 5000, quota, clock, log } = deps
  const ask = boundedFetch({ ms: deadlineMs, maxBytes: mostBytes })
  const token = createServiceToken({ ...deps, deadlineMs })

  return async function call<T>(what: Call<T>, given: AbortSignal | undefined): Promise<GraphResult<T>> {
    const deadline = AbortSignal.timeout(deadlineMs)
    const signal = given ? AbortSignal.any([given, deadline]) : deadline
    const result = await attempt(what, signal).catch((thrown: unknown): GraphResult<T> => ({
      kind: 'failed',
      retryable: !(thrown instanceof TokenRefusal && thrown.isFinal),
      reason: whyFailed(thrown),
    }))
    const { kind } = result
    const failure =
      kind === 'failed'
        ? {
            retryable: result.retryable,
            error: result.reason,
            ...(result.isThrottled && { isThrottled: true }),
          }
        : {}
    log(kind === 'accepted' ? 'info' : 'warn', 'google.home-graph', {
      call: what.name,
      accountId: what.account,
      kind,
      ...failure,
    })
    return result
  }

  async function attempt<T>(what: Call<T>, signal: AbortSignal): Promise<GraphResult<T>> {
    const { lane = 'report' } = what
    const admitted = quota.take(lane)
    const afterMs = lane === 'press' ? 0 : await untilAborted(admitted, signal)
    if (afterMs > 0)
      return {
        kind: 'failed',
        retryable: true,
        afterMs,
        isThrottled: true,
        reason: 'our share of the quota is used up',
      }
    let response = await send(what, await token.get(signal), signal)
    if (response.status === 401) {
      // Revoked before its time, or our clock is off: a new token helps, once.
      token.forget()
      response = await send(what, await token.get(signal), signal)
    }
    if (response.status === 429) await quota.exhausted(response.waitMs ?? quotaMs)
    return outcomeOf(response, what.read, lane)
  }

  async function send(what: Call<unknown>, accessToken: string, signal: AbortSignal): Promise<GraphResponse> {
    const { method, path, body } = what
    const response = await ask(new URL(path, url), {
      method,
      headers: {
        Authorization: `Bearer ${accessToken}`,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal,
    })
    return { status: response.status, text: await response.text(), waitMs: retryAfterMs(response, clock()) }
  }
}

function outcomeOf<T>(
  { status, text, waitMs }: GraphResponse,
  read: (text: string) => T,
  lane: QuotaLane,
): GraphResult<T> {
  if (status >= 200 && status < 300) return { kind: 'accepted', value: read(text) }
  if (status === 404) return { kind: 'not-found' }
  if (status === 429) {
    const reason = 'Home Graph says 429: the quota is used up'
    // Reports make room from now on: a press comes again as soon as after any other failure.
    const afterMs = waitMs ?? (lane === 'press' ? 0 : quotaMs)
    return { kind: 'failed', retryable: true, afterMs, isThrottled: true, reason }
  }
  const retryable = status === 401 || status === 408 || status >= 500
  return {
    kind: 'failed',
    retryable,
    ...(retryable && waitMs !== undefined && { afterMs: waitMs }),
    reason: `Home Graph says ${status}${hintOf(status, text)}`,
  }
}

/** The devices of one account are the longest reply: a thousand cameras of some hundred bytes each. */
const mostBytes = 4 * 1024 * 1024

const nothing = (): undefined => undefined
const readStates = (text: string) => graphStates.parse(JSON.parse(text)).payload.devices
const readDevices = (text: string) => graphDevices.parse(JSON.parse(text)).payload.devices

/** Google's own word for the error (google.rpc.Code), and what its owner can do where that is known. */
function hintOf(status: number, text: string): string {
  const word = /"status"\s*:\s*"([A-Z_]{1,40})"/.exec(text)?.[1]
  const hint =
    status === 403
      ? ': is the HomeGraph API switched on, and the service account of the same project as the integration?'
      : ''
  return `${word === undefined ? '' : ` ${word}`}${hint}`
}
