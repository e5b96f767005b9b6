/** The bridge's HTTP API as one OpenAPI 3.1 document, made of the schemas in `wire/`: `GET /openapi.json`. */
import type * as z from 'zod'
import { createDocument, type ZodOpenApiSecuritySchemeObject } from 'zod-openapi'
import * as api from '../wire/api.ts'
import { cameraEvent } from '../wire/camera-event.ts'
import * as admin from '../wire/operator.ts'
import { version } from '../version.ts'
import * as wire from '../wire/registration.ts'
import * as source from '../wire/source.ts'
import { assistantPaths, publicPaths, simulatorPaths } from './assistants.ts'
import { cameraPaths } from './cameras.ts'
import { operatorPaths } from './operator.ts'
import { mediaPaths } from './media.ts'
import { pagePaths } from './page.ts'
import type { Door } from './parts.ts'

const flow = {
  authorizationUrl: '/oauth/auth',
  tokenUrl: '/oauth/token',
  refreshUrl: '/oauth/token',
  scopes: { camera: 'The cameras of the account.' },
}

const bearer = (description: string) => ({ type: 'http', scheme: 'bearer', description }) as const
const signature = (name: string, description: string) => ({ type: 'apiKey', in: 'header', name, description }) as const

const doors: Readonly<Record<Door, ZodOpenApiSecuritySchemeObject>> = {
  page: {
    type: 'oauth2',
    description: 'An access token of the page: of the client `console`.',
    flows: { authorizationCode: flow },
  },
  account: {
    type: 'oauth2',
    description: 'An access token of a vendor’s app: of a client of the kind `other`, by authorization code with PKCE.',
    flows: { authorizationCode: flow },
  },
  assistant: bearer('The access token that Alexa or Google got by account linking.'),
  cameraKey: bearer('The key of the camera.'),
  cameraSignature: signature(
    'X-Transom-Signature',
    'HMAC-SHA256 with the key of the camera; X-Transom-Timestamp with it.',
  ),
  metricsKey: bearer('The key of TRANSOM_METRICS_KEY, or the operator’s.'),
  operatorKey: bearer(
    'The operator’s key (TRANSOM_OPERATOR_KEY), or the token in operator.json of the data directory.',
  ),
  streamToken: bearer('The token that GetCameraStream gave for one stream.'),
  forwarderSignature: signature('X-Transom-Signature', 'HMAC-SHA256 with TRANSOM_FORWARDER_SECRET.'),
  amazonSignature: signature('Signature-256', 'Amazon’s, with SignatureCertChainUrl.'),
}

/** Schemas that clients meet again and again, under the names of their types. */
const schemas: Readonly<Record<string, z.ZodType>> = {
  Camera: api.cameraRow,
  Session: api.session,
  SessionRow: api.sessionRow,
  Step: api.step,
  Guest: api.guest,
  Invitation: api.invitation,
  Notice: api.notice,
  IceServer: api.iceServer,
  StreamEvent: api.streamEvent,
  Refused: api.refused,
  AdminRefused: admin.adminRefused,
  CameraEvent: cameraEvent,
  Registration: wire.registration,
  CameraAccess: wire.cameraAccess,
  SourceProbe: source.sourceProbe,
  StreamProbe: source.streamProbe,
  ViewerKey: wire.viewerKey,
}

/**
 * Makes the document: every route that a bridge can have. Which of them one has depends on its settings; what it has not
 * answers 404. Addresses in it are relative to the bridge.
 */
export function openApiDocument(): ReturnType<typeof createDocument> {
  return createDocument(
    {
      openapi: '3.1.1',
      info: {
        title: 'Transom',
        version,
        description:
          'The bridge between smart displays and cameras. Bodies are JSON, instants are epoch milliseconds. Fields and events may be added: ignore those that you do not know. docs/api.md is the guide.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: [
        {
          name: 'Operator: cameras',
          description: 'Where TRANSOM_OPERATOR_KEY is set, and on the machine of the bridge.',
        },
        {
          name: 'Operator: people and clients',
          description: 'Also served below /oauth/admin where TRANSOM_OPERATOR_KEY is set; on AWS only there.',
        },
        { name: 'Simulated displays', description: 'Where the bridge plays the assistants: TRANSOM_SIMULATOR.' },
      ],
      paths: {
        ...pagePaths,
        ...mediaPaths,
        ...cameraPaths,
        ...operatorPaths,
        ...simulatorPaths,
        ...assistantPaths,
        ...publicPaths,
      },
      components: { schemas, securitySchemes: doors },
    },
    {
      // Clients must go on working when a newer bridge says more.
      override({ jsonSchema, io }) {
        if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
      },
    },
  )
}
