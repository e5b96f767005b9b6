/** The skill's one function, used unchanged by Lambda and by the HTTP door: a directive in, exactly one event out. */
import { BridgeError, toBridgeError } from 'transom-core/errors'
import type { LogFieldsOf } from 'transom-core/log-events'
import { directives, type AlexaEvent, type DirectiveName } from 'transom-core/wire/alexa'
import { within } from 'transom-core/deadline'
import { DEFAULT_BUDGET_MS, handlers, type AlexaDeps, type Call } from './directives.ts'
import type { AlexaRegion } from './region.ts'
import * as reply from './reply.ts'

/** How long past an offer's `answerBy` the broker's verdict is still waited for: it says more than our own would. */
const VERDICT_GRACE_MS = 250
const DEFAULT_DIRECTIVE_MS = 7_000

/** `region`: whose customers the Lambda serves that took the directive, where that is known. */
export type AlexaHandler = (event: unknown, region?: AlexaRegion) => Promise<AlexaEvent>

/**
 * Returns the function that answers directives. It never rejects and always returns a well-formed event in time: what goes
 * wrong, and whatever the input is, becomes an ErrorResponse and one line in the log.
 */
export function createAlexaHandler(deps: AlexaDeps): AlexaHandler {
  return async (event, region) => {
    const receivedAt = deps.clock()
    const { kind, echo, facts } = reply.readEnvelope(event)
    const ms = () => deps.clock() - receivedAt
    try {
      const name = directiveName(kind)
      const answered = await within(
        patienceMs(name, deps),
        (signal) => handle(name, event, { deps, echo, receivedAt, region, signal }),
        (thrown) => deps.log('warn', 'alexa.failed-late', { ...facts, ...explain(thrown), ms: ms() }),
      )
      deps.log('info', 'alexa.answered', { ...facts, ms: ms() })
      return answered
    } catch (thrown) {
      const { code } = toBridgeError(thrown)
      deps.log(code === 'internal' ? 'error' : 'warn', 'alexa.refused', { ...facts, ...explain(thrown), ms: ms() })
      return kind === 'Alexa.Authorization/AcceptGrant'
        ? reply.acceptGrantFailed(code)
        : reply.errorResponse(code, echo)
    }
  }
}

function directiveName(kind: string): DirectiveName {
  if (Object.hasOwn(directives, kind)) return kind as DirectiveName
  throw new BridgeError('invalid_request', 'this directive has no handler')
}

function patienceMs(name: DirectiveName, { budgetMs, directiveMs }: AlexaDeps): number {
  return name === 'Alexa.RTCSessionController/InitiateSessionWithOffer'
    ? (budgetMs ?? DEFAULT_BUDGET_MS) + VERDICT_GRACE_MS
    : (directiveMs ?? DEFAULT_DIRECTIVE_MS)
}

// The type parameter ties the schema to its handler inside; without it the compiler sees two unrelated unions.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
async function handle<Name extends DirectiveName>(name: Name, event: unknown, call: Call): Promise<AlexaEvent> {
  const parsed = directives[name].safeParse(event)
  if (!parsed.success) {
    // Paths and kinds of the faults only: the values may be tokens or SDP.
    const faults = parsed.error.issues.map(({ path, code }) => `${path.join('.')}: ${code}`)
    throw new BridgeError('invalid_request', faults.join(', '))
  }
  return handlers[name](parsed.data.directive, call)
}

/** An error for the log: its code and message; the stack too when it is our own mistake. */
function explain(thrown: unknown): LogFieldsOf<'alexa.refused'> {
  const { code, message, cause } = toBridgeError(thrown)
  const origin = cause instanceof Error ? cause : thrown
  return {
    code,
    error: message,
    ...(cause instanceof Error && { cause: cause.message }),
    ...(code === 'internal' && origin instanceof Error && { stack: origin.stack }),
  }
}
