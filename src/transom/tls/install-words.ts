/** What the page for installing the bridge's own authority says, in each language. HTML. */
import type { Language } from 'transom-core/language'

/** Its texts. */
export interface InstallWords {
  readonly title: string
  readonly why: string
  readonly install: string
  readonly platforms: readonly { readonly name: string; readonly steps: readonly string[] }[]
  readonly next: string
  readonly open: string
  readonly phone: string
  readonly phoneNote: string
  readonly check: string
  readonly checkNote: string
}

const en: InstallWords = {
  title: 'Trust this bridge',
  why: 'This bridge uses a certificate authority of its own. Install it once on each phone and computer: after that the microphone, passkeys and notifications work without a warning. It can sign for names and addresses of your house alone, and for no other site.',
  install: '1. Install the authority',
  platforms: [
    {
      name: 'iPhone and iPad',
      steps: [
        'In Safari, download <a href="/transom.mobileconfig">the profile</a>, and allow it.',
        'Open <em>Settings</em>, tap <em>Profile Downloaded</em>, then <em>Install</em>.',
        'Open <em>Settings</em>, <em>General</em>, <em>About</em>, <em>Certificate Trust Settings</em>, and switch on <em>Transom local CA</em>.',
      ],
    },
    {
      name: 'Android',
      steps: [
        'Download <a href="/transom.crt">the certificate</a>.',
        'Open <em>Settings</em> and search for <em>CA certificate</em> (under <em>Security</em>, <em>Encryption &amp; credentials</em>, <em>Install a certificate</em>).',
        'Choose <em>CA certificate</em>, <em>Install anyway</em>, and the file <code>transom.crt</code>. Use Chrome; Firefox does not use this list.',
      ],
    },
    {
      name: 'Windows',
      steps: [
        'Download <a href="/transom.crt">the certificate</a> and open it.',
        'Choose <em>Install Certificate</em>, <em>Current User</em>, <em>Place all certificates in the following store</em>.',
        'Choose <em>Trusted Root Certification Authorities</em>, finish, and restart the browser.',
      ],
    },
    {
      name: 'macOS',
      steps: [
        'Download <a href="/transom.crt">the certificate</a> and open it: Keychain Access adds it to <em>login</em>.',
        'Double-click <em>Transom local CA</em> there, open <em>Trust</em>, and choose <em>Always Trust</em>.',
      ],
    },
    {
      name: 'Linux, and Firefox anywhere',
      steps: [
        'Download <a href="/transom.pem">the certificate</a>.',
        'Chrome and Chromium: <code>certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n Transom -i transom.pem</code>',
        'Firefox: <em>Settings</em>, <em>Certificates</em>, <em>View Certificates</em>, <em>Authorities</em>, <em>Import</em>, and trust it for websites.',
      ],
    },
  ],
  next: '2. Open the bridge',
  open: 'Open Transom',
  phone: 'On another device',
  phoneNote: 'Scan this code, or open',
  check: 'Is it the right one?',
  checkNote:
    'This page comes unencrypted. Before you install, compare the SHA-256 fingerprint that your device shows with that of <code>transom doctor</code> on the machine of the bridge:',
}

const de: InstallWords = {
  title: 'Dieser Bridge vertrauen',
  why: 'Diese Bridge hat eine eigene Zertifizierungsstelle. Installiere sie einmal auf jedem Telefon und Computer: danach funktionieren Mikrofon, Passkeys und Benachrichtigungen ohne Warnung. Sie kann nur für Namen und Adressen deines Zuhauses unterschreiben und für keine andere Website.',
  install: '1. Die Zertifizierungsstelle installieren',
  platforms: [
    {
      name: 'iPhone und iPad',
      steps: [
        'Lade in Safari <a href="/transom.mobileconfig">das Profil</a> und erlaube es.',
        'Öffne <em>Einstellungen</em>, tippe auf <em>Profil geladen</em>, dann auf <em>Installieren</em>.',
        'Öffne <em>Einstellungen</em>, <em>Allgemein</em>, <em>Info</em>, <em>Zertifikatsvertrauenseinstellungen</em> und schalte <em>Transom local CA</em> ein.',
      ],
    },
    {
      name: 'Android',
      steps: [
        'Lade <a href="/transom.crt">das Zertifikat</a>.',
        'Öffne <em>Einstellungen</em> und suche nach <em>CA-Zertifikat</em> (unter <em>Sicherheit</em>, <em>Verschlüsselung und Anmeldedaten</em>, <em>Zertifikat installieren</em>).',
        'Wähle <em>CA-Zertifikat</em>, <em>Trotzdem installieren</em> und die Datei <code>transom.crt</code>. Nimm Chrome; Firefox benutzt diese Liste nicht.',
      ],
    },
    {
      name: 'Windows',
      steps: [
        'Lade <a href="/transom.crt">das Zertifikat</a> und öffne es.',
        'Wähle <em>Zertifikat installieren</em>, <em>Aktueller Benutzer</em>, <em>Alle Zertifikate in folgendem Speicher speichern</em>.',
        'Wähle <em>Vertrauenswürdige Stammzertifizierungsstellen</em>, schließe ab und starte den Browser neu.',
      ],
    },
    {
      name: 'macOS',
      steps: [
        'Lade <a href="/transom.crt">das Zertifikat</a> und öffne es: die Schlüsselbundverwaltung legt es unter <em>Anmeldung</em> ab.',
        'Doppelklicke dort auf <em>Transom local CA</em>, öffne <em>Vertrauen</em> und wähle <em>Immer vertrauen</em>.',
      ],
    },
    {
      name: 'Linux, und Firefox überall',
      steps: [
        'Lade <a href="/transom.pem">das Zertifikat</a>.',
        'Chrome und Chromium: <code>certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n Transom -i transom.pem</code>',
        'Firefox: <em>Einstellungen</em>, <em>Zertifikate</em>, <em>Zertifikate anzeigen</em>, <em>Zertifizierungsstellen</em>, <em>Importieren</em>, und für Websites vertrauen.',
      ],
    },
  ],
  next: '2. Die Bridge öffnen',
  open: 'Transom öffnen',
  phone: 'Auf einem anderen Gerät',
  phoneNote: 'Scanne diesen Code oder öffne',
  check: 'Ist es die richtige?',
  checkNote:
    'Diese Seite kommt unverschlüsselt. Vergleiche vor dem Installieren den SHA-256-Fingerabdruck, den dein Gerät zeigt, mit dem von <code>transom doctor</code> auf dem Rechner der Bridge:',
}

export const installWords: Readonly<Record<Language, InstallWords>> = { en, de }
