/** What Alexa tells the skill beside questions: that it was linked or disabled, and where Alexa met an error of ours (skill-events.html). */
import { hash } from 'node:crypto'
import type { Request, RequestEnvelope } from 'ask-sdk-model'
import { BridgeError } from 'transom-core/errors'
import { accountId, type AccountId, type Clock, type Log, type Authorize, type Store } from 'transom-core/ports'

export interface SkillEventsDeps {
  readonly authorize: Authorize
  readonly store: Store
  /** The customer disabled the skill at this instant: what he granted before is over. */
  readonly onDisabled: (accountId: AccountId, at: number) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

/** Resolves when it is taken; there is nothing to answer. Rejects if the store does: then Alexa sends the event again. */
export type TakeSkillEvent = (envelope: RequestEnvelope) => Promise<void>

/** Alexa's text is of our own making or hers, and short; a broken one shall not fill the log. */
const longestText = 500

export function createSkillEvents({ authorize, store, onDisabled, clock, log }: SkillEventsDeps): TakeSkillEvent {
  /** Which account a customer has linked, by a hash of Alexa's id for him: the event of disabling names nothing else. */
  const customers = store.collection<{ readonly accountId: string }>('alexa-customer')

  return async ({ request, context }) => {
    const { user } = context.System
    if (request.type === 'AlexaSkillEvent.SkillAccountLinked') return linked(idOf(user), request.body?.accessToken)
    if (request.type === 'AlexaSkillEvent.SkillDisabled') {
      return disabled(idOf(user), user.accessToken, momentOf(request))
    }
    if (request.type === 'System.ExceptionEncountered') return fault(request.error, request.cause?.requestId)
    if (request.type !== 'SessionEndedRequest') return log('info', 'skill.event', { type: request.type })
    if (request.error !== undefined) fault(request.error)
  }

  function fault(error: { readonly type: string; readonly message?: string } | undefined, requestId?: string): void {
    const text = error?.message?.slice(0, longestText)
    log('warn', 'skill.exception', { type: error?.type, error: text, requestId })
  }

  async function linked(id: string, token: string | undefined): Promise<void> {
    const account = await accountOf(token)
    if (account === undefined) return log('info', 'skill.linked-unknown')
    // The bridge keeps the newest grant of an account, so the newest customer is whose grant that is.
    const others = (await customers.list(account)).filter((other) => other.id !== id)
    await Promise.all(others.map((other) => customers.remove(other.id)))
    await customers.put(id, { accountId: account }, { group: account })
    log('info', 'skill.linked', { accountId: account })
  }

  async function disabled(id: string, token: string | undefined, at: number): Promise<void> {
    const customer = await customers.get(id)
    const account = customer === undefined ? await accountOf(token) : accountId(customer.value.accountId)
    if (account === undefined) return log('info', 'skill.disabled-unknown')
    await onDisabled(account, at)
    await customers.remove(id)
    log('info', 'skill.disabled', { accountId: account })
  }

  /** Undefined for a token that is none any more: the event may come an hour late. */
  async function accountOf(token: string | undefined): Promise<AccountId | undefined> {
    if (token === undefined || token === '') return undefined
    try {
      return (await authorize(token)).accountId
    } catch (thrown) {
      if (thrown instanceof BridgeError && thrown.code !== 'internal') return undefined
      throw thrown
    }
  }

  function momentOf(request: Extract<Request, { type: 'AlexaSkillEvent.SkillDisabled' }>): number {
    const at = Date.parse(request.eventCreationTime ?? request.timestamp)
    return Number.isFinite(at) ? at : clock()
  }
}

const idOf = ({ userId }: { readonly userId: string }): string => hash('sha256', userId, 'base64url')
