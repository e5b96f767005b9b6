/** The bridge's own API, for its page and for vendors' apps: what `/api` accepts and answers, and what its stream tells. */
import * as z from 'zod'
import { errorCodeNames, sourceFaults } from '../errors.ts'
import { cameraAccess, cameraChange, newCamera, registration } from './registration.ts'
import { newSource, sourceChange } from './source.ts'
import { recordedSpan } from './playback.ts'

/** A message once it is read, or about to be written: nobody changes it. */
export type Message<Schema extends z.ZodType> = Frozen<z.infer<Schema>>
type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T

const instant = z.int().nonnegative().describe('Epoch milliseconds, by the clock of the bridge.')
const count = z.int().nonnegative()
const login = z.string().describe('What a person signs in with.')
const cameraId = z.string().describe('The id of a camera.')

/** An assistant whose displays show cameras. */
export const assistant = z.enum(['alexa', 'google'])
export type AssistantName = z.infer<typeof assistant>

// ── Errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What is no fault of the bridge or of a camera: codes beside those of `errors.ts`. */
export const refusalCodes = ['forbidden', 'not_found', 'not_supported', 'session_not_found'] as const

/** Every answer that is not a success. */
export const refused = z.object({
  error: z.enum([...errorCodeNames, ...refusalCodes]),
  message: z.string().describe('What happened, in English, for a developer or an owner.'),
  advice: z.string().exactOptional().describe('What can be done about it.'),
})
export type Refused = Message<typeof refused>

// ── Who asks, and cameras ────────────────────────────────────────────────────────────────────────────────────────────

/** Answers `GET /api/me`. */
export const me = z.object({
  name: z.string().describe('Empty where the accounts are those of another server.'),
  login,
  canRegister: z.boolean().describe('This token may add and remove cameras.'),
  canNameSource: z
    .literal(true)
    .exactOptional()
    .describe('This token may say at which addresses cameras are read: see /api/sources.'),
  canRecord: z
    .literal(true)
    .exactOptional()
    .describe('This token may have cameras recorded, where a gateway reads them.'),
  canNotify: z.literal(true).exactOptional().describe('This token may have devices notified: see /api/devices.'),
  canSimulate: z.boolean().describe('This token may be an Echo Show or a Nest Hub: see /simulator.'),
})
export type Me = Message<typeof me>

/** A camera as its owner or a guest sees it now. */
export const cameraRow = z.object({
  id: cameraId,
  name: z.string(),
  room: z.string().exactOptional(),
  kind: z.enum(['doorbell', 'camera']),
  manufacturer: z.string(),
  model: z.string(),
  isOwner: z.boolean().describe('False where another person has shared it with this one.'),
  mayTalk: z.boolean().describe('It has a loudspeaker, and whoever asks may use it.'),
  hasVideo: z.boolean().describe('False for an intercom without a picture.'),
  isOnline: z.boolean().nullable().describe('null where nobody knows: on AWS, unless its presence is reported.'),
  sinceAt: instant.exactOptional().describe('Since when isOnline is so, in epoch milliseconds.'),
  fault: z
    .object({ code: z.enum(sourceFaults), message: z.string(), advice: z.string() })
    .exactOptional()
    .describe('Why it is offline, where its gateway has reported it.'),
  eventsFault: z
    .object({ code: z.enum(sourceFaults), message: z.string(), advice: z.string() })
    .exactOptional()
    .describe('Why its presses and motion do not arrive by ONVIF, where its gateway has reported it.'),
  failedServers: z
    .array(z.object({ url: z.string(), message: z.string() }))
    .exactOptional()
    .describe('STUN and TURN servers that give it no candidate, where its gateway has reported them.'),
  reencoding: z
    .object({ of: z.string(), percent: z.number().exactOptional() })
    .exactOptional()
    .describe(
      'What displays cannot play of its video (`H.265`, `B-frames`, …), which its gateway converts, and the cost in percent of one core.',
    ),
  viewers: count.describe('How many displays show it now, of any kind and account.'),
  records: z.enum(['events', 'always']).exactOptional().describe('What of it is recorded; absent: nothing.'),
  isRecordingPaused: z.boolean().exactOptional().describe('Where it records: that is paused.'),
  isRecording: z.boolean().describe('It is being recorded now.'),
  mayViewRecordings: z.boolean().describe('Whoever asks may see what happened there, and what was recorded.'),
  lastPressAt: instant.exactOptional(),
  snapshotAt: instant.exactOptional().describe('When the still picture at /cameras/{id}/snapshot was taken.'),
})
export type CameraRow = Message<typeof cameraRow>

