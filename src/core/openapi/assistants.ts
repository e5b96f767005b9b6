/** What the assistants ask the bridge in their own languages, the simulated ones for the page, and what everybody may read. */
import * as z from 'zod'
import { refused } from '../wire/api.ts'
import * as displays from '../wire/displays.ts'
import { binary, foreign, pathsOf, type Route } from './parts.ts'

const echoPath = z.object({ reference: z.string() })
const alexaMessage = foreign('A message of the Alexa Smart Home API: schemas/alexa.json.')
const googleMessage = foreign('A message of Google’s smart home fulfillment: schemas/google.json.')
/** The simulated cloud's refusals and the bridge's own. */
const failed = z.union([displays.failedView, refused])
const simulated = (route: Omit<Route, 'doors'>): Route => ({
  doors: ['page'],
  ...route,
  refusals: [400, 401, ...(route.refusals ?? [])],
})

/** What both displays have, each at its own path. */
function displayPaths(assistant: 'alexa' | 'google') {
  const name = assistant === 'alexa' ? 'Alexa' : 'Google'
  return {
    [`POST /simulator/${assistant}/link`]: simulated({
      operationId: `link${name}`,
      summary: `Begins linking the account with the simulated ${name}`,
      body: displays.linkRequest,
      answer: { status: 200, body: displays.linkStart },
    }),
    [`GET /simulator/${assistant}/linked`]: {
      operationId: `finishLink${name}`,
      summary: 'Where the window comes back to from the linking pages',
      doors: [],
      answer: { status: 303, description: 'Back to the page.' },
    },
    [`POST /simulator/${assistant}/sessions`]: simulated({
      operationId: `showOn${name}`,
      summary: assistant === 'alexa' ? 'Shows a camera on the Echo Show' : 'Shows a camera on the Nest Hub',
      body: displays.showRequest,
      answer: { status: 201, body: displays.shown },
      refusals: [404, 409, 502, 504],
      refused: failed,
    }),
  } satisfies Record<string, Route>
}

export const simulatorPaths = pathsOf('Simulated displays', {
  'GET /simulator/state': simulated({
    operationId: 'readSimulatedLinks',
    summary: 'Which simulated assistants the account is linked with',
    answer: { status: 200, body: displays.links },
  }),
  ...displayPaths('alexa'),
  ...displayPaths('google'),
  'POST /simulator/alexa/sessions/{reference}/offer': simulated({
    operationId: 'offerOnEcho',
    summary: 'InitiateSessionWithOffer from the Echo Show',
    path: echoPath,
    body: displays.echoOffer,
    answer: { status: 200, body: displays.echoAnswer },
    refusals: [502, 504],
    refused: failed,
  }),
  'POST /simulator/alexa/sessions/{reference}/connected': simulated({
    operationId: 'connectEcho',
    summary: 'SessionConnected',
    path: echoPath,
    answer: { status: 204 },
  }),
  'POST /simulator/alexa/sessions/{reference}/end': simulated({
    operationId: 'endEcho',
    summary: 'SessionDisconnected',
    path: echoPath,
    answer: { status: 204 },
  }),
})

export const assistantPaths = pathsOf('Assistants', {
  'POST /alexa': {
    operationId: 'directive',
    summary: 'A directive of Alexa; its bearer token is in it',
    doors: [],
    body: alexaMessage,
    answer: { status: 200, body: alexaMessage },
  },
  'POST /alexa/forwarded': {
    operationId: 'forwardedDirective',
    summary: 'The same from a forwarding Lambda function',
    doors: ['forwarderSignature'],
    body: z.object({ region: z.string().max(32), event: alexaMessage }),
    answer: { status: 200, body: alexaMessage },
    refusals: [400, 401],
  },
  'POST /alexa/skill': {
    operationId: 'skillRequest',
    summary: 'A request of the companion skill',
    doors: ['amazonSignature'],
    body: foreign('A request of the Alexa Skills Kit.'),
    answer: { status: 200, body: foreign('A response of the Alexa Skills Kit.') },
    refusals: [400],
  },
  'POST /google/fulfillment': {
    operationId: 'fulfillment',
    summary: 'SYNC, QUERY, EXECUTE and DISCONNECT of Google Home',
    doors: ['assistant'],
    body: googleMessage,
    answer: { status: 200, body: googleMessage },
    refused: googleMessage,
  },
  'POST /google/signaling': {
    operationId: 'signaling',
    summary: 'The signaling of a Google display: offer, end',
    doors: ['streamToken'],
    body: googleMessage,
    answer: { status: 200, body: googleMessage },
    refused: googleMessage,
  },
})

const health = z.object({
  status: z.enum(['ok', 'failing']),
  cause: z.string().exactOptional().describe('no_room or store_failed.'),
  negotiating: z.int().describe('Offers that wait for their answer now.'),
})

const readiness = z.object({
  ready: z.boolean(),
  checks: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().exactOptional() })),
})

const icon = (size: number): Route => ({
  operationId: `readIcon${size}`,
  summary: `The icon of the app, ${size} pixels wide`,
  doors: [],
  answer: { status: 200, body: { 'image/png': binary } },
})

export const publicPaths = pathsOf('The bridge', {
  'GET /healthz': {
    operationId: 'readHealth',
    summary: 'Whether the bridge can keep what it is told; 503 when not',
    doors: [],
    answer: { status: 200, body: health },
    refused: health,
  },
  'GET /readyz': {
    operationId: 'readReadiness',
    summary: 'Whether store, signaling and outbox work; 503 when one of them does not',
    doors: [],
    answer: { status: 200, body: readiness },
    refused: readiness,
  },
  'GET /version': {
    operationId: 'readVersion',
    summary: 'Which Transom runs here',
    doors: [],
    answer: { status: 200, body: z.object({ version: z.string() }) },
  },
  'GET /metrics': {
    operationId: 'readMetrics',
    summary: 'Figures for Prometheus',
    description: 'From the machine of the bridge without a key, unless TRANSOM_METRICS says otherwise.',
    doors: ['metricsKey', 'operatorKey'],
    answer: { status: 200, body: { 'text/plain': z.string() } },
    refusals: [401],
  },
  'GET /openapi.json': {
    operationId: 'readDocument',
    summary: 'This document',
    doors: [],
    answer: { status: 200, body: foreign('OpenAPI 3.1.') },
  },
  'GET /': {
    operationId: 'openPage',
    summary: 'The page',
    doors: [],
    answer: { status: 200, body: { 'text/html': z.string() } },
  },
  'GET /assets/{name}': {
    operationId: 'readAsset',
    summary: 'Its parts',
    doors: [],
    path: z.object({ name: z.string() }),
    answer: { status: 200, body: { '*/*': binary } },
  },
  'GET /manifest.webmanifest': {
    operationId: 'readAppManifest',
    summary: 'What makes the page an app (Web Application Manifest)',
    doors: [],
    answer: { status: 200, body: { 'application/manifest+json': z.looseObject({}) } },
  },
  'GET /icon-192.png': icon(192),
  'GET /icon-512.png': icon(512),
  'GET /service-worker.js': {
    operationId: 'readServiceWorker',
    summary: 'Shows notifications while the page is closed',
    doors: [],
    answer: { status: 200, body: { 'text/javascript': z.string() } },
  },
  'GET /transom-player.js': {
    operationId: 'readPlayer',
    summary: 'The player for any page: docs/player.md',
    doors: [],
    answer: { status: 200, body: { 'text/javascript': z.string() } },
  },
})
