/** What the greeting says in each language. Names that scripts look for (`Bridge`, `Signaling`) are alike in all. */
import type { Language } from 'transom-core/language'

const en = {
  running: 'Transom is running.',
  open: 'Open',
  openNote: 'signs the demo user in, once; later by login and password',
  parts: { linking: 'account linking', page: 'its page' },
  install: 'open first on each device: installs the authority of this bridge',
  camera: 'Camera',
  certificates: {
    own: 'KVS-compatible, with its own CA',
    files: 'KVS-compatible, with your certificate',
    none: 'KVS-compatible, behind your proxy',
  },
  demo: 'Demo user',
  demoNote: 'for signing in and linking',
  try: 'Try, in another terminal:',
  echo: 'be an Echo Show',
  hub: 'be a Nest Hub',
  doorbellOff: 'The doorbell is off (TRANSOM_DOORBELL).',
  ring: 'r and Enter rings the doorbell.',
  stop: 'Ctrl-C stops it; cameras and users are kept.',
}

export type GreetingWords = typeof en

const de: GreetingWords = {
  running: 'Transom läuft.',
  open: 'Öffnen',
  openNote: 'meldet den Demo-Benutzer an, einmal; danach mit Anmeldename und Passwort',
  parts: { linking: 'Kontoverknüpfung', page: 'die Seite' },
  install: 'zuerst auf jedem Gerät öffnen: installiert die Zertifizierungsstelle der Bridge',
  camera: 'Kamera',
  certificates: {
    own: 'KVS-kompatibel, mit eigener Zertifizierungsstelle',
    files: 'KVS-kompatibel, mit deinem Zertifikat',
    none: 'KVS-kompatibel, hinter deinem Proxy',
  },
  demo: 'Demo',
  demoNote: 'zum Anmelden und Verknüpfen',
  try: 'Probier in einem anderen Terminal:',
  echo: 'sei ein Echo Show',
  hub: 'sei ein Nest Hub',
  doorbellOff: 'Die Klingel ist aus (TRANSOM_DOORBELL).',
  ring: 'r und Enter klingelt.',
  stop: 'Strg-C beendet es; Kameras und Benutzer bleiben.',
}

export const greetingWords: Readonly<Record<Language, GreetingWords>> = { en, de }