/** Answers `GET /api/cameras`. */
export const cameras = z.object({ cameras: z.array(cameraRow) })
export type Cameras = Message<typeof cameras>

/** Asks `POST /api/cameras`; the bridge chooses the id, since one that is taken would tell of somebody else's camera. */
export const wantedCamera = newCamera.omit({ id: true }).extend({
  source: newSource
    .exactOptional()
    .describe('An `rtsp://` address at which a gateway reads it; without one it connects by itself.'),
})
export type WantedCamera = Readonly<z.input<typeof wantedCamera>>

/** Answers it: what its firmware needs, or of a network camera its key for events. Secrets are shown only once. */
export const addedCamera = z.union([registration, cameraAccess])
export type AddedCamera = Message<typeof addedCamera>

/** Asks `PATCH /api/cameras/:id`: what is left out stays. */
export const editedCamera = cameraChange.pick({ name: true, room: true, record: true }).extend({
  source: sourceChange.exactOptional().describe('Of a network camera.'),
})
export type EditedCamera = Message<typeof editedCamera>

// ── What happened ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Asks `GET /api/cameras/:id/events` and `…/recordings`: from when to when; the last day, if not given. */
export const wantedSpan = z.object({
  from: z.coerce.number().int().nonnegative().max(1e15).exactOptional().describe('Epoch milliseconds.'),
  to: z.coerce.number().int().nonnegative().max(1e15).exactOptional().describe('Epoch milliseconds, not included.'),
})

/** Something that happened at a camera. */
export const moment = z.object({
  kind: z.enum(['press', 'person', 'motion']),
  at: instant,
  answer: z
    .enum(['answered', 'seen', 'nobody'])
    .exactOptional()
    .describe(
      'Of a press, for the owner of the camera: whether anybody spoke or looked within two minutes. Not in the stream.',
    ),
})
export type Moment = Message<typeof moment>

/** Answers `GET /api/cameras/:id/events`, in the order of time. */
export const moments = z.object({ events: z.array(moment) })
export type Moments = Message<typeof moments>

/** Something that was recorded. */
export const recording = z.object({
  id: instant.describe('When its first picture was taken; its name among the recordings of its camera.'),
  from: instant,
  to: instant,
  isOpen: z.boolean().describe('It is still being recorded.'),
  bytes: count,
  events: z.array(moment).describe('What happened meanwhile.'),
})
export type RecordingRow = Message<typeof recording>

/** Answers `GET /api/cameras/:id/recordings`, in the order of time, at most 100. */
export const recordings = z.object({
  recordings: z.array(recording),
  next: instant.exactOptional().describe('There are more: ask again from here on.'),
})
export type RecordingList = Message<typeof recordings>

/** Asks `GET /api/activity`: of all cameras, or of one; the newest 100 of the last 30 days, if not given. */
export const wantedActivity = wantedSpan.extend({
  camera: cameraId.max(256).exactOptional(),
  kind: z
    .enum([...moment.shape.kind.options, 'recorded'])
    .exactOptional()
    .describe('Only what has such an event; recorded: all that was recorded, also without an event.'),
})

/** What happened together at a camera, and what was recorded of it. */
export const activityEntry = z.object({
  cameraId,
  at: instant.describe('When it began.'),
  events: z.array(moment),
  recording: recording.omit({ events: true }).exactOptional(),
})
export type ActivityEntry = Message<typeof activityEntry>

