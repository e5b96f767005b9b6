/** Probleme auf Deutsch, die nur diese Seite zeigt; die der Bridge und des Players sind in `transom-player`. */
import type { Problems } from './problems.ts'

export const problemsDe: Problems = {
  unconfirmed: {
    message: 'Weder das Display noch die Kamera meldet, ob das Bild erschienen ist.',
    advice:
      'Ist das Bild erschienen, ist nichts zu tun. Blieb das Display dunkel, konnte es die Kamera nicht erreichen: Richte einen TURN-Server ein (TRANSOM_TURN_URLS). Sicher weiß es eine Kamera, die ihre Zuschauer meldet, wie die des Gateways.',
  },
  sign_in_elsewhere: { message: 'Die Anmeldung wurde in einem anderen Tab begonnen, oder vor zu langer Zeit.' },
  sign_in_failed: { message: 'Die Anmeldung hat nicht geklappt.' },
  access_denied: { message: 'Die Anmeldung wurde abgebrochen.' },

  // Des Simulators: src/simulator/causes.ts
  bridge_unreachable: { message: 'Unter der Adresse der Bridge antwortet nichts.' },
  link_failed: { message: 'Das Verknüpfen des Kontos endete ohne brauchbare Token.' },
  discovery_invalid: { message: 'Die Geräteliste ist keine, die der Assistent annimmt.' },
  no_camera: { message: 'Das Konto hat diese Kamera nicht.' },
  state_invalid: { message: 'Der gemeldete Zustand ist keiner, den der Assistent annimmt.' },
  stream_invalid: { message: 'Die Beschreibung des Streams ist keine, die der Assistent annimmt.' },
  cors_refused: { message: 'Der Player im Display darf die Antwort nicht lesen: Ihre CORS-Header sind falsch.' },
  refused: { message: 'Die Bridge hat mit einem Fehler geantwortet.' },
  answer_late: { message: 'Die Answer kam, als der Assistent schon aufgegeben hatte.' },
  answer_invalid: { message: 'Mit der SDP-Answer kann das Display nichts anfangen.' },
  reply_invalid: { message: 'Eine Antwort der Bridge hat nicht die vorgeschriebene Form.' },
  ice_failed: { message: 'Zwischen Display und Kamera fand sich kein Weg durchs Netz.' },
  dtls_failed: { message: 'Die Verbindung ließ sich nicht verschlüsseln.' },
  connection_lost: { message: 'Die Verbindung endete, bevor das Display aufgelegt hat.' },
  no_video: { message: 'Es kam kein Videopaket an.' },
  no_key_frame: { message: 'Video kam an, aber nie ein vollständiges Bild, mit dem es beginnen kann.' },
  profile_mismatch: { message: 'Das Video hat nicht das Profil, das die Answer ankündigt.' },
  b_frames: { message: 'Das Video hat B-Frames, die Displays nicht abspielen können.' },
  no_audio: { message: 'Es kam kein Tonpaket an.' },
  media_stopped: { message: 'Bild und Ton endeten, bevor das Display aufgelegt hat.' },
  talk_back_refused: { message: 'Die Kamera gilt als gegensprechfähig, aber die Answer nimmt keinen Ton an.' },
  not_supported: { message: 'Kamera und Display haben keinen gemeinsamen Weg für das Bild.' },
  ring_impossible: { message: 'Die Klingel lässt sich nicht drücken, oder ihre Folgen sind nicht zu empfangen.' },
  not_announced: { message: 'Das Klingeln wurde nicht gemeldet.' },
  announcement_invalid: { message: 'Was die Bridge gesendet hat, nimmt der Assistent nicht an.' },
  talk_back_unheard: { message: 'Die Kamera meldet kein Paket vom Gegensprechen.' },
  not_linked: { message: 'Das Konto ist nicht, oder nicht mehr, mit dem Assistenten verknüpft.' },
  grant_refused: { message: 'Die Bridge hat die Erlaubnis, Ereignisse zu senden, nicht angenommen.' },
  press_refused: { message: 'Die Bridge hat das Klingeln nicht angenommen.' },
  interrupted: { message: 'Der Aufruf wurde unterbrochen.' },
  simulator_failed: { message: 'Der Simulator selbst hatte einen Fehler.' },
}
