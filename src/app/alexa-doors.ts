/** Alexa's further doors over HTTPS: for the forwarding Lambda, and for the companion skill when it is hosted here. */
import type { IncomingHttpHeaders } from 'node:http'
import { SkillRequestSignatureVerifier, TimestampVerifier, type Verifier } from 'ask-sdk-express-adapter'
import express, { Router } from 'express'
import { z } from 'zod'
import { within } from '../deadline.ts'
import { BridgeError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import type { Bridge } from './bridge.ts'
import { createSignatures, signatureField, timestampField } from './signature.ts'

/** A directive carries at most 64 KiB of SDP, which JSON may double, and some cookies. */
const limit = '256kb'
/** For Amazon's certificate, which the verifier fetches without a deadline of its own. */
const verifyMs = 3_000

/** What the forwarder posts: the event as Lambda got it, and the AWS region of that Lambda. */
const forwarded = z.object({ region: z.string().max(32), event: z.unknown() })
const skillRequest = z.looseObject({ request: z.looseObject({ type: z.string() }) })

export function createAlexaDoors(
  bridge: Pick<Bridge, 'alexa'>,
  deps: {
    /** Shared with the forwarder; without it its door does not exist. */
    readonly forwarderSecret: string | undefined
    readonly clock: Clock
    /** What a request of the companion skill must pass; default Amazon's signature and time. */
    readonly verifiers?: readonly Verifier[]
  },
): Router {
  const { forwarderSecret, clock } = deps
  const router = Router()
  const signatures = createSignatures(clock)
  const verifiers = deps.verifiers ?? [new TimestampVerifier(), new SkillRequestSignatureVerifier()]
  const verifyAll = async (body: string, headers: IncomingHttpHeaders) => {
    for (const verifier of verifiers) await verifier.verify(body, headers)
  }
  const readText = express.text({ limit, type: () => true })

  if (forwarderSecret !== undefined) {
    router.post('/alexa/forwarded', readText, async (request, response) => {
      const body = typeof request.body === 'string' ? request.body : ''
      const signature = request.get(signatureField) ?? ''
      signatures.check(forwarderSecret, { signature, timestamp: request.get(timestampField) ?? '', body })
      const { region, event } = parse(forwarded, body)
      response.json(await bridge.alexa.entry(event, region))
    })
  }

  router.post('/alexa/skill', readText, async (request, response) => {
    const body = typeof request.body === 'string' ? request.body : ''
    try {
      await within(verifyMs, () => verifyAll(body, request.headers), ignore)
    } catch (cause) {
      throw new BridgeError('invalid_request', 'the request is not signed by Alexa', { cause })
    }
    response.json(await bridge.alexa.entry(parse(skillRequest, body)))
  })

  return router
}

/** What comes of a verification that was late changes nothing. */
function ignore(): void {}

function parse<T extends z.ZodType>(shape: T, text: string): z.output<T> {
  try {
    return shape.parse(JSON.parse(text))
  } catch (cause) {
    throw new BridgeError('invalid_request', 'the body is not what it should be', { cause })
  }
}