/** Answers `GET /api/activity`, newest first. */
export const activity = z.object({
  entries: z.array(activityEntry),
  next: instant.exactOptional().describe('There are more: ask again with this as to.'),
})
export type Activity = Message<typeof activity>

/** Asks `POST /api/cameras/:id/recordings/:recording/address`. */
export const wantedAddress = z.object({
  days: z.int().min(1).max(30).exactOptional().describe('Of an owner: an address to hand on, which works for so long.'),
})

/** Answers it: an address of the MP4 file that needs no token. */
export const clipAddress = z.object({
  url: z.string().describe('A path on the bridge. With ?download it comes as an attachment.'),
  until: instant.describe('When it ends; sooner, when the recording is deleted.'),
})
export type ClipAddress = Message<typeof clipAddress>

/** Answers `POST /api/cameras/:id/ring`. */
export const pressed = z.object({ eventId: z.string(), at: instant })
export type Pressed = Message<typeof pressed>

// ── Sharing ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const shownRights = {
  mayTalk: z.boolean(),
  mayViewRecordings: z
    .literal(true)
    .exactOptional()
    .describe('May see what happened there and what was recorded, too.'),
}

/** Somebody with whom a camera is shared, or to be shared. */
export const guest = z.object({
  login,
  name: z.string().exactOptional().describe('Known once the person has accepted.'),
  ...shownRights,
  isInvited: z.literal(true).exactOptional().describe('Has not accepted yet.'),
})
export type Guest = Message<typeof guest>

/** Answers `GET /api/cameras/:id/guests`. */
export const guests = z.object({ guests: z.array(guest) })
export type Guests = Message<typeof guests>

/** Asks `PUT /api/cameras/:id/guests/:login`. */
export const guestRights = z.object({
  mayTalk: z.boolean(),
  mayViewRecordings: z.boolean().exactOptional().describe('Left out: as it is, at first not.'),
})
export type GuestRights = Message<typeof guestRights>

/** The login in these paths. */
export const guestLogin = z.string().trim().min(1).max(254)

/** What somebody wants to share with whoever asks. */
export const invitation = z.object({
  id: z.string(),
  camera: z.string().describe("The camera's name."),
  owner: z.object({ login, name: z.string() }),
  ...shownRights,
})
export type Invitation = Message<typeof invitation>

/** Answers `GET /api/invitations`. */
export const invitations = z.object({ invitations: z.array(invitation) })
export type Invitations = Message<typeof invitations>

// ── Sessions and notices ─────────────────────────────────────────────────────────────────────────────────────────────

/** One instant of a session's timeline. */
export const step = z.object({ step: z.string(), at: instant, detail: z.string().exactOptional() })
export type Step = Message<typeof step>

/** A session as lists show it. */
export const sessionRow = z.object({
  id: z.string(),
  assistant: z.enum([...assistant.options, 'console']).describe('console: the page, or a vendor’s app.'),
  cameraId,
  guest: login.exactOptional().describe("The login of a guest who looks at the reader's camera."),
  reference: z.string().describe('How the display calls the session.'),
  phase: z.enum(['offered', 'gathering', 'answered', 'connected', 'closed']),
  startedAt: instant,
  answerMs: count.exactOptional().describe('Milliseconds from the offer to its answer; absent without an answer.'),
  endsBy: instant.exactOptional().describe('When it ends if nobody ends it; absent when it has ended.'),
  endedAt: instant.exactOptional(),
  cause: z
    .object({ code: z.enum(errorCodeNames), message: z.string(), advice: z.string() })
    .exactOptional()
    .describe('Why it failed, or why the display may see or hear nothing.'),
  hint: z
    .object({ code: z.literal('unconfirmed'), message: z.string(), advice: z.string() })
    .exactOptional()
    .describe('It has ended, and neither display nor camera reported whether the picture appeared.'),
  heard: z
    .object({
      packets: count,
      level: z.number().exactOptional(),
      delayMs: z
        .number()
        .exactOptional()
        .describe(
          'Milliseconds from packet in to packet out at the gateway of the camera, without the time in which the camera opened its loudspeaker: 95 % of the packets stay below.',
        ),
      isWaiting: z
        .literal(true)
        .exactOptional()
        .describe('Somebody else is talking through the camera, which therefore does not play this display.'),
    })
    .exactOptional()
    .describe('Talk-back that the camera received: packets, and their RMS level (0 to 1) if it measures it.'),
  mayTalk: z.boolean().describe('Sound from the display may go to the camera.'),
  recording: recordedSpan.exactOptional().describe('It shows what was recorded, not what happens now.'),
})
export type SessionRow = Message<typeof sessionRow>

