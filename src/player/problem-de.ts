/** Problems in German, by their codes; with „du“, as all of Transom. Those of the bridge come in English: `core/errors.ts`. */
import type { Refused } from 'transom-core/wire/api'

interface Text {
  readonly message: string
  readonly advice?: string
}

/** What the player finds wrong by itself. */
const own = {
  unreachable: {
    message: 'Die Bridge ist nicht erreichbar.',
    advice: 'Prüfe, ob sie läuft, und ob dieses Gerät in ihrem Netz ist.',
  },
  media_lost: {
    message: 'Die Verbindung zur Kamera ist abgebrochen.',
    advice: 'Sie wird von selbst wieder aufgebaut.',
  },
  not_decodable: {
    message: 'Bilder kommen an, und lassen sich hier nicht dekodieren.',
    advice: 'Stell den Videocodec der Kamera auf H.264 ohne B-Frames. Wenn es dabei bleibt, starte die Kamera neu.',
  },
  black_picture: {
    message: 'Das Bild ist schwarz.',
    advice: 'Prüfe Abdeckung, Privatsphäre-Schalter und Belichtung der Kamera.',
  },
  frozen_picture: {
    message: 'Das Bild steht still.',
    advice: 'Starte die Kamera neu. Wenn es dabei bleibt, aktualisiere ihre Firmware.',
  },
  talk_refused: { message: 'Diese Kamera nimmt keinen Ton von dir an.' },
  not_live: { message: 'Noch gibt es kein Bild, zu dem du sprechen könntest.' },
  insecure_page: {
    message: 'Der Browser gibt dieser Seite kein Mikrofon.',
    advice: 'Das tut er nur bei https:// und bei localhost: Öffne die Bridge dort.',
  },
  microphone_refused: {
    message: 'Du, oder der Browser, hast das Mikrofon nicht erlaubt.',
    advice: 'Erlaube es in den Einstellungen dieser Seite, neben der Adresse, und versuch es noch einmal.',
  },
  no_microphone: {
    message: 'Es ist kein Mikrofon da, das sich nutzen lässt.',
    advice: 'Schließ eines an, und versuch es noch einmal.',
  },
} satisfies Readonly<Record<string, Text>>

