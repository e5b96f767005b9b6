/** Tells Alexa, unasked, what happened: events to the gateway of the customer's region (send-events.html). */
import { boundedFetch, retryAfterMs, whyFailed } from 'transom-core/fetch'
import type { Deliver, Delivery } from '../outbox/outgoing.ts'
import type { AccountId, Log } from 'transom-core/ports'
import { eventGatewayRefusal, type ProactiveEvent } from 'transom-core/wire/alexa'
import type { AlexaGrants, Bearer } from './grants.ts'
import { compose, type ComposeDeps } from './proactive.ts'
import { alexaRegions, gatewayUrls, type AlexaRegion } from './region.ts'

export interface AlexaDeliverDeps extends ComposeDeps {
  readonly grants: Pick<AlexaGrants, 'bearer' | 'forget' | 'moved'>
  /** Default: Amazon's. */
  readonly gatewayUrls?: Readonly<Record<AlexaRegion, string>>
  readonly log: Log
}

type Context = AlexaDeliverDeps & { readonly urls: Readonly<Record<AlexaRegion, string>> }

/** What an account that has granted nothing is dropped with; not a fault. */
export const NOT_LINKED = 'not linked with Alexa'

type GrantedBearer = Extract<Bearer, { kind: 'token' }>

interface Answer {
  readonly status: number
  readonly code: string
  /** Milliseconds, of the Retry-After field. */
  readonly afterMs?: number
}

/** One attempt in one region; an outbox's attempt may try all three. */
const send = boundedFetch({ ms: 5_000, isStatusEnough: true })

/** Delivers what `newsForAlexa` put into the outbox: looks up how things are now, and tells that. */
export function createAlexaDeliver(deps: AlexaDeliverDeps): Deliver {
  const urls = deps.gatewayUrls ?? gatewayUrls
  const { grants } = deps
  const context = { ...deps, urls }

  return async (outgoing, signal) => {
    const { accountId } = outgoing
    let rejected: string | undefined
    for (;;) {
      const bearer = await grants.bearer(accountId, rejected)
      if (bearer.kind === 'no-grant') return { kind: 'drop', reason: NOT_LINKED }
      if (bearer.kind === 'unavailable') return { kind: 'retry', reason: bearer.reason }
      const event = await compose(deps, outgoing, bearer.token)
      if (event === undefined) return { kind: 'drop', reason: 'there is no such camera any more' }
      const home = await post(context, urls[bearer.region], event, bearer.token, signal)
      if (home.status === 401 && rejected === undefined) {
        // Once with the token we have; if Alexa turns that down, once more with a new one.
        rejected = bearer.token
        continue
      }
      if (isAccepted(home)) {
        // What was a guess is known now.
        if (bearer.isGuess) await learn(context, accountId, bearer.region)
        return { kind: 'done' }
      }
      if (!mayMeanElsewhere(home)) return judge(context, home)
      return judgeByAll(context, accountId, bearer, home, await askElsewhere(context, event, accountId, bearer, signal))
    }
  }
}

/**
 * A refusal may mean no more than that the customer belongs to another region (send-events.html; some report the word for a
 * disabled skill). The others are asked in turn, and the one that accepts the event is kept. Returns each word;
 * `undefined` of a region that cannot be reached, which does not hide the next.
 */
async function askElsewhere(
  context: Context,
  event: ProactiveEvent,
  accountId: AccountId,
  { token, region }: GrantedBearer,
  signal: AbortSignal,
): Promise<readonly (Answer | undefined)[]> {
  const { urls } = context
  const answers: (Answer | undefined)[] = []
  const asked = new Set([urls[region]])
  for (const other of alexaRegions) {
    if (asked.has(urls[other])) continue
    asked.add(urls[other])
    const answer = await post(context, urls[other], event, token, signal).catch(() => undefined)
    answers.push(answer)
    if (answer !== undefined && isAccepted(answer)) {
      await learn(context, accountId, other)
      break
    }
    signal.throwIfAborted()
  }
  return answers
}

/** The event has been accepted: a store that fails now costs the next one a detour, and must not repeat this one. */
async function learn({ grants, log }: Context, accountId: AccountId, region: AlexaRegion): Promise<void> {
  try {
    await grants.moved(accountId, region)
  } catch (thrown) {
    log('warn', 'alexa.region-not-kept', { accountId, region, error: String(thrown) })
  }
}

/** A grant is forgotten only when the customer's own region says that he has withdrawn, and no other may know better. */
async function judgeByAll(
  context: Context,
  accountId: AccountId,
  { token, isGuess = false }: GrantedBearer,
  home: Answer,
  others: readonly (Answer | undefined)[],
): Promise<Delivery> {
  if (others.some((answer) => answer !== undefined && isAccepted(answer))) return { kind: 'done' }
  const reason = `${home.status} ${home.code}`
  if (!others.every((answer) => answer !== undefined && mayMeanElsewhere(answer))) return { kind: 'retry', reason }
  if (!isWithdrawal(home)) return judge(context, home)
  // For a moment after enabling no region knows him, and the wrong one may call that "disabled".
  const isSure = !isGuess || others.every((answer) => answer !== undefined && isWithdrawal(answer))
  if (!isSure) return { kind: 'retry', reason }
  await context.grants.forget(accountId, `event gateway: ${reason}`, { token })
  return { kind: 'drop', reason }
}

function judge({ log }: Context, { status, code, afterMs }: Answer): Delivery {
  const reason = `${status} ${code}`
  if (code === 'INSUFFICIENT_PERMISSION_EXCEPTION') {
    log('error', 'alexa.permission-missing', {
      hint: 'the skill lacks the permission to send events: see docs/alexa.md',
    })
  }
  const mayHelp = status === 408 || status === 429 || status >= 500 || code === 'SKILL_NEVER_ENABLED_EXCEPTION'
  if (!mayHelp) return { kind: 'drop', reason }
  return { kind: 'retry', reason, ...(afterMs !== undefined && { afterMs }) }
}

async function post(
  { clock }: Context,
  url: string,
  event: ProactiveEvent,
  token: string,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const response = await send(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(event),
      signal,
    })
    // An answer without a readable code is judged by its status alone.
    const body = eventGatewayRefusal.safeParse(await response.json().catch(() => undefined))
    const afterMs = retryAfterMs(response, clock())
    return {
      status: response.status,
      code: body.success ? body.data.payload.code : 'no code',
      ...(afterMs !== undefined && { afterMs }),
    }
  } catch (thrown) {
    throw new Error(whyFailed(thrown), { cause: thrown })
  }
}

/** 202 by the documentation, 204 since September 2026. */
const isAccepted = ({ status }: Answer): boolean => status >= 200 && status < 300

const mayMeanElsewhere = ({ status }: Answer): boolean => status === 401 || status === 403 || status === 404

/** A new token is turned down as well, or the skill was disabled: either way the customer has withdrawn. */
const isWithdrawal = ({ status, code }: Answer): boolean => status === 401 || code === 'SKILL_DISABLED_EXCEPTION'