/** Answers `GET /api/sessions/:id`. */
export const session = sessionRow.extend({ timeline: z.array(step) })
export type Session = Message<typeof session>

/** Answers `GET /api/sessions`: newest first, without the timelines, which are most of it. */
export const sessions = z.object({
  sessions: z.array(sessionRow),
  next: z
    .string()
    .exactOptional()
    .describe('There may be more: ask again with this as `after`. A page may be short, or empty, and have it.'),
})
export type Sessions = Message<typeof sessions>

/** The query of `GET /api/sessions`. */
export const wantedSessions = z.object({
  limit: z.coerce.number().int().min(1).max(2000).default(100).describe('At most so many.'),
  assistant: sessionRow.shape.assistant.exactOptional(),
  camera: cameraId.max(256).exactOptional(),
  outcome: z
    .enum(['running', 'fine', 'unconfirmed', 'failed'])
    .exactOptional()
    .describe('failed: it has a cause; unconfirmed: it has a hint; fine: it has ended, and has neither.'),
  from: wantedSpan.shape.from.describe('Begun then or later, in epoch milliseconds.'),
  to: wantedSpan.shape.to.describe('Begun before then, in epoch milliseconds.'),
  after: z.string().min(1).max(100).exactOptional().describe('What the page before gave as `next`; goes before `to`.'),
})

/** How the views of an assistant's displays went that began on one day. */
export const dayFigures = z.object({
  day: z.iso.date().describe('A day of UTC.'),
  assistant: sessionRow.shape.assistant,
  fine: count.describe('Ended, without a cause.'),
  unconfirmed: count.describe('Ended, and nobody reported whether the picture appeared.'),
  failed: count,
})
export type DayFigures = Message<typeof dayFigures>

/** How long an assistant's displays waited for their first picture. */
export const pictureFigures = z.object({
  assistant: sessionRow.shape.assistant,
  views: count.describe('So many of which display or camera reported that media flows.'),
  p50Ms: count.describe('Milliseconds from the offer to that report: half of the views waited no longer. Within 3 %.'),
  p95Ms: count.describe('95 % of the views waited no longer.'),
})
export type PictureFigures = Message<typeof pictureFigures>

/** Answers `GET /api/figures`: of the last 30 days, in the order of time; views that go on are not counted yet. */
export const figures = z.object({ days: z.array(dayFigures), pictures: z.array(pictureFigures) })
export type Figures = Message<typeof figures>

/** The query of `GET /operator/sessions`; whose: a login or an account id. */
export const operatorSessions = z.object({
  owner: z.string().exactOptional(),
  account: z.string().exactOptional(),
  limit: z.coerce.number().int().min(1).max(2000).default(20),
})

/** What an owner should know and can do something about. */
export const notice = z.object({
  kind: z.enum([
    'alexa_unlinked',
    'google_unlinked',
    'alexa_same_names',
    'alexa_left_out',
    'button_stuck',
    'certificate_ending',
  ]),
  message: z.string().describe('What is wrong, and what to do about it.'),
  about: z
    .string()
    .exactOptional()
    .describe('The names of the cameras that it is about; of a certificate, what to change, in English.'),
  until: instant.exactOptional().describe('Until when the certificate is valid, in epoch milliseconds.'),
  at: instant,
})
export type Notice = Message<typeof notice>

