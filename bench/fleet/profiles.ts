/** Who does what in a fleet, and how often: the assumptions of the load model, none of them measured. */

/** With whom the owner of a camera has linked the account. */
export const linkings = ['none', 'alexa', 'google', 'both'] as const
export type Linking = (typeof linkings)[number]

/** What can happen; `operations.ts` does it. */
export const kinds = [
  'press',
  'motion',
  'person',
  'battery',
  'viewAlexa',
  'viewGoogle',
  'firstView',
  'askAlexa',
  'askGoogle',
  'linkAlexa',
  'linkGoogle',
  'refresh',
  'amazonRefresh',
] as const
export type Kind = (typeof kinds)[number]

/** The names of the profiles, as `--peak` takes them. */
export const profileNames = ['ordinary', 'halloween'] as const
export type ProfileName = (typeof profileNames)[number]

export interface Profile {
  readonly about: string
  /** Of each camera in an hour, whoever it belongs to. */
  readonly pressesPerHour: number
  readonly motionPerHour: number
  readonly personsPerHour: number
  readonly batteryPerHour: number
  /** Displays that show the camera by themselves after a press, for each assistant that the account is linked with. */
  readonly viewsPerPress: number
  /** Asked for by name, for each assistant. */
  readonly viewsPerHour: number
  /** States and lists that each assistant asks for. */
  readonly questionsPerHour: number
  /** New links, of all linked cameras. */
  readonly linksPerHour: number
  /** Presses that Alexa did not accept at once, and that the sweep delivers. */
  readonly stuckShare: number
  /** Invocations that find no warm environment. */
  readonly coldShare: number
  /** Presses a second at the busiest door. */
  readonly busiestDoorPerSecond: number
}

export const profiles: Readonly<Record<ProfileName, Profile>> = {
  ordinary: {
    about: 'the mean hour of an ordinary day: 4 presses, 48 movements, 10 persons and 1 view of each camera in a day',
    pressesPerHour: 4 / 24,
    motionPerHour: 2,
    personsPerHour: 10 / 24,
    batteryPerHour: 1 / 24,
    viewsPerPress: 0.5,
    viewsPerHour: 1 / 24,
    questionsPerHour: 2 / 24,
    linksPerHour: 1 / (24 * 365),
    stuckShare: 0.001,
    coldShare: 0.02,
    busiestDoorPerSecond: 1 / 60,
  },
  halloween: {
    about: 'the evening on which every door is rung: 12 presses, 30 movements and 15 persons at each camera in an hour',
    pressesPerHour: 12,
    motionPerHour: 30,
    personsPerHour: 15,
    batteryPerHour: 1 / 24,
    viewsPerPress: 0.5,
    viewsPerHour: 0.2,
    questionsPerHour: 2 / 24,
    linksPerHour: 1 / (24 * 365),
    stuckShare: 0.01,
    coldShare: 0.1,
    busiestDoorPerSecond: 0.2,
  },
}

/** Of the accounts that are linked at all. */
export const linkedWith: Readonly<Record<Exclude<Linking, 'none'>, number>> = { alexa: 0.6, google: 0.25, both: 0.15 }
/** An assistant's access token lasts an hour, and so does Amazon's to us; Amazon's is renewed when there is something to send. */
const refreshesPerHour = 1
/** Of the channels that are looked at, each is looked up again after 30 days. */
const lookupsPerHour = 1 / (30 * 24)

/** The schedule of the sweep, and how long a whole round of the reconciliation may take. */
export const sweepsPerSecond = 1 / 60
export const reconcileHours = 24

/** What lasts how long, milliseconds, one after the other; only for concurrency and the price of Lambda's time. */
export const durations = { warm: 10, cold: 900, dynamo: 5, kvsRest: 60, kvsConnect: 600, vendor: 120 } as const
/** Of `serverless.yml`. */
export const memoryGb = 0.5
/** Of a view. */
export const viewMinutes = 1
export const relayedShare = 0.2

export interface FleetSize {
  readonly cameras: number
  /** Of them, from 0 to 1: cameras whose owner has linked an assistant. One camera an account. */
  readonly linked: number
}

/** How many cameras belong to an owner with this linking. */
export function camerasWith({ cameras, linked }: FleetSize, linking: Linking): number {
  return cameras * (linking === 'none' ? 1 - linked : linked * linkedWith[linking])
}

/** How often a camera with this linking does something, in an hour; what it never does is absent. */
export function ratesOf(profile: Profile, linking: Linking): Readonly<Partial<Record<Kind, number>>> {
  const { pressesPerHour, motionPerHour, viewsPerPress, viewsPerHour, questionsPerHour, linksPerHour } = profile
  const [withAlexa, withGoogle] = [
    linking === 'alexa' || linking === 'both',
    linking === 'google' || linking === 'both',
  ]
  const views = pressesPerHour * viewsPerPress + viewsPerHour
  const firstView = Math.min(lookupsPerHour, views)
  // The movement that finds Amazon's token over, and the view that finds the channel unknown, are kinds of their own.
  const amazonRefresh = withAlexa ? Math.min(refreshesPerHour, motionPerHour) : 0
  return {
    press: pressesPerHour,
    motion: motionPerHour - amazonRefresh,
    person: profile.personsPerHour,
    battery: profile.batteryPerHour,
    ...(withAlexa && {
      viewAlexa: views - firstView,
      askAlexa: questionsPerHour,
      linkAlexa: linksPerHour,
      amazonRefresh,
    }),
    ...(withGoogle && {
      viewGoogle: linking === 'google' ? views - firstView : views,
      askGoogle: questionsPerHour,
      linkGoogle: linksPerHour,
    }),
    ...((withAlexa || withGoogle) && {
      firstView,
      refresh: refreshesPerHour * (Number(withAlexa) + Number(withGoogle)),
    }),
  }
}
