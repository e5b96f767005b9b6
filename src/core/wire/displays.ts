/** What the page asks of the simulated assistants below `/simulator`, so that a browser can be an Echo Show or a Nest Hub. */
import * as z from 'zod'
import { iceServer, step, type Message } from './api.ts'

/** Answers `GET /simulator/state`. */
export const links = z.object({ alexa: z.object({ linked: z.boolean() }), google: z.object({ linked: z.boolean() }) })
export type Links = Message<typeof links>

/** Asks `POST /simulator/:assistant/link`. */
export const linkRequest = z.object({
  returnTo: z
    .string()
    .max(512)
    .regex(/^#\/[\w./~%?=&-]*$/, 'must be a hash route')
    .describe('The place in the page to which the window comes back, with ?problem=… if linking failed.'),
})

/** Answers it: where the window goes. It works once, and for ten minutes. */
export const linkStart = z.object({ url: z.string() })
export type LinkStart = Message<typeof linkStart>

/** Asks `POST /simulator/:assistant/sessions`. */
export const showRequest = z.object({ cameraId: z.string().min(1).max(256) })

const steps = z.array(step).describe('What the simulated cloud has done, from the beginning.')

/** Answers it: what an assistant's cloud gives a display that is to show a camera. */
export const shown = z.object({
  reference: z.string(),
  iceServers: z.array(iceServer).describe('Empty for an Echo Show, which is given none.'),
  steps,
  signalingUrl: z.string().exactOptional().describe('Google: where the display posts its offer,'),
  token: z.string().exactOptional().describe('with this bearer token.'),
})
export type Shown = Message<typeof shown>

/** Asks `POST /simulator/alexa/sessions/:reference/offer`. */
export const echoOffer = z.object({
  sdp: z
    .string()
    .min(1)
    .max(64 * 1024),
})

/** Answers it with the SDP answer of the bridge. */
export const echoAnswer = z.object({ sdp: z.string(), steps })
export type EchoAnswer = Message<typeof echoAnswer>

/** A view that came to nothing: how far it came, and which session of the bridge's says more. */
export const failedView = z.object({
  error: z.string().describe('not_linked, no_camera, answer_late, …: as npm run call reports them.'),
  message: z.string(),
  steps: steps.exactOptional(),
  sessionId: z.string().exactOptional(),
})
export type FailedView = Message<typeof failedView>
