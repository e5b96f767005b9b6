/** What the page says in English. Its shape is that of every other language. */
import type { ComponentChildren } from 'preact'
import type { SourceFault } from 'transom-core/errors'
import type { AssistantName, CameraRow, Moment, Notice, SessionRow } from 'transom-core/wire/api'
import type { PlayerStep } from 'transom-player'
import type { ActivityKind } from '../activity.ts'
import { countedIn, rich } from './catalogue.ts'
import type { Problems } from './problems.ts'

const counted = countedIn('en')

/** For a JSX value that the sentence places. */
type Part = ComponentChildren

type Heads = Record<ActivityKind, string>

/** In English the bridge says it itself. */
const asItCame: { readonly problems: Problems; readonly eventsAdvice: Readonly<Partial<Record<SourceFault, string>>> } =
  {
    problems: {},
    eventsAdvice: {},
  }

export const en = {
  ...asItCame,
  justNow: 'just now',

  frame: {
    skip: 'Skip to the content',
    screens: 'Screens',
    cameras: 'Cameras',
    activity: 'Activity',
    sessions: 'Sessions',
    accountOf: (name: string) => `Account of ${name}`,
    account: 'Account and linked assistants',
    notifications: 'Notifications …',
    language: 'Language',
    signOut: 'Sign out',
    signedOut: 'You are signed out.',
    signInAgain: 'Sign in again',
    outage: 'The bridge is not answering. This page continues by itself when it does.',
    lost: 'There is nothing here',
    toCameras: 'To the cameras',
    backToCameras: 'Back to the cameras',
    notices: 'Notices',
  },

  common: {
    cancel: 'Cancel',
    close: 'Close',
    save: 'Save',
    done: 'Done',
    moment: 'One moment …',
    name: 'Name',
    room: 'Room',
    optional: '(optional)',
    address: 'Address',
    user: 'User',
    password: 'Password',
    kind: 'Kind',
    kinds: { doorbell: 'Doorbell', camera: 'Camera' } satisfies Record<CameraRow['kind'], string>,
    copy: (what: string) => `Copy ${what}`,
    copied: (what: string) => `${what} is copied`,
    talkBack: 'Talk-back',
    timeline: 'Timeline',
    openSession: 'Open the session',
    showAll: 'Show all',
  },

  signIn: {
    title: 'See who is at the door',
    what: 'Transom brings your cameras to an Echo Show, a Nest Hub, and this page. Sign in with the user you link the assistants with.',
    signIn: 'Sign in',
    onMachine: (command: Part) =>
      rich`On the machine that runs the bridge? ${command} prints a link that signs you in.`,
    otherTab: 'Signing in was started in another tab, or too long ago.',
    failed: 'Signing in did not work.',
  },

  assistants: { alexa: 'Alexa', google: 'Google Home', console: 'this page' } satisfies Record<
    SessionRow['assistant'],
    string
  >,
  thisPage: 'This page',
  onDisplay: { alexa: 'on Alexa', google: 'on Google Home', console: 'on this page' } satisfies Record<
    SessionRow['assistant'],
    string
  >,
  byGuest: (login: string) => `by ${login}`,
  ofRecording: (when: string) => `recording of ${when}`,

  outcomes: { running: 'Running', fine: 'Fine', unconfirmed: 'Unknown', failed: 'Failed' },

  state: {
    online: 'Online',
    offline: 'Offline',
    unknown: 'Not known',
    recording: 'Recording',
    recordingPaused: 'Recording paused',
  },

  cameras: {
    title: 'Cameras',
    add: 'Add a camera',
    none: 'No camera yet',
    addOne: 'Add one: this page looks for cameras on your network. Or ask somebody to share one with you.',
    askForOne: 'Ask somebody to share one with you.',
    liveOf: (name: string) => `${name}, live`,
    live: 'Live',
    viewers: (count: number) => counted(count, { one: 'viewer', other: 'viewers' }),
    rings: 'Rings',
    /** What the guest may do. */
    sharedTo: ({ mayTalk, mayViewRecordings }: Pick<CameraRow, 'mayTalk' | 'mayViewRecordings'>) =>
      `shared with you: watch${mayTalk ? ', talk' : ''}${mayViewRecordings ? ', see recordings' : ''}`,
    findHint: 'name or room',
    online: (online: number, all: number) => `${online} of ${counted(all, { one: 'camera', other: 'cameras' })} online`,
    noRoom: 'Without a room',
    noMatch: 'No matching cameras',
    mutedUntil: (time: string) => `Does not ring on this browser until ${time}.`,
    unmute: 'Ring again',
    neverRang: 'Has not rung yet',
    rang: (ago: string) => `Rang ${ago}`,
    moreFor: (name: string) => `More for ${name}`,
    edit: 'Edit …',
    share: 'Share …',
    webhooks: 'Webhooks …',
    remove: 'Remove …',
    leave: 'Leave …',
  },

  test: {
    title: 'Test',
    of: (name: string) => `Test ${name}`,
    ring: 'Ring',
    ringOf: (name: string) => `Ring ${name}`,
    ringing: (name: string) => `${name} rings.`,
    showOn: (name: string, assistant: AssistantName) =>
      assistant === 'alexa' ? `Show ${name} on an Echo Show` : `Show ${name} on a Nest Hub`,
  },

  visitor: {
    at: (name: string) => `Somebody is at ${name}`,
    atDoor: 'Somebody is at the door.',
    answer: 'Answer',
    mute: 'Mute for …',
    muteOf: (name: string) => `Mute for … (${name}, on this browser)`,
    mutes: { quarter: '15 minutes', hour: 'an hour', night: 'eight hours' },
    dismiss: 'Dismiss',
  },

  notices: {
    alexa_unlinked: 'Alexa accepts no more events for this account: enable the skill (add-on) again in the Alexa app.',
    google_unlinked: 'Google accepts no more reports for this account: link it again in the Google Home app.',
    alexa_same_names: (names: string) =>
      `Alexa cannot distinguish cameras with the same name: give each its own name (${names}).`,
    button_stuck: (name: string) =>
      `The button of ${name} rings without a pause. It is ignored until it has been quiet for a minute: check whether it is stuck.`,
    alexa_left_out: (names: string) =>
      `Alexa does not get every camera: it accepts 300, with ids of letters, digits and _-=#;:?@&. Missing: ${names}.`,
    certificate_ending: (day: string, remedy: string) =>
      `The HTTPS certificate of this bridge is valid until ${day} and could not be renewed. ${remedy}`,
  } satisfies Record<Notice['kind'], string | ((...about: readonly string[]) => string)>,

  invitations: {
    title: 'Invitations',
    offer: (owner: Part, login: string, camera: Part) => rich`${owner} (${login}) wants to share ${camera} with you.`,
    mayTalk: 'You may view it and talk; the owner sees when you look.',
    mayView: 'You may view it; the owner sees when you look.',
    mayViewRecordings: 'You may also see its recordings.',
    accept: 'Accept',
    acceptOf: (camera: string) => `Accept ${camera}`,
    accepted: (camera: string) => `You can see ${camera} now.`,
    decline: 'Decline',
    declineOf: (camera: string) => `Decline ${camera}`,
    declined: (camera: string) => `The invitation to ${camera} is declined.`,
  },

  lately: {
    title: 'Recent activity',
    none: 'Nothing has happened yet.',
    noneButTry: 'Nothing has happened yet. Try this:',
    tries: [
      'Watch the doorbell live, and talk to it.',
      'Be an Echo Show: link it, and let Alexa show the door.',
      'Ring, and see the display announce it.',
    ],
    what: 'Presses, persons and motion are listed here.',
    keepClips: 'To keep a clip of each, choose Edit … and switch recording on.',
    all: 'All activity',
  },

  activity: {
    title: 'Recent activity',
    heads: { press: 'Rang', person: 'Person', motion: 'Motion', recorded: 'Recorded' } satisfies Heads,
    answers: { answered: 'answered', seen: 'somebody looked', nobody: 'nobody answered' },
    also: { press: 'rang', person: 'person', motion: 'motion' } satisfies Record<Moment['kind'], string>,
    filters: { camera: 'Camera', kind: 'What', day: 'Day' },
    allEvents: 'All events',
    kinds: { press: 'Presses', person: 'Persons', motion: 'Motion', recorded: 'All recordings' } satisfies Heads,
    dayBefore: 'Previous day',
    dayAfter: 'Next day',
    none: 'Nothing has happened yet',
    noMatch: 'No matching activity',
    noneWhy: 'Presses, persons and motion of the last 30 days are listed here, with their recordings.',
    switchOn:
      'Presses, persons and motion of the last 30 days are listed here. To record them, choose Edit … at a camera.',
    more: 'Show earlier',
    playOf: (what: string) => `Play ${what}`,
    inPlayer: 'Open in player',
    inPlayerOf: (what: string) => `Open in player: ${what}`,
    moreOf: (what: string) => `More for ${what}`,
    notPlayed:
      'This recording cannot be played here. It may have been deleted, or the browser does not play its video.',
    download: 'Download',
    shareLink: 'Share a link …',
    removeOne: 'Delete …',
    deleteOf: (name: string) => `Delete recordings of ${name}`,
    removeDay: 'Delete this day …',
    removeAll: 'Delete all recordings …',
    oneOf: (name: string, when: string) => `${name}, ${when}`,
    allOf: (name: string, day: string) => `All recordings of ${name} on ${day}`,
    everythingOf: (name: string) => `All recordings of ${name}`,
  },

  removeRecordings: {
    title: 'Delete for good?',
    what: 'Video, picture and list entry are deleted, and links to them stop working. That somebody rang or was there stays listed for 30 days.',
    remove: 'Delete',
    removed: 'Deleted.',
  },

  shareClip: {
    title: (name: string) => `Share a recording of ${name}`,
    what: 'Anyone who has the link can see this one recording, without signing in. Deleting the recording ends the link.',
    works: 'The link works for',
    days: (days: number) => counted(days, { one: 'day', other: 'days' }),
    make: 'Make a link',
    link: 'Link',
    until: (when: string) => `Works until ${when}.`,
  },

  record: {
    title: 'Record',
    wishes: {
      never: { name: 'Never', what: 'Nothing is kept.' },
      events: {
        name: 'On events',
        what: 'From a few seconds before a press, a person or motion until a few seconds after it.',
      },
      always: { name: 'Always', what: 'Everything, day and night. The oldest recordings are deleted first.' },
    },
    pause: 'Pause recording',
    paused: 'Nothing is recorded until you resume it.',
    resume: 'Resume recording',
    resumed: 'Recording goes on.',
    law: 'Tell visitors that they are filmed: in most countries a sign is required, and public streets may not be filmed.',
  },

  cause: {
    title: 'Cause',
    askOwner: 'Only the owner of the camera can put this right: tell them what you see here.',
    hint: 'Hint',
    events: 'Events that do not arrive',
    eventsMissing: 'Its presses and motion do not arrive',
    servers: 'Servers that fail',
    noAddress: (servers: number) =>
      servers === 1 ? 'No address from a server' : `No address from ${counted(servers, { other: 'servers' })}`,
    serversAdvice:
      'Displays in other networks may get no picture. Check the address, the password and the firewall of the server (TRANSOM_ICE_SERVERS, TRANSOM_TURN_URLS).',
  },

  camera: {
    title: 'Camera',
    none: 'There is no such camera',
    noneWhy: 'It was removed, or is no longer shared with you.',
    timelineOf: (name: string) => `Timeline of the live view of ${name}`,
    model: 'Model',
    reencoded: 'Re-encoded for displays',
    reencodedCost: (of: string, percent: string) => `${of}: costs about ${percent} of a core`,
    rang: 'Rang',
    plays: 'The camera plays what you say',
    packets: (count: number) => counted(count, { one: 'packet', other: 'packets' }),
    loud: (percent: string) => `${percent} loud`,
  },

  display: {
    names: { alexa: 'Echo Show', google: 'Nest Hub' } satisfies Record<AssistantName, string>,
    clouds: { alexa: 'Amazon’s cloud', google: 'Google’s cloud' } satisfies Record<AssistantName, string>,
    title: (name: string, assistant: AssistantName) =>
      assistant === 'alexa' ? `${name} on an Echo Show` : `${name} on a Nest Hub`,
    timelineOf: (name: string, assistant: AssistantName) =>
      assistant === 'alexa' ? `Timeline of ${name} on the Echo Show` : `Timeline of ${name} on the Nest Hub`,
    noSimulator: 'This bridge does not simulate displays: it serves the real ones (TRANSOM_SIMULATOR).',
    linkFailed: (why: string) => `Linking did not work: ${why}`,
    unlinked: {
      alexa:
        'The Echo Show does not know your cameras yet. Link it once, as the Alexa app would: over the bridge’s own sign-in and consent page.',
      google:
        'The Nest Hub does not know your cameras yet. Link it once, as the Google Home app would: over the bridge’s own sign-in and consent page.',
    } satisfies Record<AssistantName, string>,
    link: { alexa: 'Link Alexa', google: 'Link Google Home' } satisfies Record<AssistantName, string>,
    stop: { alexa: '“Alexa, stop”', google: '“Hey Google, stop”' } satisfies Record<AssistantName, string>,
    ask: (name: string, assistant: AssistantName) =>
      assistant === 'alexa' ? `“Alexa, show the ${name}”` : `“Hey Google, show the ${name}”`,
    isReal: {
      alexa:
        'The picture, the sound and every message are real: your browser is the display, and the bridge’s simulator is Amazon’s cloud.',
      google:
        'The picture, the sound and every message are real: your browser is the display, and the bridge’s simulator is Google’s cloud.',
    } satisfies Record<AssistantName, string>,
    talk: 'Talk',
    holdToTalk: 'Talk: hold, or tap to keep talking',
    pictureOf: (name: string) => `Live picture of ${name}`,
    getting: (name: string) => `Getting the picture of ${name}`,
    announced: (name: string, assistant: AssistantName) =>
      assistant === 'alexa' ? `Someone is at the ${name}` : `${name}: somebody rings`,
    afterPress: (ms: string) => `${ms} after the press`,
    show: 'Show',
    sorry: {
      alexa: 'Sorry, the camera isn’t responding.',
      google: 'Sorry, it looks like the camera isn’t available right now.',
    } satisfies Record<AssistantName, string>,
  },

  story: {
    nothing: 'Nothing has happened yet',
    noPicture: 'No picture yet: what has happened so far',
    pictureAfter: (seconds: string) => `Picture after ${seconds}`,
    routes: { direct: 'direct', relay: 'by a relay' },
    tellers: { bridge: 'Bridge', display: 'Browser', cloud: 'Cloud' },
    columns: {
      step: 'Step',
      teller: 'Reported by',
      took: 'Since the step before',
      at: 'Since the start',
    },
    display: {
      'view-asked': 'Live view requested',
      'view-granted': 'Live view granted',
      'offer-made': 'Offer made',
      'candidates-gathered': 'Candidates gathered',
      'offer-posted': 'Offer sent',
      'answer-received': 'Answer received',
      'ice-connected': 'ICE: connected',
      'dtls-connected': 'DTLS: secured',
      'first-frame': 'First frame shown',
      talking: 'Talk-back started',
      'talk-ended': 'Talk-back ended',
      lost: 'Connection lost',
      'hung-up': 'Hung up',
    } satisfies Record<PlayerStep['step'], string>,
    bridge: {
      'asked-for': 'View requested',
      'offer-received': 'Offer received',
      'offer-sent': 'Offer sent to the camera',
      'camera-candidate': 'Candidate from the camera',
      'camera-answered': 'Camera answered',
      'camera-gathered': 'Camera has no more candidates',
      'answer-sent': 'Answer sent',
      'display-connected': 'Display reports: connected',
      'camera-connected': 'Camera reports: connected',
      'talk-back-heard': 'Camera receives the talk-back',
      'no-sound': 'No sound in the answer',
      'no-picture': 'The camera sends no picture',
      'no-relay': 'The camera has no relay address',
      refused: 'Refused',
      ended: 'Ended',
    },
    // The simulator's: src/simulator/call.ts
    cloud: {
      linking: 'Linking',
      'account linked': 'Account linked',
      discovered: 'Cameras discovered',
      state: 'State received',
      stream: 'Stream received',
      'offer sent': 'Offer sent',
      'answer received': 'Answer received',
      'talking back': 'Talk-back started',
      'no talk-back': 'No talk-back',
      'hung up': 'Hung up',
      failed: 'Failed',
    },
  },

  sessions: {
    title: 'Sessions',
    back: 'Back to the sessions',
    moreThan: (shown: string) => `more than ${shown}`,
    filters: { assistant: 'Shown on', camera: 'Camera', outcome: 'Outcome', find: 'Find' },
    all: 'All',
    findHint: 'cause, id …',
    none: 'No session yet',
    noneWhy: 'Each view of a camera, on any display, is listed here.',
    look: 'Look at one.',
    noMatch: 'No matching sessions',
    list: 'Sessions, newest first',
  },

  figures: {
    title: 'The last 30 days',
    succeeded: (share: string) => `${share} succeeded`,
    of: (count: number) => `of ${counted(count, { one: 'view', other: 'views' })}`,
    picture: (half: string, most: string) => `picture after ${half}, 95 % within ${most}`,
    chart: (failed: number) =>
      `Views by day in the last 30 days; ${failed === 0 ? 'none' : String(failed)} of them failed`,
  },

  session: {
    one: 'Session',
    title: (name: string, on: string) => `${name} ${on}`,
    began: 'Began',
    recordingOf: 'Recording of',
    answeredAfter: 'Answered after',
    never: 'never',
    timelineOf: (id: string) => `Timeline of session ${id}`,
    waiting: 'waiting: somebody else is talking',
    received: (packets: number) => `${counted(packets, { one: 'packet', other: 'packets' })} received`,
    delay: (ms: string) => `${ms} after they came`,
    silent: 'none received',
    impossible: 'not possible: the camera has no speaker, or talking is not allowed',
  },

  add: {
    title: 'Add a camera',
    ways: {
      found: { title: 'Found on your network', what: 'ONVIF cameras that answer' },
      address: { title: 'RTSP or ONVIF address', what: 'with its user and password' },
      restream: { title: 'go2rtc or Frigate', what: 'its streams, by its base URL' },
      firmware: { title: 'Firmware with KVS', what: 'a camera that connects by itself' },
    },
    add: 'Add',
    adding: 'Adding …',
    exampleName: 'Back porch',
    exampleRoom: 'Garden',
    keysFor: (id: string) => `For the firmware of ${id}`,
    onlyOnce: 'The keys are shown only once. Copy what you need before you close this.',
    facts: {
      endpoint: 'Signaling endpoint',
      region: 'Region',
      channel: 'Channel',
      accessKey: 'Access key',
      secretKey: 'Secret key',
      eventsUrl: 'Events go to',
      cameraKey: 'Key for events',
      ca: 'Certificate authority, a file on the bridge',
    },
    forSdk: 'For AWS’s C SDK and its samples',
    environment: 'the environment',
    hasCopied: 'I have copied it',

    searching: 'Looking for ONVIF cameras …',
    noneFound:
      'No camera answered. Switch ONVIF on in its settings, or enter its address. Guest networks and VLANs hide cameras.',
    baseUrl: 'Base URL',
    exampleBaseUrl: 'http://nas:1984 or http://frigate:5000',
    exampleAddress: '192.168.1.20 or rtsp://192.168.1.20/live',
    ifItHasOne: '(if it has one)',
    listing: 'Asking for its streams …',
    list: 'List its streams',
    look: 'Look at the camera',
    looking: 'Playing each stream of the camera to measure it. This takes up to a minute …',
    noStreams: 'It has no streams yet. Add the cameras there first.',
    exampleNetworkName: 'Front door',
    networkCamera: 'Network camera',
    added: (name: string) => `${name} is added.`,
    nameTaken:
      'You already have a camera with this name. Assistants cannot distinguish them: choose another name, or save it anyway.',
    saveAnyway: 'Save anyway',
  },

  probe: {
    title: 'What the camera sends',
    picture: 'What the camera shows now',
    noPicture: 'No picture of it could be shown here.',
    events: (events: string) => `Events: ${events}`,
    eventNames: { press: 'press', motion: 'motion', person: 'person' },
    hasStills: 'It makes still pictures by itself.',
    noStream: 'No stream of this camera can be shown.',
    forDisplays: 'For displays',
    rate: (rate: number) => `${rate} pictures a second`,
    keyFrames: (seconds: string) => `key frame each ${seconds}`,
    sound: (codec: string) => `sound ${codec}`,
    noSound: 'no sound',
    talkBack: 'with talk-back',
    noTalkBack: 'without talk-back',
  },

  edit: {
    title: (name: string) => `Edit ${name}`,
    saved: (name: string) => `${name} is saved.`,
    addressHint: (place: string) => `(empty: as before, at ${place})`,
    passwordHint: '(empty: as before; it is never shown)',
    tryIt: 'Try the camera',
    try: 'Try',
    tryAgain: 'Try again',
    trying: 'Playing each stream of the camera …',
    testTalkBack: 'Test talk-back',
    playing: 'Playing a tone at the camera …',
    played: 'The camera accepted the tone. If nobody heard it, turn up the volume of its speaker.',
    playedSome: (packets: number, sent: number) => `The camera accepted ${packets} of ${sent} packets of the tone.`,
    saving: 'Saving …',
    newCertificate: 'If you changed the camera or its firmware, trust its new certificate:',
    trust: 'Trust this certificate',
    trusted: 'Trusted certificates',
  },

  share: {
    title: (name: string) => `Share ${name}`,
    none: 'Not shared yet.',
    pending: 'Invited, no answer yet',
    mayTalk: 'may talk',
    mayTalkOf: (guest: string) => `${guest} may talk`,
    mayViewRecordings: 'may see recordings',
    mayViewRecordingsOf: (guest: string) => `${guest} may see recordings`,
    viewRecordingsToo: 'may see recordings and past events, too',
    withdraw: 'Withdraw',
    withdrawOf: (guest: string) => `Withdraw the invitation of ${guest}`,
    stop: 'Stop',
    stopOf: (guest: string) => `Stop sharing with ${guest}`,
    stopQuestion: (guest: string) => `Stop sharing with ${guest}? The camera leaves their page and their displays.`,
    stopNow: 'Stop sharing',
    goOn: 'Keep sharing',
    login: 'Login of the other person',
    talkToo: 'may talk, too',
    how: 'The person with this login is asked on this page, and has 14 days to accept.',
    invite: 'Invite',
  },

  notifications: {
    title: 'Notifications',
    what: 'These devices tell you that somebody rings, also while this page is closed there.',
    thisDevice: 'This device',
    since: (day: string) => `Since ${day}`,
    remove: 'Remove',
    removeOf: (device: string) => `Remove ${device}`,
    name: 'Name of this device',
    add: 'Notify me on this device',
    unable:
      'This browser cannot show notifications of this page. On an iPhone or iPad, add the page to the Home Screen first, and open it from there.',
    blocked:
      'This browser does not show notifications of this page. Allow them when it asks, or in its settings for this page.',
    unavailable:
      'This browser does not reach the service that brings its notifications. Check its connection and its settings for push messages, then try again.',
  },

  webhooks: {
    title: (name: string) => `Webhooks of ${name}`,
    what: 'For buttons and sensors that can only call a URL (GET or POST). Anyone who has an address can report this one event and do nothing else: keep the addresses secret.',
    events: { press: 'Doorbell', motion: 'Motion', person: 'Person' },
    renew: 'Make new addresses',
    renewed: (name: string) => `${name} has new addresses. The old ones no longer work.`,
  },

  remove: {
    title: (name: string) => `Remove ${name}?`,
    what: 'The assistants forget it, its keys stop working, and nobody it is shared with sees it any more. To get it back, add it again.',
    keep: 'Keep it',
    remove: 'Remove',
    removed: (name: string) => `${name} is removed.`,
  },

  leave: {
    title: (name: string) => `Leave ${name}?`,
    what: 'You and your assistants will no longer see this camera. Only its owner can invite you again.',
    stay: 'Stay',
    leave: 'Leave',
    left: (name: string) => `You left ${name}.`,
  },
}

/** Every word of the page, in one language. */
export type Words = typeof en
