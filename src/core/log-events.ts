/**
 * Everything that the log says: the names of its events, and the fields that each may have. A name is the room or the package,
 * a point, and what happened; a field means the same in every event. `docs/log.md` is made from this by `npm run logs`.
 */

/** What may stand in a field, and what it means. `error` is `unknown`: whatever was thrown, or words. */
export interface LogFields {
  readonly accessKeyId: string | undefined
  readonly accountId: string
  readonly accounts: number
  readonly action: unknown
  /** Of a client, as far as it may be kept. */
  readonly address: string | undefined
  readonly ageMs: number
  readonly asked: readonly string[]
  readonly assistant: string
  readonly attempts: number
  readonly audioPackets: number
  readonly by: string
  readonly bytes: number
  readonly call: string
  readonly cameraId: string | undefined
  readonly cameras: number | readonly string[]
  readonly cause: unknown
  readonly channelName: string | undefined
  readonly clientId: unknown
  readonly closeMs: number
  readonly code: string | number | undefined
  readonly command: string
  readonly correlationId: string | undefined
  readonly delayMs: number
  readonly destination: string
  readonly directive: string
  readonly door: string
  readonly error: unknown
  readonly errorCode: string
  readonly errorType: string | undefined
  readonly eventId: string
  readonly failed: number
  readonly faults: string
  readonly exitCode: unknown
  readonly gateway: string
  readonly grantId: unknown
  readonly hasSpeaker: boolean
  readonly heardPackets: number
  readonly hint: string
  readonly id: string
  readonly intent: string
  readonly isComplete: boolean
  readonly isFresh: boolean
  readonly isKnown: boolean
  readonly isNew: boolean
  readonly isRetained: boolean
  /** Refused by the quota of Home Graph, as Google or our own count of it says. */
  readonly isThrottled: boolean
  readonly kind: string
  readonly known: number
  readonly lane: string | undefined
  readonly limit: number
  readonly loginHash: string
  readonly messageId: string
  readonly method: string
  readonly missing: readonly string[]
  readonly ms: number
  readonly offered: string | undefined
  readonly online: boolean
  /** Of a session, in the one line where it is known first: the cause, at its end `ok`, or `unconfirmed`. */
  readonly outcome: string | undefined
  readonly ours: number
  readonly path: unknown
  readonly phase: string
  readonly pid: number | undefined
  readonly profileLevelId: string
  readonly reason: string
  readonly reencoding: unknown
  readonly reference: string
  readonly region: string
  readonly remedy: string
  readonly reported: number
  readonly requestId: string | undefined
  readonly resynced: number
  readonly retryable: boolean
  readonly retryMs: number
  readonly role: string
  readonly route: unknown
  readonly server: string
  readonly sessionId: string
  readonly signal: string | null
  readonly signs: string | undefined
  readonly sound: readonly string[]
  readonly soundFault: string
  readonly source: string | undefined
  readonly stack: string | undefined
  /** Of a recording: when its first picture was taken, epoch milliseconds. */
  readonly startAt: number
  readonly status: number
  readonly text: string
  readonly theirs: number
  readonly topic: string
  readonly type: string | undefined
  readonly unlinked: number
  readonly unread: number
  readonly until: string
  readonly url: string
  readonly videoPackets: number
  readonly viewerId: string
  readonly waitMs: number
  readonly what: string
}

interface Described {
  readonly says: string
  readonly fields: readonly (keyof LogFields)[]
}

