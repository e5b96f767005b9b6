/** What the player says by itself, in each language; problems are in `problem.ts`. */
import type { Language } from 'transom-core/language'
import type { PlayerState } from './player.ts'
import type { PlayerRemark } from './view.ts'

const en = {
  retry: 'Try again',
  retryIn: (seconds: number) => `Try now (or in ${seconds} s)`,
  retrying: 'Trying …',
  talk: 'Talk',
  holdToTalk: 'Talk: hold, or tap to keep talking',
  soundOn: 'Turn sound on',
  soundOff: 'Turn sound off',
  statistics: 'Statistics',
  fullScreen: 'Full screen',
  stop: 'Stop',
  camera: 'Camera',
  pictureOf: (camera: string) => `Live picture of ${camera}`,
  play: (camera: string) => `Play live: ${camera}`,
  past: 'Recordings',
  timeLine: 'Time',
  previousEvent: 'Previous event',
  nextEvent: 'Next event',
  stepBack: 'Previous picture',
  stepOn: 'Next picture',
  pause: 'Pause',
  goOn: 'Play',
  speed: 'Speed',
  zoomIn: 'Show less time',
  zoomOut: 'Show more time',
  live: 'Live',
  codec: 'Codec',
  size: 'Picture',
  rate: 'Rate',
  framesPerSecond: (rate: number) => `${rate} fps`,
  roundTrip: 'Round trip',
  loss: 'Loss',
  route: 'Route',
  routes: { direct: 'direct', relay: 'relay' },
  firstFrame: 'First frame',
  states: {
    idle: '',
    connecting: 'Connecting',
    live: 'Live',
    recorded: 'Recorded',
    reconnecting: 'Connecting again',
    failed: 'No picture',
  } satisfies Record<PlayerState['state'], string>,
  remarks: {
    other_talks: 'Somebody else is talking. The camera plays one voice at a time.',
    still_picture: 'The picture has not changed for 5 s or more.',
  } satisfies Record<PlayerRemark, string>,
}

export type PlayerWords = typeof en

const de: PlayerWords = {
  retry: 'Noch einmal',
  retryIn: (seconds) => `Jetzt versuchen (oder in ${seconds} s)`,
  retrying: 'Versuche es …',
  talk: 'Sprechen',
  holdToTalk: 'Sprechen: gedrückt halten, oder antippen und weitersprechen',
  soundOn: 'Ton einschalten',
  soundOff: 'Ton ausschalten',
  statistics: 'Statistik',
  fullScreen: 'Vollbild',
  stop: 'Stopp',
  camera: 'Kamera',
  pictureOf: (camera) => `Live-Bild von ${camera}`,
  play: (camera) => `Live ansehen: ${camera}`,
  past: 'Aufnahmen',
  timeLine: 'Zeit',
  previousEvent: 'Voriges Ereignis',
  nextEvent: 'Nächstes Ereignis',
  stepBack: 'Voriges Bild',
  stepOn: 'Nächstes Bild',
  pause: 'Pause',
  goOn: 'Abspielen',
  speed: 'Geschwindigkeit',
  zoomIn: 'Weniger Zeit zeigen',
  zoomOut: 'Mehr Zeit zeigen',
  live: 'Live',
  codec: 'Codec',
  size: 'Bild',
  rate: 'Bildrate',
  framesPerSecond: (rate) => `${rate} Bilder/s`,
  roundTrip: 'Umlaufzeit',
  loss: 'Verlust',
  route: 'Weg',
  routes: { direct: 'direkt', relay: 'Relay' },
  firstFrame: 'Erstes Bild',
  states: {
    idle: '',
    connecting: 'Verbinde',
    live: 'Live',
    recorded: 'Aufgezeichnet',
    reconnecting: 'Verbinde neu',
    failed: 'Kein Bild',
  },
  remarks: {
    other_talks: 'Gerade spricht jemand anderes. Die Kamera spielt nur eine Stimme ab.',
    still_picture: 'Das Bild hat sich seit 5 s oder länger nicht geändert.',
  },
}

const catalogues: Readonly<Record<Language, PlayerWords>> = { en, de }
const byLanguage = new Map<string, PlayerWords>(Object.entries(catalogues))

/** Of a BCP 47 tag (`de`, `de-AT`); English for a language that is not here. */
export const playerWords = (tag: string): PlayerWords => byLanguage.get(tag.split('-')[0]?.toLowerCase() ?? '') ?? en
