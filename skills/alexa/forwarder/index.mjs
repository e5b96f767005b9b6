/**
 * Passes what Alexa sends to a bridge at home. One file, no dependencies: paste it into a Node.js 22 (or newer) Lambda.
 *
 * Environment: BRIDGE_URL    https://bridge.example.org, as TRANSOM_PUBLIC_URL of the bridge
 *              BRIDGE_SECRET the same as TRANSOM_FORWARDER_SECRET of the bridge, 32 characters or more
 *
 * Each request is signed with the secret over its time and body; the bridge refuses what is older than five minutes or
 * comes a second time. Give the function 8 s and 256 MB, in eu-west-1, us-east-1 or us-west-2.
 */
import { createHmac, randomUUID } from 'node:crypto'

/** Alexa gives up at 8 s. */
const PATIENCE_MS = 7_500

export async function handler(event) {
  const { BRIDGE_URL, BRIDGE_SECRET, AWS_REGION = '' } = process.env
  try {
    if (!BRIDGE_URL?.startsWith('https://') && !/^http:\/\/(localhost|127\.0\.0\.1)[:/]?/.test(BRIDGE_URL ?? '')) {
      throw new Error('BRIDGE_URL is not an https URL')
    }
    if (!(BRIDGE_SECRET?.length >= 32)) throw new Error('BRIDGE_SECRET has less than 32 characters')
    // The nonce makes two requests of one second differ, which a repeated directive may be.
    const body = JSON.stringify({ nonce: randomUUID(), region: AWS_REGION, event })
    const timestamp = String(Math.floor(Date.now() / 1000))
    const signature = createHmac('sha256', BRIDGE_SECRET).update(`${timestamp}.${body}`).digest('hex')
    const response = await fetch(`${BRIDGE_URL.replace(/\/+$/, '')}/alexa/forwarded`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-transom-timestamp': timestamp,
        'x-transom-signature': `v1=${signature}`,
      },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
    if (response.status !== 200) throw new Error(`the bridge answered HTTP ${response.status}`)
    return await response.json()
  } catch (error) {
    // Never the event: it holds a token.
    console.error(JSON.stringify({ error: error.message, cause: error.cause?.message }))
    if (!event?.directive) throw error
    return unreachable(event.directive)
  }
}

/** What Alexa is told when the bridge is not there: a well-formed refusal instead of a failure that it would repeat. */
function unreachable({ header = {}, endpoint }) {
  const isGrant = header.namespace === 'Alexa.Authorization'
  return {
    event: {
      header: {
        namespace: isGrant ? 'Alexa.Authorization' : 'Alexa',
        name: 'ErrorResponse',
        messageId: randomUUID(),
        payloadVersion: '3',
        ...(header.correlationToken && { correlationToken: header.correlationToken }),
      },
      ...(endpoint?.endpointId && {
        endpoint: { endpointId: endpoint.endpointId, ...(endpoint.scope && { scope: endpoint.scope }) },
      }),
      payload: {
        type: isGrant ? 'ACCEPT_GRANT_FAILED' : 'BRIDGE_UNREACHABLE',
        message: 'the bridge cannot be reached',
      },
    },
  }
}
