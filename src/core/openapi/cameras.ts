/** What cameras tell the bridge, and the still pictures that they leave. */
import * as z from 'zod'
import { cameraEvent, cameraEventReply } from '../wire/camera-event.ts'
import { webhookEvents } from '../wire/registration.ts'
import { binary, byId, pathsOf } from './parts.ts'

const picture = { 'image/jpeg': binary, 'image/png': binary }

const hookPath = z.object({
  id: z.string(),
  event: z.enum(webhookEvents),
  secret: z.string().describe('From `GET /operator/cameras/{id}/webhooks`, or the page.'),
})
const plain = { 'text/plain': z.string() }
const hook = (operationId: string) => ({
  operationId,
  summary: 'Makes this happen at the camera: for buttons that can only call a URL',
  description:
    'The address is the key. Calls within two seconds are one. HEAD and browsers that look ahead do nothing.',
  doors: [],
  path: hookPath,
  answer: { status: 200, body: plain } as const,
  refusals: [404, 429, 503] as const,
  refused: plain,
})

export const cameraPaths = pathsOf('Cameras’ own', {
  'POST /cameras/{id}/events': {
    operationId: 'reportEvent',
    summary: 'A press, motion, a person, the battery, a switch, a sensor; how a viewer or the source is',
    description:
      'With the camera key as bearer token, or signed with it: `X-Transom-Signature: v1=` and the HMAC-SHA256, in hex, of the timestamp, a dot and the body.',
    doors: ['cameraKey', 'cameraSignature'],
    path: byId,
    header: z.object({
      'X-Transom-Timestamp': z.string().optional().describe('Epoch seconds; with a signature.'),
    }),
    body: cameraEvent,
    answer: { status: 202, body: cameraEventReply },
    refusals: [400, 401, 429],
  },
  'PUT /cameras/{id}/snapshot': {
    operationId: 'leavePicture',
    summary: 'Keeps a still picture',
    doors: ['cameraKey'],
    path: byId,
    body: picture,
    answer: { status: 202, body: z.object({}) },
    refusals: [400, 401, 413, 429],
  },
  'GET /hooks/{id}/{event}/{secret}': hook('callWebhook'),
  'POST /hooks/{id}/{event}/{secret}': hook('postWebhook'),
  'GET /cameras/{id}/snapshot': {
    operationId: 'readPicture',
    summary: 'The last still picture',
    doors: ['account', 'page', 'assistant'],
    path: byId,
    answer: { status: 200, body: picture },
    refusals: [401, 404],
  },
})
