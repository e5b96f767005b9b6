/** What both assistants do in a call, each in its own language. */

import type { IceServer } from 'transom-core/ports'
import type { AnswerRules } from './answer.ts'
import { CallError } from './causes.ts'
import type { DirectiveDoor } from './directive.ts'

export interface FoundCamera {
  readonly id: string
  readonly name: string
  /** True when the camera is announced as playing what the user says. */
  readonly isTwoWay: boolean
}

/** One assistant with one linked account and one call. Every reply of the bridge is checked; a wrong one throws a `CallError`. */
export interface Assistant {
  readonly display: 'echo' | 'hub'
  readonly answerRules: AnswerRules
  /** How long the display waits for the answer, in milliseconds. */
  readonly answerWithinMs: number
  discover(signal: AbortSignal): Promise<readonly FoundCamera[]>
  /** Lets the bridge send events to this assistant, with a code of the assistant's. Only Alexa asks. */
  acceptGrant?(code: string, signal: AbortSignal): Promise<void>
  /**
   * Everything between "show me the front door" and the offer. Returns the ICE servers that the display was given, or
   * 'shown' when its surface has no WebRTC and plays the picture from an address that works.
   */
  prepare(camera: FoundCamera, signal: AbortSignal): Promise<readonly IceServer[] | 'shown'>
  /** Sends the offer and returns the answer's SDP. */
  offer(sdp: string, signal: AbortSignal): Promise<string>
  /** Tells the bridge that media flows, if this assistant does. */
  connected(signal: AbortSignal): Promise<void>
  hangUp(signal: AbortSignal): Promise<void>
  /** The bridge's `reference` of this call. */
  reference(): string
}

export interface AssistantOptions extends DirectiveDoor {
  readonly accessToken: string
  /** Something worth a line in the timeline. */
  readonly note: (step: string, detail?: string) => void
}

/** Discovers, and picks the wanted camera, or the first one. Throws `no_camera`. */
export async function findCamera(
  assistant: Assistant,
  wanted: string | undefined,
  note: AssistantOptions['note'],
  signal: AbortSignal,
): Promise<FoundCamera> {
  const cameras = await assistant.discover(signal)
  const camera = wanted === undefined ? cameras[0] : cameras.find(({ id }) => id === wanted)
  if (camera === undefined) {
    const known = cameras.map(({ id }) => id).join(', ')
    throw new CallError(
      'no_camera',
      wanted === undefined
        ? 'there is none: register one, or have one shared with this account'
        : `${wanted} was not discovered; there is ${known === '' ? 'none' : known}`,
    )
  }
  note('discovered', `${camera.name} (${camera.id})`)
  return camera
}