/** Every event, with what it says to whoever operates the bridge. */
export const logEvents = {
  'accounts.assistants-untold': {
    says: 'An account was removed before the assistants had accepted everything that they were to be told',
    fields: ['error'],
  },
  'admission.wrong-key': { says: 'A camera or operator came with a wrong key', fields: ['door', 'cameraId'] },
  'alexa.answered': {
    says: 'A directive was answered',
    fields: ['directive', 'messageId', 'cameraId', 'sessionId', 'ms'],
  },
  'alexa.cameras-left-out': { says: 'Alexa accepts no more cameras for this account', fields: ['cameras', 'limit'] },
  'alexa.failed-late': {
    says: 'A directive failed after its reply was due',
    fields: ['directive', 'messageId', 'cameraId', 'sessionId', 'code', 'error', 'cause', 'stack', 'ms'],
  },
  'alexa.grant-dropped': {
    says: "The permission to send events ended with the account's last link",
    fields: ['accountId'],
  },
  'alexa.grant-forgotten': { says: 'The permission to send events was revoked', fields: ['accountId', 'error'] },
  'alexa.grant-not-configured': {
    says: 'Alexa offers the permission to send events, and no LWA client is set',
    fields: ['missing', 'hint'],
  },
  'alexa.grant-stored': { says: 'An account gave the permission to send events', fields: ['accountId', 'region'] },
  'alexa.grant-unreadable': {
    says: 'The stored permission was sealed with another key',
    fields: ['accountId', 'hint'],
  },
  'alexa.permission-missing': { says: 'The skill lacks the permission to send events', fields: ['hint'] },
  'alexa.refused': {
    says: 'A directive was refused',
    fields: ['directive', 'messageId', 'cameraId', 'sessionId', 'code', 'error', 'cause', 'stack', 'ms'],
  },
  'alexa.region-learned': {
    says: 'An account belongs to another region than was assumed',
    fields: ['accountId', 'region'],
  },
  'alexa.region-not-kept': {
    says: 'The region of an account was found, and could not be stored',
    fields: ['accountId', 'region', 'error'],
  },
  'aws.event-not-accepted': {
    says: 'An event of a queue, a stream or a rule was not accepted',
    fields: ['code', 'error'],
  },
  'aws.printed': {
    says: 'A library, or Node itself, printed something that it has no other way to say',
    fields: ['error'],
  },
  'aws.told-later': {
    says: 'A function ended before every event was sent; the sweep sends the rest',
    fields: ['ms', 'lane'],
  },
  'broker.history-not-pruned': { says: 'Old sessions of an account were not removed', fields: ['error'] },
  'broker.line-stays-open': { says: 'The connection to a camera did not close', fields: ['sessionId', 'error'] },
  'broker.session': {
    says: 'A session is in a new phase, or has a new cause',
    fields: ['sessionId', 'assistant', 'cameraId', 'isNew', 'phase', 'code', 'outcome', 'ms'],
  },
  'broker.session-not-ended': { says: 'A session that should make room did not end', fields: ['sessionId', 'error'] },
  'broker.session-not-recalled': { says: 'The store did not return a session in time', fields: ['sessionId', 'error'] },
  'broker.session-not-saved': { says: 'The store did not keep a session', fields: ['sessionId', 'error'] },
  'broker.signaling-failed': {
    says: 'A camera could not be reached through signaling',
    fields: ['sessionId', 'cameraId', 'error'],
  },
  'broker.view-refused': { says: 'An account has too many views', fields: ['cameraId', 'assistant', 'error'] },
  'cameras.presence-not-told': {
    says: 'A camera came or went, and the assistants were not notified',
    fields: ['channelName', 'error'],
  },
  'cameras.press': { says: 'A doorbell was pressed', fields: ['cameraId', 'eventId', 'isNew', 'isFresh', 'delayMs'] },
  'cameras.press-lost': { says: 'A press of the built-in doorbell could not be kept', fields: ['error'] },
  'cameras.press-not-noted': { says: 'The list of cameras does not show this press', fields: ['cameraId', 'error'] },
  'gateway.bridge-disconnected': {
    says: 'The connection to the bridge is lost; it is opened again',
    fields: ['error'],
  },
  'gateway.bridge-line-ignored': { says: 'The bridge sent a line that this gateway cannot read', fields: [] },
  'gateway.camera-failed': { says: 'A camera could not be started', fields: ['cameraId', 'error'] },
  'gateway.camera-offline': { says: 'A camera left its channel', fields: ['channelName', 'error'] },
  'gateway.camera-online': { says: 'A camera is on its channel', fields: ['channelName'] },
  'gateway.candidate-ignored': {
    says: 'A candidate of a viewer could not be used',
    fields: ['channelName', 'viewerId', 'error'],
  },
  'gateway.certificate-not-kept': {
    says: 'The certificate of a camera could not be kept',
    fields: ['cameraId', 'status', 'error'],
  },
  'gateway.closing-failed': { says: 'A camera did not stop cleanly', fields: ['cameraId', 'error'] },
  'gateway.events-followed': {
    says: 'An ONVIF camera has accepted a subscription to its events',
    fields: ['channelName'],
  },
  'gateway.events-missed': {
    says: 'An ONVIF camera gives no events: its presses and motion are not announced',
    fields: ['channelName', 'code', 'error'],
  },
  'gateway.gateway-key-refused': { says: 'The bridge does not know the key of this gateway', fields: ['error'] },
  'gateway.ice-server-back': { says: 'A STUN or TURN server works again', fields: ['channelName', 'server'] },
  'gateway.ice-server-failed': {
    says: 'A STUN or TURN server gave no candidate',
    fields: ['channelName', 'server', 'error'],
  },
  'gateway.ice-servers-missing': {
    says: 'The list of STUN and TURN servers could not be fetched',
    fields: ['channelName', 'error'],
  },
  'gateway.message-garbled': { says: 'A signaling message could not be read', fields: ['channelName', 'what'] },
  'gateway.message-refused': {
    says: 'The signaling service refused a message',
    fields: ['channelName', 'errorType', 'correlationId'],
  },
  'gateway.onvif-failed': {
    says: 'A still picture or a key frame could not be had from an ONVIF camera',
    fields: ['channelName', 'error'],
  },
  'gateway.event-lost': {
    says: 'A press, a person or a motion could not be reported to the bridge',
    fields: ['channelName', 'kind', 'eventId'],
  },
  'gateway.playback-failed': { says: 'A recording cannot be played any further', fields: ['error'] },
  'gateway.profile-not-offered': {
    says: "The camera's H.264 profile is not one that the display offers",
    fields: ['channelName', 'viewerId', 'source', 'offered'],
  },
  'gateway.recording-failed': {
    says: 'A recording could not be made or kept',
    fields: ['channelName', 'startAt', 'error'],
  },
  'gateway.relay-missing': {
    says: 'No TURN server gave the relay that is to be kept at hand; tried again every 10 s',
    fields: ['channelName', 'error'],
  },
  'gateway.report-failed': { says: 'A report did not reach the bridge', fields: ['channelName', 'kind', 'error'] },
  'gateway.report-refused': { says: 'The bridge refused a report', fields: ['channelName', 'kind', 'status'] },
  'gateway.sound-garbled': {
    says: 'Sound of the camera could not be converted',
    fields: ['channelName', 'viewerId', 'error'],
  },
  'gateway.sound-missing': { says: 'A viewer gets no sound', fields: ['channelName', 'viewerId', 'error'] },
  'gateway.source-faulty': { says: 'A camera cannot be read', fields: ['channelName', 'code', 'error'] },
  'gateway.source-good': {
    says: 'A camera can be read',
    fields: ['channelName', 'profileLevelId', 'hasSpeaker', 'sound', 'soundFault', 'reencoding'],
  },
  'gateway.source-has-b-frames': {
    says: 'A file has B-frames, which displays may not show',
    fields: ['channelName', 'source'],
  },
  'gateway.source-without-sound': {
    says: 'The sound of a camera cannot be used',
    fields: ['channelName', 'source', 'error'],
  },
  'gateway.still-missed': { says: 'No still picture could be taken', fields: ['channelName', 'error'] },
  'gateway.talk-back-failed': {
    says: "Talk-back did not reach the camera's speaker",
    fields: ['channelName', 'error'],
  },
  'gateway.talk-back-garbled': {
    says: 'Talk-back of a viewer could not be decoded',
    fields: ['channelName', 'viewerId', 'error'],
  },
  'gateway.task-not-answered': {
    says: 'The bridge did not receive the result of a probe, a discovery or a tone',
    fields: ['kind', 'status', 'error'],
  },
  'gateway.talk-back-missing': {
    says: 'Talk-back of a viewer is not played',
    fields: ['channelName', 'viewerId', 'error'],
  },
  'gateway.viewer-close-failed': {
    says: 'The connection of a viewer did not close',
    fields: ['channelName', 'viewerId', 'error'],
  },
  'gateway.viewer-connected': { says: 'A viewer is connected', fields: ['channelName', 'viewerId'] },
  'gateway.viewer-gone': {
    says: 'A viewer is gone',
    fields: ['channelName', 'viewerId', 'reason', 'videoPackets', 'audioPackets', 'heardPackets'],
  },
  'gateway.viewer-ignored': { says: 'A viewer was turned away', fields: ['channelName', 'viewerId', 'error'] },
  'gateway.viewer-refused': { says: 'An offer could not be answered', fields: ['channelName', 'viewerId', 'error'] },
  'gateway.viewer-without-sound': {
    says: 'A viewer sees the picture without sound',
    fields: ['channelName', 'viewerId', 'error'],
  },
  'google.ask-again': { says: 'Google could not be asked to send SYNC', fields: ['code', 'error', 'stack'] },
  'google.command-refused': { says: 'A command of EXECUTE is not supported', fields: ['errorCode', 'command'] },
  'google.devices-differ': { says: "Google's list of devices is outdated", fields: ['accountId', 'ours', 'theirs'] },
  'google.disconnect': { says: 'A step of DISCONNECT failed', fields: ['accountId', 'code', 'error', 'stack'] },
  'google.first-report': { says: 'The states of new devices were not reported', fields: ['code', 'error', 'stack'] },
  'google.fulfillment': {
    says: 'An intent was answered, or refused with `code`',
    fields: ['requestId', 'intent', 'ms', 'code', 'error', 'stack'],
  },
  'google.home-graph': {
    says: 'Home Graph was called',
    fields: ['call', 'accountId', 'kind', 'retryable', 'isThrottled', 'error'],
  },
  'google.late-failure': {
    says: 'A request failed after its reply was due',
    fields: ['requestId', 'intent', 'cameraId', 'sessionId', 'action', 'reference', 'ms', 'code', 'error', 'stack'],
  },
  'google.no-common-protocol': {
    says: 'The display asks for no protocol that the camera has',
    fields: ['cameraId', 'asked'],
  },
  'google.no-ice-servers': {
    says: 'A display gets no STUN or TURN servers',
    fields: ['cameraId', 'code', 'error', 'stack'],
  },
  'google.quota-unknown': {
    says: 'The store did not say what is left of the quota of Home Graph: presses go, reports wait',
    fields: ['error'],
  },
  'google.reconcile-failed': {
    says: 'An account could not be compared with Home Graph',
    fields: ['accountId', 'error'],
  },
  'google.reconciled': {
    says: 'One round of comparing with Home Graph',
    fields: ['accounts', 'unlinked', 'resynced', 'reported', 'failed', 'isComplete'],
  },
  'google.reconciled-in-part': { says: 'The round did not end in its time; the next one goes on', fields: ['error'] },
  'google.refusal-not-kept': {
    says: "The cause of a refused view is not in its owner's list",
    fields: ['code', 'error', 'stack'],
  },
  'google.signaling': {
    says: "A display's signaling request",
    fields: [
      'action',
      'cameraId',
      'reference',
      'sessionId',
      'accountId',
      'status',
      'bytes',
      'ms',
      'code',
      'error',
      'stack',
    ],
  },
  'google.states-differ': { says: 'Google believed wrong states', fields: ['accountId', 'cameras'] },
  'google.stream-refused': { says: 'A camera stream was refused', fields: ['cameraId', 'code', 'error', 'stack'] },
  'google.token-not-kept': {
    says: 'A stream token could not be kept',
    fields: ['reference', 'code', 'error', 'stack'],
  },
  'google.unknown-intent': { says: 'Google sent an intent that is not known', fields: ['requestId', 'intent', 'ms'] },
  'health.store-failed': { says: 'The store cannot be written', fields: ['code', 'error'] },
  'https.authority-made': {
    says: "The bridge's own authority was made: phones have to install it",
    fields: ['path', 'until'],
  },
  'https.certificate-failed': {
    says: 'There is no new certificate; what is used so far stays in use, and it is tried again',
    fields: ['error', 'remedy', 'attempts'],
  },
  'https.certificate-used': { says: "The bridge's HTTPS uses this certificate", fields: ['until'] },
  'kvs.channel-not-remembered': {
    says: 'The store did not keep, or did not give back, the addresses of a channel; KVS is asked instead',
    fields: ['channelName', 'error'],
  },
  'kvs.endpoints-stale': {
    says: 'New endpoints could not be fetched; the old ones are used',
    fields: ['channelName', 'error'],
  },
  'kvs.message-ignored': { says: 'A signaling message is of no use to a viewer', fields: ['channelName', 'what'] },
  'kvs.renewal-failed': {
    says: 'Endpoints or ICE servers could not be renewed ahead of time',
    fields: ['channelName', 'error'],
  },
  'kvs.warming-failed': { says: 'A connection could not be opened ahead of time', fields: ['channelName', 'error'] },
  'mqtt.contested': { says: 'Another client uses the same id', fields: ['clientId', 'error'] },
  'mqtt.disconnected': { says: 'The connection to the broker is lost', fields: [] },
  'mqtt.error': { says: 'The broker refused something', fields: ['error'] },
  'mqtt.ignored': { says: 'A message was ignored', fields: ['topic', 'isRetained', 'error'] },
  'mqtt.malformed': { says: 'A message is not an event', fields: ['topic', 'faults'] },
  'mqtt.not-published': { says: 'Home Assistant could not be told something', fields: ['topic', 'error'] },
  'mqtt.not-taken': { says: 'An event could not be kept', fields: ['topic', 'error'] },
  'mqtt.subscribed': { says: 'Events are received', fields: ['topic'] },
  'mqtt.unknown-camera': { says: 'There is no camera of this name', fields: ['topic'] },
  'notices.added': { says: 'An owner has a new notice', fields: ['accountId', 'kind', 'error'] },
  'notices.not-kept': { says: 'A notice could not be kept', fields: ['accountId', 'kind', 'error'] },
  'notices.not-removed': { says: 'A notice could not be removed', fields: ['accountId', 'kind', 'error'] },
  'oauth.assertion-refused': { says: "An assertion of Google's is not valid", fields: ['error'] },
  'oauth.audit-lost': {
    says: "An entry of an account's record could not be kept",
    fields: ['accountId', 'kind', 'error'],
  },
  'oauth.cancelled': { says: 'A person did not want to link', fields: ['clientId'] },
  'oauth.ended-unread': { says: 'The list of ended links could not be read', fields: ['error'] },
  'oauth.keys': { says: 'The signing keys in use', fields: ['signs', 'known'] },
  'oauth.keys-unread': { says: 'The signing keys could not be read', fields: ['error'] },
  'oauth.linked': { says: 'An account was linked', fields: ['clientId', 'accountId'] },
  'oauth.login': { says: 'A person signed in', fields: ['clientId', 'by', 'accountId', 'address'] },
  'oauth.login-failed': { says: 'A wrong password or passkey', fields: ['clientId', 'by', 'address', 'loginHash'] },
  'oauth.login-slowed': { says: 'Too many attempts to sign in', fields: ['clientId', 'address', 'waitMs', 'error'] },
  'oauth.outage': { says: 'A request failed by our mistake', fields: ['path', 'route', 'error'] },
  'oauth.passkey-refused': { says: 'A passkey could not be added or used', fields: ['what', 'error'] },
  'oauth.not-signed-in': {
    says: 'A client asked whether somebody is signed in, without showing anything, and nobody was',
    fields: ['clientId', 'code'],
  },
  'oauth.refused': { says: 'A request was refused', fields: ['path', 'route', 'clientId', 'status', 'code', 'error'] },
  'oauth.streamlined': {
    says: 'Google asks for an account by its own sign-in',
    fields: ['clientId', 'intent', 'isKnown'],
  },
  'oauth.surplus-links-kept': {
    says: 'The oldest links of an account were not removed',
    fields: ['accountId', 'clientId', 'error'],
  },
  'oauth.unlink-untold': { says: 'What follows an unlinking failed', fields: ['accountId', 'clientId', 'error'] },
  'oauth.unlinked': { says: 'A link was removed', fields: ['accountId', 'clientId', 'grantId', 'route'] },
  'oauth.upstream-refused': { says: "The other provider's answer is not valid", fields: ['error'] },
  'oauth.use-unnoted': { says: 'The last use of a link could not be kept', fields: ['error'] },
  'outbox.delivered': {
    says: 'An assistant was notified',
    fields: ['id', 'destination', 'lane', 'cameraId', 'attempts', 'ms'],
  },
  'outbox.dropped': {
    says: 'An assistant was not notified',
    fields: ['id', 'destination', 'lane', 'cameraId', 'attempts', 'error'],
  },
  'outbox.failed-late': { says: 'An attempt failed after its time', fields: ['id', 'error'] },
  'outbox.not-resumed': { says: 'What an earlier process left could not be read', fields: ['error'] },
  'outbox.retry': {
    says: 'An attempt failed and is made again',
    fields: ['id', 'destination', 'lane', 'cameraId', 'attempts', 'retryMs', 'error'],
  },
  'outbox.stale': {
    says: 'An event was too old to be sent',
    fields: ['id', 'destination', 'lane', 'cameraId', 'attempts', 'ageMs'],
  },
  'outbox.store-failed': { says: 'The outbox could not write to the store', fields: ['error'] },
  'push.device-gone': {
    says: 'A device gets no more notifications: its subscription has ended',
    fields: ['accountId', 'destination', 'status'],
  },
  'push.failed': { says: 'A notification could not be sent', fields: ['cameraId', 'destination', 'error'] },
  'push.sent': { says: 'A push service accepted a notification', fields: ['cameraId', 'destination', 'delayMs'] },
  'registry.camera-refused': {
    says: 'A camera of the registry was not entered: its id or its channel is that of another camera',
    fields: ['cameraId', 'error'],
  },
  'registry.failed': {
    says: 'The registry of cameras did not say which ones an account has; without `ageMs` there is no older copy',
    fields: ['accountId', 'error', 'ageMs'],
  },
  'recordings.damaged': {
    says: 'A part of a recording cannot be read; the rest is given out without it',
    fields: ['cameraId', 'startAt', 'failed'],
  },
  'recordings.deleted': {
    says: 'A recording was deleted to keep to the limits of age and size',
    fields: ['cameraId', 'startAt', 'bytes'],
  },
  'recordings.not-deleted': { says: 'An old recording could not be deleted', fields: ['cameraId', 'startAt', 'error'] },
  'recordings.not-ended': { says: 'A recording was not closed cleanly', fields: ['cameraId', 'error'] },
  'recordings.not-repaired': {
    says: 'What a crash left of a recording could not be read',
    fields: ['cameraId', 'startAt', 'error'],
  },
  'recordings.repaired': {
    says: 'A recording that a crash had cut short was closed at its last whole part',
    fields: ['cameraId', 'startAt', 'bytes'],
  },
  'signaling.bad-request': { says: 'A connection did not speak HTTP', fields: ['code'] },
  'signaling.certificate-made': { says: 'A certificate was made', fields: ['path', 'until'] },
  'signaling.certificate-taken': { says: 'A new certificate is in use', fields: ['path'] },
  'signaling.certificate-unusable': {
    says: 'A new certificate cannot be used; the old one stays in use',
    fields: ['error'],
  },
  'signaling.connected': { says: 'A master or viewer connected', fields: ['channelName', 'role', 'clientId'] },
  'signaling.credential-unreadable': {
    says: 'A stored access key was sealed with another key',
    fields: ['accessKeyId', 'error'],
  },
  'signaling.disconnected': {
    says: 'A master or viewer disconnected',
    fields: ['channelName', 'role', 'clientId', 'code', 'ms'],
  },
  'signaling.key-refused': { says: 'An access key is not valid', fields: ['accessKeyId', 'code'] },
  'signaling.message-failed': { says: 'A message failed by our mistake', fields: ['error'] },
  'signaling.presence': { says: 'A camera master came or went', fields: ['channelName', 'online'] },
  'signaling.presence-listener-failed': {
    says: "What follows a camera's coming or going failed",
    fields: ['channelName', 'error'],
  },
  'signaling.refused': { says: 'A connection was refused', fields: ['requestId', 'code', 'error', 'cause'] },
  'signaling.request': {
    says: 'A request was answered, or refused with `code`',
    fields: ['requestId', 'action', 'channelName', 'accessKeyId', 'status', 'ms', 'code', 'error', 'cause'],
  },
  'signaling.signature-not-noted': { says: 'A used signature could not be kept', fields: ['accessKeyId', 'error'] },
  'signaling.socket-failed': { says: 'A connection broke', fields: ['channelName', 'role', 'clientId', 'error'] },
  'signaling.stun-socket-failed': { says: 'The STUN responder failed', fields: ['error'] },
  'signaling.turns-certificate-not-trusted': {
    says: "Displays would not trust a TURN server's certificate",
    fields: ['url', 'code', 'remedy'],
  },
  'simulator.goodbye-failed': { says: 'The end of a view did not reach the bridge', fields: ['error'] },
  'simulator.link-failed': { says: 'The simulated assistant could not link', fields: ['assistant', 'code', 'error'] },
  'simulator.link-stays': { says: 'The simulated assistant could not unlink', fields: ['assistant', 'error'] },
  'simulator.view-failed': { says: 'A simulated view failed', fields: ['code', 'error'] },
  'skill.disabled': { says: 'A customer disabled the skill', fields: ['accountId'] },
  'skill.disabled-unknown': { says: 'The skill was disabled by a customer who is not known', fields: [] },
  'skill.event': { says: 'Alexa sent an event that is not used', fields: ['type'] },
  'skill.exception': { says: 'Alexa could not use our answer', fields: ['type', 'error', 'requestId'] },
  'skill.failed': { says: 'A question could not be answered', fields: ['code', 'error', 'stack'] },
  'skill.failed-late': { says: 'A question failed after its answer was due', fields: ['error'] },
  'skill.linked': { says: 'A customer linked an account', fields: ['accountId'] },
  'skill.linked-unknown': { says: 'A customer linked with a token that is not valid', fields: [] },
  'skill.recording-not-shown': {
    says: 'Who was at the door was answered without the recording, which could not be found',
    fields: ['cameraId', 'error'],
  },
  'skill.time-zone-unknown': { says: 'The Echo did not tell its time zone', fields: ['error'] },
  'transom.closing-failed': { says: 'Something did not stop cleanly', fields: ['error'] },
  'transom.gateway-connected': { says: 'A gateway is connected', fields: ['gateway'] },
  'transom.gateway-disconnected': { says: 'A gateway is gone', fields: ['gateway'] },
  'transom.gateway-ended': {
    says: 'The gateway process ended, and is started again',
    fields: ['exitCode', 'signal', 'error', 'retryMs'],
  },
  'transom.gateway-failed': { says: 'A gateway could not be served', fields: ['gateway', 'error'] },
  'transom.gateway-said': { says: 'The gateway process, or a library of it, wrote something', fields: ['text'] },
  'transom.gateway-started': { says: 'The gateway process was started', fields: ['pid'] },
  'transom.network-camera-failed': { says: 'A network camera could not be started', fields: ['cameraId', 'error'] },
  'transom.page-not-built': { says: 'The page could not be built', fields: ['error'] },
  'transom.stopping': { says: 'The process was asked to stop', fields: ['signal'] },
  'transom.stopping-late': { says: 'Stopping took too long', fields: ['closeMs'] },
  'web.failed': {
    says: 'A request failed by our mistake, or because something it needs is down',
    fields: ['method', 'path', 'code', 'error'],
  },
  'web.figures-lost': { says: 'A view is missing from the figures on the page', fields: ['error'] },
  'web.news-lost': { says: 'A change was not shown on open pages', fields: ['error'] },
  'web.no-ice-servers': { says: 'A browser gets no STUN or TURN servers', fields: ['cameraId', 'code', 'error'] },
  'web.reader-dropped': { says: 'A page that reads too slowly was disconnected', fields: ['unread'] },
  'web.token-unchecked': { says: 'The token of an open page could not be checked', fields: ['code'] },
  'webhooks.failed': {
    says: 'A webhook was called, and what it says could not be kept',
    fields: ['cameraId', 'code', 'error'],
  },
  'webhooks.motion-not-ended': {
    says: 'The end of a motion that a webhook began could not be kept',
    fields: ['cameraId', 'error'],
  },
  'webhooks.motions-not-read': {
    says: 'Which motions webhooks began before the start could not be read; those that had not ended stay on',
    fields: ['error'],
  },
} as const satisfies Readonly<Record<string, Described>>

/** The name of something that may stand in the log. */
export type LogEvent = keyof typeof logEvents

/** The fields of one event; none of them is required, and no other may stand there. */
export type LogFieldsOf<Name extends LogEvent> = Readonly<
  Partial<Pick<LogFields, (typeof logEvents)[Name]['fields'][number]>>
>

/** Whether a name that was read somewhere is one of ours. */
export const isLogEvent = (name: unknown): name is LogEvent =>
  typeof name === 'string' && Object.hasOwn(logEvents, name)
