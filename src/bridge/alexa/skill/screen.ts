/** What an answer of the companion skill shows beside its words. */
import { getSupportedInterfaces, type HandlerInput } from 'ask-sdk-core'

/** Addresses by HTTPS that a device opens without a token. */
export interface ShownRecording {
  /** MP4 with H.264, and AAC or no sound. */
  readonly clipUrl: string
  /** A JPEG. */
  readonly stillUrl: string
}

/**
 * The still is a card of the Alexa app and of screens. Where the device plays videos, the clip follows what is said, with the
 * device's own controls by voice and touch (videoapp-interface-reference.html).
 */
export function addToScreen(
  { requestEnvelope, responseBuilder }: HandlerInput,
  { clipUrl, stillUrl }: ShownRecording,
  { title, text }: { readonly title: string; readonly text: string },
): void {
  responseBuilder.withStandardCard(title, text, stillUrl, stillUrl)
  if ('VideoApp' in getSupportedInterfaces(requestEnvelope))
    responseBuilder.addVideoAppLaunchDirective(clipUrl, title, text)
}
