/** `/operator`: cameras, viewers' keys, people, clients, signing keys, links and shares. */
import * as z from 'zod'
import * as admin from '../wire/operator.ts'
import * as api from '../wire/api.ts'
import * as events from '../wire/operator-events.ts'
import * as wire from '../wire/registration.ts'
import * as source from '../wire/source.ts'
import { byId, pathsOf, type Route } from './parts.ts'
import { recordingPaths } from './recordings.ts'

const doors = ['operatorKey'] as const
/** A wrong key is refused in OAuth's words, everything else in the API's. */
const operator = (route: Omit<Route, 'doors'>): Route => ({ doors, ...route, unauthorized: admin.adminRefused })
/** Everything is refused in OAuth's words. */
const adminOf = (route: Omit<Route, 'doors'>): Route => ({
  doors,
  ...route,
  refusals: [...(route.refusals ?? []), 401],
  refused: admin.adminRefused,
})
const anyRegistration = z.union([wire.registration, wire.cameraAccess])

export const operatorPaths = {
  ...recordingPaths('Operator: recordings', '/operator', doors, doors, { unauthorized: admin.adminRefused }),
  ...pathsOf('Operator: cameras', {
    'GET /operator/cameras': operator({
      operationId: 'listRegisteredCameras',
      summary: 'The cameras of an account, or of all by pages',
      description:
        'With `all`, `limit` or `cursor` the answer is one page. Its `cursor` asks for the next one; the last has none.',
      query: wire.cameraListQuery,
      answer: { status: 200, body: wire.listedCameras },
      refusals: [400],
    }),
    'POST /operator/cameras': operator({
      operationId: 'registerCamera',
      summary: 'Registers a camera, or with `source` a network camera',
      description: 'The answer is what its firmware needs. Its secrets are shown only once.',
      body: wire.registrationRequest,
      answer: { status: 201, body: anyRegistration },
      refusals: [400],
    }),
    'POST /operator/cameras:batch': operator({
      operationId: 'registerCameras',
      summary: 'Registers or changes many cameras at once, at most 100',
      description:
        'Each camera is created, changed, or left as it is, by its id: sending the same batch again changes nothing. ' +
        'A field that is left out is removed or gets its default. One that is refused says why and stops no other.',
      body: wire.cameraBatch,
      answer: { status: 200, body: wire.cameraBatchResults },
      refusals: [400, 413],
    }),
    'POST /operator/events': operator({
      operationId: 'reportEvents',
      summary: 'Events of many cameras, from their vendor’s cloud, at most 100',
      description:
        'Each as the camera itself would post it, with its `cameraId`; and `presence`, whether the camera is connected. Those of ' +
        'one camera are received in their order. `refused` ones will not be accepted as they are; `failed` ones are to be sent again.',
      body: events.eventBatch,
      answer: { status: 200, body: events.eventResults },
      refusals: [400, 413],
    }),
    'PATCH /operator/cameras/{id}': operator({
      operationId: 'changeCamera',
      summary: 'Changes what is known of a camera',
      description: 'JSON Merge Patch (RFC 7396): what is not named stays, null removes.',
      path: byId,
      body: wire.cameraChangeRequest,
      answer: { status: 204 },
      refusals: [400, 404],
    }),
    'DELETE /operator/cameras/{id}': operator({
      operationId: 'unregisterCamera',
      summary: 'Removes a camera with its channel and its keys',
      path: byId,
      answer: { status: 204 },
      refusals: [400, 404],
    }),
    'POST /operator/cameras/{id}/keys': operator({
      operationId: 'issueCameraKey',
      summary: 'A further access key for a camera, or instead of all others',
      path: byId,
      body: wire.cameraKeyRequest,
      hasOptionalBody: true,
      answer: { status: 201, body: anyRegistration },
      refusals: [400, 404],
    }),
    'DELETE /operator/cameras/{id}/certificates': operator({
      operationId: 'trustCamera',
      summary: 'Accepts the certificate that a network camera shows next, instead of its first one',
      path: byId,
      answer: { status: 204 },
      refusals: [400, 404],
    }),
    'GET /operator/sessions': operator({
      operationId: 'listSessionsOf',
      summary: 'The newest sessions of an account, at any display',
      query: api.operatorSessions,
      answer: { status: 200, body: api.sessions },
      refusals: [400],
    }),
    'GET /operator/sessions/{id}': operator({
      operationId: 'explainSession',
      summary: 'One session of any account with its timeline, its cause and what to do',
      path: byId,
      answer: { status: 200, body: api.session },
      refusals: [404],
    }),
    'GET /operator/cameras/{id}/webhooks': operator({
      operationId: 'showWebhooks',
      summary: 'The webhooks of a camera: addresses for buttons that can only call a URL',
      path: byId,
      answer: { status: 200, body: wire.cameraWebhooks },
      refusals: [400, 404],
    }),
    'POST /operator/cameras/{id}/webhooks': operator({
      operationId: 'rollWebhooks',
      summary: 'New webhooks for a camera; the addresses given before stop working',
      path: byId,
      answer: { status: 201, body: wire.cameraWebhooks },
      refusals: [400, 404],
    }),
    'POST /operator/cameras/{id}/try': operator({
      operationId: 'tryRegisteredCamera',
      summary: 'Probes a network camera: its streams, and what displays get of them',
      path: byId,
      answer: { status: 200, body: source.triedSource },
      refusals: [400, 404, 503],
    }),
    'POST /operator/cameras/{id}/tone': operator({
      operationId: 'playToneAtRegisteredCamera',
      summary: 'Plays a tone at the loudspeaker of a network camera',
      path: byId,
      answer: { status: 200, body: source.playedTone },
      refusals: [400, 404, 502, 503],
    }),
    'GET /operator/gateways': operator({
      operationId: 'listGateways',
      summary: 'The gateways on other machines',
      answer: { status: 200, body: wire.listedGateways },
    }),
    'POST /operator/gateways': operator({
      operationId: 'addGateway',
      summary: 'Makes the key of a gateway on another machine',
      description: 'The key is shown only once.',
      body: wire.gatewayRequest,
      answer: { status: 201, body: wire.newGateway },
      refusals: [400],
    }),
    'DELETE /operator/gateways/{name}': operator({
      operationId: 'removeGateway',
      summary: 'Removes a gateway’s key, and ends its connections',
      path: z.object({ name: wire.gatewayName }),
      answer: { status: 204 },
      refusals: [404],
    }),
    'GET /operator/keys': operator({
      operationId: 'listViewerKeys',
      summary: 'The access keys of viewers outside the bridge',
      answer: { status: 200, body: wire.listedViewerKeys },
      refusals: [400],
    }),
    'POST /operator/keys': operator({
      operationId: 'addViewerKey',
      summary: 'Makes an access key for a viewer outside the bridge',
      body: wire.viewerKeyRequest,
      answer: { status: 201, body: wire.viewerKey },
      refusals: [400, 404],
    }),
    'DELETE /operator/keys/{accessKeyId}': operator({
      operationId: 'removeAccessKey',
      summary: 'Removes an access key, a viewer’s or a camera’s, and ends its connections',
      path: z.object({ accessKeyId: z.string() }),
      answer: { status: 204 },
      refusals: [400, 404],
    }),
  }),
  ...pathsOf('Operator: people and clients', {
    'GET /operator/admin/users': adminOf({
      operationId: 'listPeople',
      summary: 'The accounts, by pages',
      query: admin.peoplePage,
      answer: { status: 200, body: admin.people },
      refusals: [400],
    }),
    'DELETE /operator/admin/users/{login}': adminOf({
      operationId: 'removePerson',
      summary: 'Removes an account with its cameras, links, shares and everything else that is kept of it',
      description:
        'Refuses the last account unless `last` is true. One line in the history names the id of the account.',
      path: z.object({ login: z.string() }),
      query: admin.personRemoval,
      answer: { status: 204 },
      refusals: [400],
    }),
    'GET /operator/admin/users/{login}/export': adminOf({
      operationId: 'exportPerson',
      summary: 'Everything that is kept of an account, without secrets',
      path: z.object({ login: z.string() }),
      query: admin.personPlace,
      answer: { status: 200, body: admin.exported },
      refusals: [400],
    }),
    'POST /operator/admin/users': adminOf({
      operationId: 'addPerson',
      summary: 'Makes an account',
      body: admin.newPerson,
      answer: { status: 201, body: admin.madePerson },
      refusals: [400],
    }),
    'POST /operator/admin/invitations': adminOf({
      operationId: 'invitePerson',
      summary: 'A link by which somebody makes their own account',
      body: admin.personInvitation,
      hasOptionalBody: true,
      answer: { status: 201, body: admin.welcomeLink },
      refusals: [400],
    }),
    'POST /operator/admin/resets': adminOf({
      operationId: 'resetPassword',
      summary: 'A link by which somebody chooses a new password',
      body: admin.passwordReset,
      answer: { status: 201, body: admin.welcomeLink },
      refusals: [400],
    }),
    'GET /operator/admin/history': adminOf({
      operationId: 'readHistory',
      summary: 'What happened to an account, or to logins that nobody has',
      query: admin.maybePerson,
      answer: { status: 200, body: admin.history },
      refusals: [400],
    }),
    'GET /operator/admin/links': adminOf({
      operationId: 'listLinks',
      summary: 'What an account is linked with',
      query: admin.person,
      answer: { status: 200, body: admin.accountLinks },
      refusals: [400],
    }),
    'POST /operator/admin/links/end': adminOf({
      operationId: 'endLinks',
      summary: 'Ends an account’s links with an assistant',
      body: admin.unlinking,
      answer: { status: 204 },
      refusals: [400],
    }),
    'POST /operator/admin/shares': adminOf({
      operationId: 'addShare',
      summary: 'Shares a camera without the guest’s consent',
      body: admin.newShare,
      answer: { status: 204 },
      refusals: [400, 404],
    }),
    'POST /operator/admin/shares/end': adminOf({
      operationId: 'endShare',
      summary: 'Ends a share',
      body: admin.sharePlace,
      answer: { status: 204 },
      refusals: [400, 404],
    }),
    'GET /operator/admin/clients': adminOf({
      operationId: 'listClients',
      summary: 'The OAuth clients',
      answer: { status: 200, body: admin.clients },
    }),
    'POST /operator/admin/clients': adminOf({
      operationId: 'addClient',
      summary: 'Adds an OAuth client',
      body: admin.newClient,
      answer: { status: 201, body: admin.madeClient },
      refusals: [400],
    }),
    'POST /operator/admin/clients/{id}/rotate': adminOf({
      operationId: 'rotateClientSecret',
      summary: 'A new client secret; the old one is accepted for a while',
      path: byId,
      body: admin.rotation,
      hasOptionalBody: true,
      answer: { status: 200, body: admin.newSecret },
      refusals: [400],
    }),
    'DELETE /operator/admin/clients/{id}': adminOf({
      operationId: 'removeClient',
      summary: 'Removes an OAuth client and ends its links',
      path: byId,
      answer: { status: 204 },
      refusals: [400],
    }),
    'GET /operator/admin/keys': adminOf({
      operationId: 'listSigningKeys',
      summary: 'The keys that sign tokens',
      answer: { status: 200, body: admin.signingKeys },
    }),
    'POST /operator/admin/keys/rotate': adminOf({
      operationId: 'rotateSigningKeys',
      summary: 'A new signing key; tokens of the old ones stay valid to their end',
      answer: { status: 200, body: admin.signingKey },
    }),
  }),
}
