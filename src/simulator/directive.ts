/** Sends a directive to the bridge: by its open door, or signed by that of the forwarding Lambda. */

import { createHmac, randomUUID } from 'node:crypto'
import { postJson, type Reply } from './http.ts'

/** Where directives go. */
export interface DirectiveDoor {
  readonly bridge: string
  /** `TRANSOM_FORWARDER_SECRET` of the bridge. Where it has one, it accepts no unsigned directives. */
  readonly forwarderSecret?: string | undefined
}

/** POSTs a directive; the reply is the bridge's event. Signs as `skills/alexa/forwarder/index.mjs` does. */
export function sendDirective(door: DirectiveDoor, directive: object, signal: AbortSignal): Promise<Reply> {
  const { bridge, forwarderSecret } = door
  if (forwarderSecret === undefined) return postJson(`${bridge}/alexa`, { directive }, {}, signal)
  // The nonce makes two requests of one second differ. No region: this is no Lambda.
  const message = { nonce: randomUUID(), region: '', event: { directive } }
  const timestamp = String(Math.floor(Date.now() / 1000))
  const signed = createHmac('sha256', forwarderSecret)
    .update(`${timestamp}.${JSON.stringify(message)}`)
    .digest('hex')
  const headers = { 'x-transom-timestamp': timestamp, 'x-transom-signature': `v1=${signed}` }
  return postJson(`${bridge}/alexa/forwarded`, message, headers, signal)
}
