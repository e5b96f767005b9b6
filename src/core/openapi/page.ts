/** `/api`: the bridge for its own page, and for a vendor's app. */
import * as z from 'zod'
import * as api from '../wire/api.ts'
import * as push from '../wire/push.ts'
import { cameraWebhooks } from '../wire/registration.ts'
import * as source from '../wire/source.ts'
import { byId, pathsOf, type Route } from './parts.ts'
import { recordingPaths } from './recordings.ts'

const guestPath = z.object({ id: z.string(), login: api.guestLogin })
const viewPath = z.object({ reference: api.viewReference })
const account = ['account', 'page'] as const
const anybody = ['account', 'page', 'assistant'] as const
const page = ['page'] as const
const onlyNamers = 'For those who may name addresses: `canNameSource` of /api/me. One at a time for each account.'
const readers = "An assistant's token reads what concerns that assistant."

const listSessions: Route = {
  operationId: 'listSessions',
  summary: 'The sessions of the account and of its guests, newest first',
  description: readers,
  doors: anybody,
  query: api.wantedSessions,
  answer: { status: 200, body: api.sessions },
  refusals: [400, 401],
}
const readSession: Route = {
  operationId: 'readSession',
  summary: 'One session with its timeline',
  description: readers,
  doors: anybody,
  path: byId,
  answer: { status: 200, body: api.session },
  refusals: [401, 404],
}
const listNotices: Route = {
  operationId: 'listNotices',
  summary: 'What the owner should put right',
  description: readers,
  doors: anybody,
  answer: { status: 200, body: api.notices },
  refusals: [401],
}
/** Where the same was in 0.1. */
const formerly = (route: Route): Route => ({
  ...route,
  operationId: `${route.operationId}Formerly`,
  description: 'The same below /api; answers here until 0.2.',
  deprecated: true,
})

