/** `transom doctor`: what was copied from the consoles of Amazon and Google, tried where it is used. */
import { readFile } from 'node:fs/promises'
import { createLwa } from 'transom-bridge/alexa/lwa'
import { gatewayUrls } from 'transom-bridge/alexa/region'
import { createServiceToken, serviceAccountKey, TokenRefusal } from 'transom-bridge/google/service-token'
import { sign, signatureField, timestampField } from 'transom-bridge/signature'
import { boundedFetch } from 'transom-core/fetch'
import type { Clock } from 'transom-core/ports'
import type { Config } from '../config.ts'
import { bad, good, reasonOf, type Check, type Finding } from './check.ts'

const answerMs = 8_000

/** Nothing is announced and nothing is linked by them. */
export function vendorChecks(config: Config, clock: Clock): readonly Check[] {
  return [
    { id: 'lwa', run: async (signal) => [await checkLwa(config, clock, signal)] },
    { id: 'event-gateway', run: async (signal) => [await checkEventGateway(config, signal)] },
    { id: 'home-graph', run: async (signal) => [await checkHomeGraph(config, clock, signal)] },
    { id: 'forwarder', run: async (signal) => [await checkForwarder(config, clock, signal)] },
  ]
}

/** A code that nobody was given: a pair that is right is told `invalid_grant`, a wrong one `invalid_client` (RFC 6749 section 5.2). */
async function checkLwa({ alexa: { lwa } }: Config, clock: Clock, signal: AbortSignal): Promise<Finding> {
  const id = 'lwa'
  const { clientId, clientSecret, tokenUrl } = lwa
  if (clientId === undefined || clientSecret === undefined)
    return good(id, 'not set up: no press reaches Alexa (TRANSOM_LWA_CLIENT_ID)')
  const client = { clientId, clientSecret, ...(tokenUrl !== undefined && { tokenUrl }) }
  const answer = await createLwa(client, clock).exchange('transom-doctor', signal)
  if (answer.kind === 'unavailable')
    return bad(
      id,
      `Login with Amazon was not reached: ${answer.reason}`,
      'Give this machine a way to https://api.amazon.com.',
    )
  if (answer.kind === 'refused' && answer.error !== 'invalid_grant')
    return bad(
      id,
      `Login with Amazon answers ${answer.error}`,
      "Copy TRANSOM_LWA_CLIENT_ID and TRANSOM_LWA_CLIENT_SECRET from the skill's Permissions page; they are not the pair of account linking.",
    )
  return good(id, 'Login with Amazon accepts the pair')
}

/** A token that nobody was given is refused with 401 or 403 by a gateway that is there. */
async function checkEventGateway({ alexa }: Config, signal: AbortSignal): Promise<Finding> {
  const id = 'event-gateway'
  if (alexa.lwa.clientId === undefined) return good(id, 'not used without a Login with Amazon pair')
  const url = alexa.gatewayUrl ?? gatewayUrls[alexa.region ?? 'NA']
  const region = alexa.region ?? (alexa.gatewayUrl === undefined ? "each customer's own, as it is learned" : 'as set')
  try {
    const headers = { 'content-type': 'application/json', authorization: 'Bearer transom-doctor' }
    const { status } = await boundedFetch({ ms: answerMs })(url, { method: 'POST', headers, body: '{}', signal })
    return [400, 401, 403].includes(status)
      ? good(id, `the event gateway answers; region: ${region}`)
      : bad(
          id,
          `${url} answers ${status}, which is not the event gateway`,
          'Remove TRANSOM_ALEXA_EVENTS_URL, or set TRANSOM_ALEXA_REGION to NA, EU or FE.',
        )
  } catch (error) {
    return bad(
      id,
      `${url} was not reached: ${reasonOf(error)}`,
      'Remove TRANSOM_ALEXA_EVENTS_URL if it is set, and give this machine a way to the internet.',
    )
  }
}

async function checkHomeGraph({ google }: Config, clock: Clock, signal: AbortSignal): Promise<Finding> {
  const id = 'home-graph'
  const path = google.serviceAccount
  if (path === undefined) return good(id, 'not set up: no press reaches Google (TRANSOM_GOOGLE_SERVICE_ACCOUNT)')
  const create =
    'Create a key for the service account in the Google Cloud console, as JSON, and set TRANSOM_GOOGLE_SERVICE_ACCOUNT to its file.'
  let key: ReturnType<typeof createServiceToken>
  try {
    const serviceAccount = serviceAccountKey.parse(JSON.parse(await readFile(path, 'utf8')))
    key = createServiceToken({ serviceAccount, deadlineMs: answerMs, clock })
  } catch {
    return bad(id, `${path} is not the key of a service account, or cannot be read`, create)
  }
  try {
    await key.get(signal)
    return good(id, 'Google accepts the key of the service account')
  } catch (error) {
    const isRefused = error instanceof TokenRefusal && error.isFinal
    return bad(
      id,
      reasonOf(error),
      isRefused
        ? `${create} Its clock must be right, too.`
        : 'Give this machine a way to https://oauth2.googleapis.com.',
    )
  }
}

/** Signed as the Lambda function signs; the body is no directive, so a door that opens says 400. */
async function checkForwarder({ alexa, publicUrl }: Config, clock: Clock, signal: AbortSignal): Promise<Finding> {
  const id = 'forwarder'
  const { forwarderSecret } = alexa
  if (forwarderSecret === undefined) return good(id, 'not set up: Alexa reaches the bridge without a forwarder')
  if (publicUrl === undefined)
    return bad(id, 'TRANSOM_PUBLIC_URL is not set', 'Set it to the address that the Lambda function calls.')
  const timestamp = String(Math.floor(clock() / 1_000))
  const body = '{}'
  try {
    const headers = {
      'content-type': 'application/json',
      [timestampField]: timestamp,
      [signatureField]: sign(forwarderSecret, timestamp, body),
    }
    const { status } = await boundedFetch({ ms: answerMs })(`${publicUrl}/alexa/forwarded`, {
      method: 'POST',
      headers,
      body,
      signal,
    })
    if (status === 400) return good(id, 'the bridge accepts the signature of the forwarder')
    return status === 401
      ? bad(
          id,
          'the bridge refuses the signature',
          'Give the bridge and the Lambda function the same TRANSOM_FORWARDER_SECRET, restart both, and set the clock.',
        )
      : bad(
          id,
          `${publicUrl}/alexa/forwarded answers ${status}`,
          'Restart the bridge with TRANSOM_FORWARDER_SECRET; the proxy must pass /alexa/forwarded on.',
        )
  } catch (error) {
    return bad(id, `${publicUrl} was not reached: ${reasonOf(error)}`, 'See the check public-url.')
  }
}