const ofBridge: Readonly<Record<Refused['error'], Text>> = {
  invalid_request: {
    message: 'Diese Angaben nimmt die Bridge nicht an.',
    advice: 'Prüfe, was du eingegeben hast. Hast du nichts eingegeben, aktualisiere das Display oder die App.',
  },
  unauthorized: {
    message: 'Die Anmeldung gilt nicht mehr.',
    advice: 'Melde dich neu an, oder verknüpfe das Konto noch einmal in der Alexa- oder Google-Home-App.',
  },
  token_expired: {
    message: 'Die Anmeldung ist abgelaufen.',
    advice: 'Versuch es noch einmal. Wenn es dabei bleibt, verknüpfe das Konto noch einmal.',
  },
  camera_not_found: {
    message: 'Diese Kamera gibt es nicht.',
    advice:
      'Lass den Assistenten noch einmal nach Geräten suchen: Sie wurde entfernt, oder wird nicht mehr mit dir geteilt.',
  },
  camera_offline: {
    message: 'Die Kamera ist nicht verbunden.',
    advice: 'Prüfe, ob sie Strom und Netz hat, und ob ihr Zugriffsschlüssel und die Signaling-Adresse stimmen.',
  },
  camera_silent: {
    message: 'Die Kamera hat nicht rechtzeitig geantwortet.',
    advice:
      'Starte die Kamera neu. Ist sie von Natur aus langsam, lass sie ihre Kandidaten einzeln senden (Signaling-Modus „viewer“), oder erhöhe die Frist.',
  },
  camera_garbled: {
    message: 'Die Kamera hat etwas gesendet, das keine Antwort ist.',
    advice: 'Aktualisiere die Firmware der Kamera. Im Log steht, was an ihrer Antwort falsch war.',
  },
  camera_hung_up: {
    message: 'Die Verbindung zur Kamera endete, bevor sie geantwortet hat.',
    advice: 'Versuch es noch einmal. Wenn es dabei bleibt, prüfe, ob die Kamera neu startet oder ihr Netz schwach ist.',
  },
  camera_busy: {
    message: 'Die Kamera hat keinen Platz für weitere Zuschauer.',
    advice: 'Schließ das Bild auf einem anderen Display: Eine Kamera bedient höchstens zehn, manche weniger.',
  },
  offer_too_large: {
    message: 'Das Offer ist zu groß für den Signaling-Dienst.',
    advice:
      'Mit der Kamera ist alles in Ordnung. Das Display bietet mehr an, als in eine Nachricht passt: Melde das Display mit dem Log.',
  },
  no_common_codec: {
    message: 'Kamera und Display haben keinen gemeinsamen Codec.',
    advice: 'Lass die Kamera H.264 (Constrained Baseline) und Opus senden: Das kann jedes Display.',
  },
  no_candidates: {
    message: 'Die Kamera hat keine brauchbare Netzadresse genannt.',
    advice:
      'Prüfe das Netz der Kamera, und gib ihr einen STUN- oder TURN-Server (TRANSOM_ICE_SERVERS, TRANSOM_TURN_URLS).',
  },
  media_failed: {
    message: 'Kamera und Display konnten sich nicht verbinden.',
    advice: 'Sie erreichen einander nicht: Richte einen TURN-Server ein (TRANSOM_TURN_URLS), und prüfe die Firewall.',
  },
  display_gave_up: {
    message: 'Das Display hat vor der Antwort aufgelegt.',
    advice:
      'Wenn du das Bild geschlossen hast, ist nichts zu tun. Sonst war die Kamera zu langsam: Sieh dir die Zeiten der Schritte an.',
  },
  signaling_failed: {
    message: 'Der Signaling-Dienst ist nicht nutzbar.',
    advice: 'Prüfe, ob er läuft und erreichbar ist, und ob seine Zugangsdaten stimmen.',
  },
  registry_failed: {
    message: 'Das Verzeichnis der Kameras ist nicht nutzbar.',
    advice:
      'Versuch es noch einmal. Wenn es dabei bleibt, prüfe das Verzeichnis des Herstellers (TRANSOM_REGISTRY); das Log der Bridge nennt den Grund.',
  },
  rate_limited: {
    message: 'Zu viele Anfragen.',
    advice:
      'Warte eine Minute, und versuch es noch einmal. Wenn es dabei bleibt, fragt etwas zu oft: Sieh in der Liste der Aufrufe nach.',
  },
  out_of_time: {
    message: 'Es wurde nicht rechtzeitig fertig.',
    advice:
      'Versuch es noch einmal. Wenn es dabei bleibt, ist die Bridge oder ihr Speicher zu langsam: Sieh nach Last und Log.',
  },
  no_sound: {
    message: 'Die Kamera sendet keinen Ton, auf den dieses Display womöglich vergeblich wartet.',
    advice: 'Gib der Kamera eine Tonspur, oder nutze das Gateway, das Stille hinzufügt (TRANSOM_SOURCE).',
  },
  no_picture: {
    message: 'Die Kamera sendet kein Bild.',
    advice:
      'Prüfe das Bild der Kamera selbst: Abdeckung, Privatsphäre-Schalter, Encoder, Log. Für eine Sprechanlage ohne Bild setz hasVideo auf false.',
  },
  no_room: {
    message: 'Der Datenträger ist voll.',
    advice: 'Schaff Platz auf dem Datenträger der Bridge (TRANSOM_DATA). Versuch es dann noch einmal.',
  },
  store_failed: {
    message: 'Der Speicher der Bridge ist nicht nutzbar.',
    advice: 'Versuch es noch einmal. Wenn es dabei bleibt, nennt das Log der Bridge die Datei und was zu tun ist.',
  },
  source_password: {
    message: 'Die Kamera lehnt Benutzer oder Passwort ab.',
    advice:
      'Berichtige Benutzer und Passwort in der Adresse der Kamera. Hat die Kamera das Konto gesperrt, warte: Es wird alle zehn Minuten neu versucht, und nach einer Änderung sofort.',
  },
  source_refused: {
    message: 'Die Kamera lehnt Verbindungen ab.',
    advice: 'Schalte RTSP in den Einstellungen der Kamera ein, und prüfe den Port in ihrer Adresse (RTSP nutzt 554).',
  },
  source_unreachable: {
    message: 'Die Kamera antwortet nicht.',
    advice: 'Prüfe Strom und Netz der Kamera, und ihre Adresse.',
  },
  source_unknown_host: {
    message: 'Kein Gerät hat den Namen, der in der Adresse der Kamera steht.',
    advice: 'Berichtige den Namen in der Adresse der Kamera, oder nimm ihre IP-Adresse.',
  },
  source_not_found: {
    message: 'Unter der Adresse der Kamera gibt es keinen Stream.',
    advice: 'Berichtige den Pfad in der Adresse der Kamera. Ihre Anleitung oder ihre App zeigt die RTSP-Adresse.',
  },
  source_codec: {
    message: 'Die Kamera sendet Video, das Displays nicht abspielen können.',
    advice:
      'Stell den Videocodec der Kamera auf H.264 ohne B-Frames, oder nimm die Adresse ihres zweiten Streams, der das oft schon hat. Mit FFmpeg (npm install node-av) wandelt die Bridge das Video um.',
  },
  source_no_key_frame: {
    message: 'Die Kamera hat 30 s lang keinen Keyframe gesendet.',
    advice: 'Stell das Keyframe-Intervall (I-Frame-Intervall, GOP) der Kamera auf 1 oder 2 Sekunden.',
  },
  source_stopped: {
    message: 'Die Kamera sendet keine Bilder mehr.',
    advice: 'Wenn es dabei bleibt, starte die Kamera neu, und prüfe ihr Netz.',
  },
  source_busy: {
    message: 'Die Kamera hat zu viele Verbindungen offen.',
    advice:
      'Schließ andere Programme, die diese Kamera zeigen, oder erhöhe die Zahl der Streams in ihren Einstellungen.',
  },
  source_certificate: {
    message: 'Die Kamera zeigt ein anderes Zertifikat als beim ersten Mal.',
    advice:
      'Wurde die Kamera zurückgesetzt oder aktualisiert, vertraue dem neuen Zertifikat (Bearbeiten, Ausprobieren). Sonst prüfe, wer noch in ihrem Netz ist.',
  },
  source_garbled: {
    message: 'Die Kamera sendet etwas, das sich nicht lesen lässt.',
    advice: 'Aktualisiere die Firmware der Kamera, und prüfe, ob ihre Adresse eine RTSP-Adresse ist.',
  },
  source_gateway: {
    message: 'Das Gateway, das die Kamera liest, ist nicht da.',
    advice:
      'Läuft das Gateway auf einem anderen Rechner, prüfe ihn, sein Netz und sein Log. Das in der Bridge startet von selbst neu. Wenn es dabei bleibt, steht im Log der Bridge, warum es endet.',
  },
  source_no_ffmpeg: {
    message: 'FFmpeg ist nicht mit der Bridge installiert.',
    advice:
      'Führe npm install node-av dort aus, wo die Bridge installiert ist, und starte sie neu. Nicht jedes System hat es.',
  },
  source_invalid: {
    message: 'Die Adresse der Kamera ist nicht brauchbar.',
    advice: 'Nimm eine Adresse wie rtsp://user:password@192.168.1.20/stream, Sonderzeichen darin prozentcodiert.',
  },
  internal: {
    message: 'Interner Fehler.',
    advice: 'Das ist ein Fehler der Bridge: In ihrem Log steht mehr für einen Fehlerbericht.',
  },
  forbidden: { message: 'Das darfst du hier nicht.' },
  not_found: { message: 'Das gibt es nicht, oder nicht mehr.' },
  not_supported: { message: 'Das kann diese Bridge nicht.' },
  session_not_found: { message: 'Diesen Aufruf gibt es nicht, oder nicht mehr.' },
}

export const problemsDe: Readonly<Record<string, Text>> = { ...own, ...ofBridge }