export const pagePaths = {
  ...pathsOf('Cameras', {
    'GET /api/me': {
      operationId: 'readMe',
      summary: 'The account of the token, and what the token may do',
      doors: account,
      answer: { status: 200, body: api.me },
      refusals: [401],
    },
    'GET /api/cameras': {
      operationId: 'listCameras',
      summary: 'The cameras of the account and those shared with it, with their state',
      doors: account,
      answer: { status: 200, body: api.cameras },
      refusals: [401],
    },
    'POST /api/cameras': {
      operationId: 'addCamera',
      summary: 'Adds a camera',
      description:
        'The answer is everything that its firmware needs; with `source`, for a network camera, the key for its events. Its secrets are shown only once.',
      doors: page,
      body: api.wantedCamera,
      answer: { status: 201, body: api.addedCamera },
      refusals: [400, 401, 403, 501],
    },
    'GET /api/activity': {
      operationId: 'listActivity',
      summary: 'What happened at all cameras, newest first, with what was recorded of it',
      description: 'Of own cameras, and of those whose recordings are shared. 100 at a time.',
      doors: account,
      query: api.wantedActivity,
      answer: { status: 200, body: api.activity },
      refusals: [400, 401, 404],
    },
    'GET /api/cameras/{id}': {
      operationId: 'readCamera',
      summary: 'One camera with its state',
      doors: account,
      path: byId,
      answer: { status: 200, body: api.cameraRow },
      refusals: [401, 404],
    },
    'PATCH /api/cameras/{id}': {
      operationId: 'editCamera',
      summary: 'Changes name and room, and of a network camera address, user and password',
      doors: page,
      path: byId,
      body: api.editedCamera,
      answer: { status: 204 },
      refusals: [400, 401, 403, 404, 501],
    },
    'DELETE /api/cameras/{id}': {
      operationId: 'removeCamera',
      summary: 'Removes a camera with its keys',
      doors: page,
      path: byId,
      answer: { status: 204 },
      refusals: [401, 403, 404, 501],
    },
    'GET /api/cameras/{id}/webhooks': {
      operationId: 'readWebhooks',
      summary: 'The webhooks of a camera: addresses for buttons that can only call a URL',
      doors: page,
      path: byId,
      answer: { status: 200, body: cameraWebhooks },
      refusals: [401, 403, 404, 501],
    },
    'POST /api/cameras/{id}/webhooks': {
      operationId: 'replaceWebhooks',
      summary: 'New webhooks for a camera; the addresses given before stop working',
      doors: page,
      path: byId,
      answer: { status: 201, body: cameraWebhooks },
      refusals: [401, 403, 404, 501],
    },
    'POST /api/cameras/{id}/ring': {
      operationId: 'ringDoorbell',
      summary: 'Rings the doorbell, as its button does',
      doors: page,
      path: byId,
      answer: { status: 202, body: api.pressed },
      refusals: [400, 401, 403, 404],
    },
  }),
  ...pathsOf('Notifications', {
    'GET /api/devices': {
      operationId: 'listDevices',
      summary: 'The phones and computers that are notified when somebody rings, and the key to subscribe with',
      doors: page,
      answer: { status: 200, body: push.devices },
      refusals: [401, 403, 501],
    },
    'POST /api/devices': {
      operationId: 'addDevice',
      summary: 'Has a device notified by Web Push when somebody rings',
      description:
        'A guest is notified of shared cameras, too. The endpoint must be of a push service that the bridge knows: see `TRANSOM_PUSH_SERVICES`.',
      doors: page,
      body: push.wantedDevice,
      answer: { status: 201, body: push.device },
      refusals: [400, 401, 403, 501],
    },
    'DELETE /api/devices/{id}': {
      operationId: 'removeDevice',
      summary: 'Stops notifying a device',
      doors: page,
      path: byId,
      answer: { status: 204 },
      refusals: [401, 403, 404, 501],
    },
  }),
  ...pathsOf('Network cameras', {
    'POST /api/sources/discover': {
      operationId: 'discoverCameras',
      summary: 'ONVIF cameras on the networks of the bridge',
      description: onlyNamers,
      doors: page,
      answer: { status: 200, body: source.foundCameras },
      refusals: [401, 403, 429, 501, 503],
    },
    'POST /api/sources/restreams': {
      operationId: 'listRestreams',
      summary: 'The streams of go2rtc or Frigate at a base URL',
      description: onlyNamers,
      doors: page,
      body: source.sourceAddress,
      answer: { status: 200, body: source.restreams },
      refusals: [400, 401, 403, 429, 501, 503],
    },
    'POST /api/sources/probe': {
      operationId: 'probeSource',
      summary: 'Plays all streams of a camera that need not be added, and says what displays get of them',
      description: `${onlyNamers} It takes up to a minute; closing the connection ends it.`,
      doors: page,
      body: source.sourceAddress,
      answer: { status: 200, body: source.sourceProbe },
      refusals: [400, 401, 403, 429, 501, 502, 503],
    },
    'GET /api/cameras/{id}/source': {
      operationId: 'readSource',
      summary: 'Where a network camera is read, without its password',
      doors: page,
      path: byId,
      answer: { status: 200, body: source.cameraSource },
      refusals: [401, 403, 404],
    },
    'PUT /api/cameras/{id}/certificate': {
      operationId: 'trustCertificate',
      summary: 'Trusts a certificate of a network camera instead of its first one',
      doors: page,
      path: byId,
      body: source.seenCertificate,
      answer: { status: 204 },
      refusals: [400, 401, 403, 404, 501],
    },
    'POST /api/cameras/{id}/try': {
      operationId: 'tryCamera',
      summary: 'Probes a network camera that is added',
      description: 'It takes up to a minute; closing the connection ends it.',
      doors: page,
      path: byId,
      answer: { status: 200, body: source.triedSource },
      refusals: [400, 401, 403, 404, 429, 501, 503],
    },
    'POST /api/cameras/{id}/tone': {
      operationId: 'playTone',
      summary: 'Plays a tone at the loudspeaker of a network camera',
      doors: page,
      path: byId,
      answer: { status: 200, body: source.playedTone },
      refusals: [400, 401, 403, 404, 429, 501, 502, 503],
    },
  }),
  ...recordingPaths('Recordings', '/api', account, page),
  ...pathsOf('Sharing', {
    'GET /api/cameras/{id}/guests': {
      operationId: 'listGuests',
      summary: 'The guests of a camera',
      doors: page,
      path: byId,
      answer: { status: 200, body: api.guests },
      refusals: [401, 403, 404],
    },
    'PUT /api/cameras/{id}/guests/{login}': {
      operationId: 'shareCamera',
      summary: 'Invites a guest, or changes what a guest may do',
      description: 'The answer does not tell whether anybody has this login.',
      doors: page,
      path: guestPath,
      body: api.guestRights,
      answer: { status: 204 },
      refusals: [400, 401, 403, 404],
    },
    'DELETE /api/cameras/{id}/guests/{login}': {
      operationId: 'unshareCamera',
      summary: 'Ends an invitation or a share',
      doors: page,
      path: guestPath,
      answer: { status: 204 },
      refusals: [401, 403, 404],
    },
    'GET /api/invitations': {
      operationId: 'listInvitations',
      summary: 'The open invitations of the account',
      doors: page,
      answer: { status: 200, body: api.invitations },
      refusals: [401, 403],
    },
    'POST /api/invitations/{id}/accept': {
      operationId: 'acceptInvitation',
      summary: 'Accepts an invitation',
      doors: page,
      path: byId,
      answer: { status: 204 },
      refusals: [401, 403, 404],
    },
    'POST /api/invitations/{id}/decline': {
      operationId: 'declineInvitation',
      summary: 'Declines an invitation',
      doors: page,
      path: byId,
      answer: { status: 204 },
      refusals: [401, 403, 404],
    },
    'DELETE /api/cameras/{id}/share': {
      operationId: 'leaveCamera',
      summary: 'Leaves a camera that somebody else shares',
      doors: page,
      path: byId,
      answer: { status: 204 },
      refusals: [401, 403, 404],
    },
  }),
  ...pathsOf('Views', {
    'POST /api/cameras/{id}/views': {
      operationId: 'beginView',
      summary: 'Begins a view, live or of what was recorded: the ICE servers, and the name of the view',
      description: 'The bridge opens the signaling connection to the camera meanwhile.',
      doors: account,
      path: byId,
      body: api.wantedView,
      hasOptionalBody: true,
      answer: { status: 201, body: api.view },
      refusals: [400, 401, 403, 404, 501, 503],
    },
    'POST /api/views/{reference}/offer': {
      operationId: 'offerView',
      summary: 'Exchanges a complete SDP offer for a complete SDP answer',
      description: 'The same offer again gets the same answer.',
      doors: account,
      path: viewPath,
      body: api.viewOffer,
      answer: { status: 200, body: api.viewAnswer },
      refusals: [400, 401, 404, 413, 429, 502, 503, 504],
    },
    'POST /api/views/{reference}/connected': {
      operationId: 'connectView',
      summary: 'Reports that media flows',
      doors: account,
      path: viewPath,
      answer: { status: 204 },
      refusals: [400, 401],
    },
    'POST /api/views/{reference}/end': {
      operationId: 'endView',
      summary: 'Ends a view',
      doors: account,
      path: viewPath,
      body: api.viewEnd,
      hasOptionalBody: true,
      answer: { status: 204 },
      refusals: [400, 401],
    },
  }),
  ...pathsOf('Sessions and events', {
    'GET /api/sessions': listSessions,
    'GET /api/sessions/{id}': readSession,
    'GET /api/figures': {
      operationId: 'readFigures',
      summary: 'How the views of the last 30 days went: outcomes by day and assistant, and waits for the first picture',
      doors: account,
      answer: { status: 200, body: api.figures },
      refusals: [401, 501],
    },
    'GET /api/notices': listNotices,
    'GET /api/stream': {
      operationId: 'followEvents',
      summary: 'Everything that happens, as server-sent events',
      description:
        'Each event has the name `event` of one of these objects, and its `data` as JSON. It begins with `hello`; a comment comes every 15 seconds; it ends with its token. Ask with fetch: EventSource sends no token. `announced` and `complaint` are for the page alone.',
      doors: account,
      answer: { status: 200, body: { 'text/event-stream': api.streamEvent } },
      refusals: [401, 429, 501],
    },
    'GET /sessions': formerly(listSessions),
    'GET /sessions/{id}': formerly(readSession),
    'GET /notices': formerly(listNotices),
  }),
}
