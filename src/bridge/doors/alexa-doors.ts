/** Alexa's further doors over HTTPS: for the forwarding Lambda, and for the companion skill when it is hosted here. */
import express, { Router } from 'express'
import * as z from 'zod'
import { createCertificateChains, type CertificateChains } from '../alexa/skill/certificate-chain.ts'
import { openSkillRequest } from '../alexa/skill/signed-request.ts'
import { BridgeError } from 'transom-core/errors'
import { parseJson, readText, textOf } from '../http.ts'
import type { Clock } from 'transom-core/ports'
import type { Bridge } from '../assembly/bridge.ts'
import { faultsOf } from 'transom-core/wire/faults'
import { signatureField, timestampField, type Signatures } from '../signature.ts'

/** A directive carries at most 64 KiB of SDP, which JSON may double, and some cookies. */
const limit = 256 * 1024

/** What the forwarder posts: the event as Lambda got it, and the AWS region of that Lambda. */
const forwarded = z.object({ region: z.string().max(32), event: z.unknown() })

export interface AlexaDoorsOptions {
  /** Shared with the forwarder; without it its door does not exist. */
  readonly forwarderSecret?: string | undefined
  /** The companion skill that may be hosted here; without it its door does not exist. */
  readonly skillId?: string | undefined
  readonly signatures: Signatures
  readonly clock: Clock
  /** Default: Amazon's, fetched from where Amazon keeps them. */
  readonly chains?: CertificateChains
}

export function createAlexaDoors(
  bridge: { readonly alexa: Pick<Bridge['alexa'], 'entry'> },
  options: AlexaDoorsOptions,
): Router {
  const { forwarderSecret, skillId, signatures, clock, chains = createCertificateChains({ clock }) } = options
  const router = Router()

  if (forwarderSecret !== undefined) {
    router.post('/alexa/forwarded', readText(limit), async (request, response) => {
      const body = textOf(request)
      const signature = request.get(signatureField) ?? ''
      await signatures.check(forwarderSecret, { signature, timestamp: request.get(timestampField) ?? '', body })
      const { region, event } = parse(forwarded, body)
      response.json(await bridge.alexa.entry(event, region))
    })
  }

  if (skillId !== undefined) {
    router.post('/alexa/skill', express.raw({ limit, type: () => true }), async (request, response) => {
      const opened = await openSkillRequest(
        {
          body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
          signature256: request.get('signature-256'),
          signatureCertChainUrl: request.get('signaturecertchainurl'),
        },
        { skillId, chains, clock },
      )
      response.json(await bridge.alexa.entry(opened))
    })
  }

  return router
}

function parse<T extends z.ZodType>(shape: T, text: string): z.output<T> {
  const body = parseJson(text)
  if (body === undefined) throw new BridgeError('invalid_request', "the forwarder's body must be JSON")
  const parsed = shape.safeParse(body)
  if (parsed.success) return parsed.data
  throw new BridgeError('invalid_request', `the forwarder's body: ${faultsOf(parsed.error)}`)
}
