/** Whether a request of the companion skill that came over HTTPS is Alexa's (host-a-custom-skill-as-a-web-service.html). */
import { verify } from 'node:crypto'
import * as z from 'zod'
import { BridgeError } from 'transom-core/errors'
import type { Clock } from 'transom-core/ports'
import type { CertificateChains } from './certificate-chain.ts'

export interface SignedSkillRequest {
  /** As it was sent, byte for byte: that is what is signed. */
  readonly body: Buffer
  /** The header fields of these names. */
  readonly signature256: string | undefined
  readonly signatureCertChainUrl: string | undefined
}

/** Amazon's tolerances: for requests, and for skill events, which are repeated while they are not accepted. */
const toleranceMs = 150_000
const eventToleranceMs = 3_600_000

const application = z.looseObject({ applicationId: z.string() })
const envelope = z.looseObject({
  context: z.looseObject({ System: z.looseObject({ application }) }),
  session: z.looseObject({ application }).optional(),
  request: z.looseObject({ type: z.string(), timestamp: z.string() }),
})

/**
 * Resolves with the parsed request. Rejects with `BridgeError` `invalid_request`, cheapest reason first: nothing is fetched
 * for a request to another skill, or one that is old.
 */
export async function openSkillRequest(
  { body, signature256, signatureCertChainUrl }: SignedSkillRequest,
  deps: { readonly skillId: string; readonly chains: CertificateChains; readonly clock: Clock },
): Promise<unknown> {
  const request = parse(body)
  const { context, session } = request
  const ids = [context.System.application, ...(session ? [session.application] : [])]
  if (ids.some(({ applicationId }) => applicationId !== deps.skillId)) refuse('the request is for another skill')
  const { type, timestamp } = request.request
  const offMs = Math.abs(deps.clock() - Date.parse(timestamp))
  if (!(offMs <= (type.startsWith('AlexaSkillEvent.') ? eventToleranceMs : toleranceMs))) {
    refuse('the request is of another time')
  }
  if (!signature256 || !signatureCertChainUrl) return refuse('the request is not signed')
  const key = await deps.chains.keyAt(signatureCertChainUrl).catch((cause: unknown) => {
    if (cause instanceof BridgeError) throw cause
    return refuse(
      `the request is not signed by Alexa: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    )
  })
  const isSigned =
    key.asymmetricKeyType === 'rsa' && verify('RSA-SHA256', body, key, Buffer.from(signature256, 'base64'))
  if (!isSigned) refuse('the request is not signed by Alexa: the signature does not fit')
  return request
}

function parse(body: Buffer): z.output<typeof envelope> {
  try {
    return envelope.parse(JSON.parse(body.toString('utf8')))
  } catch (cause) {
    return refuse('the body is no request of a custom skill', cause)
  }
}

function refuse(message: string, cause?: unknown): never {
  throw new BridgeError('invalid_request', message, { cause })
}