/** Answers `GET /api/notices`. */
export const notices = z.object({ notices: z.array(notice) })
export type Notices = Message<typeof notices>

// ── Views ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** RTCIceServer of the W3C WebRTC API, always with a list of URLs. */
export const iceServer = z.object({
  urls: z.array(z.string()),
  username: z.string().exactOptional(),
  credential: z.string().exactOptional(),
})

/** Asks `POST /api/cameras/:id/views`; without a body a live view is meant. */
export const wantedView = z.object({
  recording: recordedSpan
    .exactOptional()
    .describe('To see what was recorded: from when, and until when or as far as there is something.'),
})
export type WantedView = Message<typeof wantedView>

/** Answers it: leave to view the camera. */
export const view = z.object({
  reference: z.string().describe('Names the view in the requests that follow.'),
  iceServers: z.array(iceServer),
  answerWithinMs: z.int().describe('How long the answer to an offer takes at most, in milliseconds.'),
})
export type View = Message<typeof view>

/** The reference in the paths below `/api/views`. */
export const viewReference = z.string().regex(/^[\w-]{22}$/, 'is what POST /api/cameras/:id/views gave')

const sdp = z.string().min(1).max(65_536)

/** Asks `POST /api/views/:reference/offer`. */
export const viewOffer = z.object({
  cameraId: cameraId.min(1).max(256),
  sdp: sdp.describe('A complete SDP offer: nothing trickles.'),
  ...wantedView.shape,
})
export type ViewOffer = Message<typeof viewOffer>

/** Answers it with the SDP answer of the camera. */
export const viewAnswer = z.object({ sessionId: z.string(), sdp: z.string().describe('The complete SDP answer.') })
export type ViewAnswer = Message<typeof viewAnswer>

/** Asks `POST /api/views/:reference/end`. */
export const viewEnd = z.object({ reason: z.string().min(1).max(200).default('ended by the display') })

// ── The stream ───────────────────────────────────────────────────────────────────────────────────────────────────────

const event = <Name extends string, Data extends z.ZodType>(name: Name, data: Data) =>
  z.object({ event: z.literal(name), data })

/** An assistant has told its displays of a press. */
export const announcement = z.object({
  assistant,
  cameraId,
  at: instant,
  pressedAt: instant.describe('Alexa is told whole seconds of it.'),
  eventId: z.string().exactOptional().describe("Google's name of the event."),
})
export type Announcement = Message<typeof announcement>

/** The bridge has sent what the real assistant would refuse. */
export const complaint = z.object({ assistant, message: z.string() })
export type Complaint = Message<typeof complaint>

/** What the assistants' displays are told, where the bridge plays the assistants: for the page alone. */
export const displayEvent = z.discriminatedUnion('event', [
  event('announced', announcement),
  event('complaint', complaint),
])
export type DisplayEvent = Message<typeof displayEvent>

/** The server-sent events of `GET /api/stream`: the name of each, and its data, which is JSON. */
export const streamEvent = z.discriminatedUnion('event', [
  event('hello', z.object({ at: instant })).describe('First: read the lists now.'),
  event('session', session).describe('At each change of a session, also while it negotiates.'),
  event('camera', cameraRow).describe('A field of it has changed.'),
  event('camera-removed', z.object({ id: cameraId })).describe('It is gone, or no longer shared.'),
  event('press', z.object({ cameraId, eventId: z.string(), at: instant })),
  event('moment', moment.extend({ cameraId })).describe(
    'Something happened, a press included: for those who may view recordings.',
  ),
  event(
    'recording',
    z.object({ cameraId, id: recording.shape.id, change: z.enum(['begun', 'ended', 'removed']) }),
  ).describe('A recording has begun, has ended or was deleted: for those who may view recordings.'),
  ...displayEvent.options,
])
export type StreamEvent = Message<typeof streamEvent>
