/** Asks Amazon in which time zone the Echo stands (alexa-settings-api-reference.html); needs no permission of the customer. */
import type { HandlerInput } from 'ask-sdk-core'
import * as z from 'zod'
import { boundedFetch } from 'transom-core/fetch'

const ask = boundedFetch({ ms: 1_500 })
/** The request says which endpoint to ask; our token goes to no other host than Amazon's. */
const amazonHost = /^api(\.eu|\.fe)?\.amazonalexa\.com$/

/** Rejects when Amazon does not tell in time. */
export async function timeZoneOf({ requestEnvelope }: HandlerInput, signal: AbortSignal): Promise<string> {
  const { apiEndpoint, apiAccessToken, device } = requestEnvelope.context.System
  const { protocol, host } = new URL(apiEndpoint)
  if (protocol !== 'https:' || !amazonHost.test(host)) throw new Error(`${host} is not Amazon`)
  if (!device?.deviceId) throw new Error('the request names no device')
  const path = `/v2/devices/${encodeURIComponent(device.deviceId)}/settings/System.timeZone`
  const response = await ask(new URL(path, apiEndpoint), {
    headers: { authorization: `Bearer ${apiAccessToken}` },
    signal,
  })
  if (!response.ok) throw new Error(`HTTP ${response.status}`)
  const zone = z.string().parse(await response.json())
  // Throws for what is no time zone.
  return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone
}
