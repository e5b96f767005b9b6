/** The operator's API for people, clients, keys, links and shares: `/operator/admin` on a running bridge, and `/oauth/admin`. */
import * as z from 'zod'
import { assistant, type Message } from './api.ts'

const hourMs = 3_600_000
const instant = z.int().nonnegative().describe('Epoch milliseconds, by the clock of the bridge.')

/** The vendor's word for one of its brands. */
export const tenantName = z.string().regex(/^[\w.-]{1,100}$/, 'The tenant is not one.')
const tenant = tenantName.optional()
const hours = z.int().min(1).max(8760).optional()

/** An error of this API, as OAuth writes them (RFC 6749 section 5.2). */
export const adminRefused = z.object({ error: z.string(), error_description: z.string().exactOptional() })
export type AdminRefused = Message<typeof adminRefused>

/** Asks `POST /users`: an account for somebody whose password the operator chooses. */
export const newPerson = z.object({ login: z.string(), password: z.string(), name: z.string(), tenant })
/** Answers it with the id of the account. */
export const madePerson = z.object({ accountId: z.string() })

/** The query of `GET /users`: those after this account, a hundred by default. */
export const peoplePage = z.object({
  after: z.string().min(1).max(512).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
})
/** Answers it, in the order of the accounts' ids; fewer than the limit are the last ones. */
export const people = z.object({
  people: z.array(
    z.object({
      accountId: z.string(),
      login: z.string(),
      name: z.string(),
      tenant: z.string().exactOptional(),
      createdAt: instant,
    }),
  ),
})
export type People = Message<typeof people>

/** The query of `GET /users/:login/export`. */
export const personPlace = z.object({ tenant })
/** The query of `DELETE /users/:login`: `last` says that the last user is meant, too. */
export const personRemoval = personPlace.extend({ last: z.enum(['true', 'false']).optional() })
/** Answers `GET /users/:login/export`: everything that is kept of the account, without secrets. */
export const exported = z.looseObject({
  account: z.looseObject({ accountId: z.string(), login: z.string(), name: z.string() }),
  cameras: z.array(z.looseObject({ id: z.string(), name: z.string() })).exactOptional(),
  links: z.array(z.looseObject({ name: z.string() })),
})

/** The query of `GET /links` and `GET /history`. */
export const person = z.object({ login: z.string(), tenant })
/** The query of `GET /history`; without a login: what was tried with logins that nobody has. */
export const maybePerson = person.partial({ login: true })

/** Asks `POST /invitations`: hours until the link ends, default 72. */
export const personInvitation = z.object({ tenant, hours })
/** Asks `POST /resets`: hours until the link ends, default 24. */
export const passwordReset = person.extend({ hours })
/** Answers both: the address where the person chooses a password. It works once. */
export const welcomeLink = z.object({ link: z.url() })

/** Answers `GET /history`: newest first, a hundred at most. */
export const history = z.object({
  history: z.array(z.object({ kind: z.string(), at: instant, detail: z.string().exactOptional() })),
})
export type History = Message<typeof history>

/** Answers `GET /links`. */
export const accountLinks = z.object({
  links: z.array(z.object({ grantId: z.string(), name: z.string(), madeAt: instant, usedAt: instant.exactOptional() })),
})
export type AccountLinks = Message<typeof accountLinks>

/** Asks `POST /links/end`. */
export const unlinking = person.extend({ assistant })

/** Asks `POST /shares/end`; owner and guest are logins. */
export const sharePlace = z.object({ camera: z.string().min(1).max(256), owner: z.string(), guest: z.string(), tenant })
/** Asks `POST /shares`: shares without the guest's consent. */
export const newShare = sharePlace.extend({
  mayTalk: z.boolean().default(false),
  mayViewRecordings: z.boolean().exactOptional().describe('Left out: as it is, at first not.'),
})

/** Asks `POST /clients`. */
export const newClient = z.object({
  clientId: z.string().optional().describe('Made up when not given.'),
  assistant: z.enum([...assistant.options, 'other']),
  redirectUris: z.array(z.string()),
  tenant,
  name: z.string().optional().describe('What people who link read.'),
  isPublic: z.boolean().optional().describe('True for an app that cannot keep a secret.'),
})
/** Answers it. The secret is shown only once; a public client has none. */
export const madeClient = z.object({ clientId: z.string(), clientSecret: z.string().exactOptional() })
export type MadeClient = Message<typeof madeClient>

/** Answers `GET /clients`. */
export const clients = z.object({
  clients: z.array(
    z.object({
      clientId: z.string(),
      assistant: z.enum([...newClient.shape.assistant.options, 'console']),
      redirectUris: z.array(z.string()),
      tenant: z.string().exactOptional(),
      name: z.string().exactOptional(),
    }),
  ),
})
export type Clients = Message<typeof clients>

/** Asks `POST /clients/:id/rotate`: the old secret is accepted for so many milliseconds more, by default a day. */
export const rotation = z
  .object({
    overlapMs: z
      .int()
      .min(0)
      .max(365 * 24 * hourMs)
      .optional(),
  })
  .default({})
/** Answers it. The secret is shown only once. */
export const newSecret = z.object({ clientSecret: z.string() })
export type NewSecret = Message<typeof newSecret>

/** A signing key; answers `POST /keys/rotate`. */
export const signingKey = z.object({
  kid: z.string(),
  signsFrom: instant,
  until: instant.exactOptional().describe('When the last token that it can have signed ends.'),
})
export type SigningKeyState = Message<typeof signingKey>
/** Answers `GET /keys`. */
export const signingKeys = z.object({ keys: z.array(signingKey) })
export type SigningKeys = Message<typeof signingKeys>
