/** Was die Seiten der Kontoverknüpfung auf Deutsch sagen: kurz, und mit „du“, wie die Seite der Bridge. */
import { markup } from '../markup.ts'
import type { Words } from './en.ts'

const dates = new Intl.DateTimeFormat('de', { dateStyle: 'medium', timeZone: 'UTC' })
const times = new Intl.DateTimeFormat('de', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })

export const de: Words = {
  language: 'de',
  day: (at) => dates.format(at),
  minute: (at) => `${times.format(at)} UTC`,
  problems: {
    busy: 'Gerade melden sich zu viele Leute an. Bitte versuch es in ein paar Sekunden noch einmal.',
    incomplete: 'Bitte gib Anmeldename und Passwort ein.',
    'wrong-login': 'Anmeldename oder Passwort ist falsch.',
    'wrong-password': 'Das Passwort ist falsch. Es wurde nichts geändert.',
    'unknown-passkey': 'Dieser Passkey ist hier nicht bekannt.',
    tooManyAttempts: (minutes) =>
      `Zu viele Versuche. Bitte warte ${minutes === 1 ? 'eine Minute' : `${minutes} Minuten`}, und versuch es dann noch einmal.`,
    provider: (name) => `${name} hat dich nicht angemeldet.`,
    faults: {
      login_missing: 'Bitte gib einen Anmeldenamen ein.',
      login_characters: 'Der Anmeldename hat Zeichen, die nicht gehen.',
      login_reserved: 'Bitte wähle einen anderen Anmeldenamen.',
      login_long: 'Der Anmeldename ist zu lang.',
      login_taken: 'Dieser Anmeldename ist vergeben. Bitte wähle einen anderen.',
      name_missing: 'Bitte gib einen Namen ein.',
      name_long: 'Der Name ist zu lang.',
      name_characters: 'Der Name hat Zeichen, die sich nicht anzeigen lassen.',
      password_short: 'Das Passwort braucht mindestens 8 Zeichen.',
      password_long: 'Das Passwort hat höchstens 256 Zeichen.',
      password_own: 'Bitte wähle ein Passwort, das nicht dein eigener Name oder Anmeldename ist.',
      password_common:
        'Das ist eines der häufigsten Passwörter, und die werden zuerst geraten. Bitte wähle ein anderes.',
      no_password: 'Bei diesem Konto meldet sich niemand mit Passwort an.',
      account_changed: 'Das Konto wurde inzwischen geändert. Bitte versuch es noch einmal.',
    },
  },
  errorTitle: (title) => `Fehler: ${title}`,

  signIn: {
    title: 'Anmelden',
    heading: (brand) => `Bei ${brand} anmelden`,
    forConsole: 'Melde dich an, um deine Kameras zu sehen.',
    forAsker: (asker, brand) =>
      `${asker} möchte mit deinem Konto bei ${brand} verknüpft werden. Nach dem Anmelden siehst du, wofür, und entscheidest.`,
    login: 'Anmeldename',
    password: 'Passwort',
    signIn: 'Anmelden',
    cancel: 'Abbrechen',
    continueWith: (provider) => `Weiter mit ${provider}`,
    passkey: 'Mit Passkey anmelden',
    provider: 'Der Anbieter',
    passkeyFailed: 'Der Passkey ließ sich nicht nutzen. Versuch es noch einmal, oder nimm dein Passwort.',
    noPasskeyMade: 'Es wurde kein Passkey erstellt. Du kannst es noch einmal versuchen.',
  },

  entry: {
    heading: (brand) => `Willkommen bei ${brand}`,
    as: (name) => markup`Anmelden als <strong>${name}</strong>`,
    usedUp: {
      title: 'Dieser Link ist verbraucht',
      text: 'Er gilt einmal, einen Tag lang, und bis die Bridge neu startet. Starte sie neu, um einen neuen zu bekommen, oder melde dich mit Anmeldename und Passwort an.',
    },
  },

  consent: {
    title: (asker) => `Mit ${asker} verknüpfen`,
    heading: (brand, asker) => `${brand} mit ${asker} verknüpfen?`,
    as: (name) => markup`Angemeldet als <strong>${name}</strong>`,
    allow: (asker) => `Wenn du zustimmst, darf ${asker}`,
    see: 'sehen, welche Kameras und Türklingeln du hast, und wie sie heißen',
    seeNow: (cameras) =>
      markup`sehen, welche Kameras und Türklingeln du hast, und wie sie heißen: <strong>${cameras}</strong>, und die, die du später hinzufügst`,
    more: (names, count) => `${names} und ${count} weitere`,
    rights: [
      'ihr Live-Bild und ihren Ton auf deinen Displays zeigen, wenn du danach fragst',
      'dich durch sie sprechen lassen',
      'erfahren, wenn jemand klingelt',
    ],
    agree: 'Zustimmen und verknüpfen',
    otherAccount: 'Ein anderes Konto nehmen',
    privacy: 'Datenschutzerklärung',
    unlinking: {
      alexa: 'Du kannst das jederzeit beenden: Deaktiviere den Skill in der Alexa-App.',
      google: 'Du kannst das jederzeit beenden: Hebe die Verknüpfung in der Google-Home-App auf.',
      other: 'Du kannst das jederzeit beenden: auf der Seite deines Kontos.',
      console: 'Du kannst das jederzeit beenden: Melde dich ab.',
    },
  },

  ways: { cameras: 'Zu deinen Kameras', account: 'Dein Konto' },

  messages: {
    expired: {
      title: 'Diese Seite ist abgelaufen',
      text: 'Sie war zu lange offen, ist schon erledigt, oder wurde in einem anderen Browser begonnen. Bitte fang dort noch einmal an, wo du herkommst: in der App des Assistenten oder hier. Wenn Cookies blockiert sind, erlaube sie für diese Seite.',
    },
    lost: {
      title: 'Hier ist nichts',
      text: 'Die Adresse ist vielleicht unvollständig oder von einer früheren Version.',
    },
    refused: {
      title: 'Diese Anfrage lässt sich nicht beantworten',
      text: 'Der Assistent, der dich hierher geschickt hat, fragt anders, als er eingetragen ist. Es wurde nichts verknüpft.',
    },
    outage: {
      title: 'Hier ist etwas schiefgegangen',
      text: 'Der Fehler liegt bei uns, und es wurde nichts verknüpft. Bitte versuch es in einer Minute noch einmal.',
    },
    busy: { title: 'Zu viele auf einmal', text: 'Bitte versuch es in ein paar Sekunden noch einmal.' },
    forOperator: 'Für die Person, die das eingerichtet hat:',
  },

  welcome: {
    invitation: {
      title: 'Dein Konto anlegen',
      submit: 'Konto anlegen',
      password: 'Passwort',
      doneTitle: 'Dein Konto ist bereit',
      done: 'Öffne jetzt die App deines Assistenten, und verknüpfe sie: Dort wirst du nach diesem Anmeldenamen und Passwort gefragt.',
    },
    reset: {
      title: 'Neues Passwort wählen',
      submit: 'Passwort setzen',
      password: 'Neues Passwort',
      doneTitle: 'Dein Passwort ist gesetzt',
      done: 'Du kannst dich jetzt damit anmelden. Alle Browser wurden abgemeldet, und frühere Passkeys entfernt. Verbundene Assistenten bleiben verbunden.',
    },
    usedUp: {
      title: 'Dieser Link ist verbraucht',
      text: 'Er gilt nur einmal, und nicht ewig. Bitte frag die Person, die ihn geschickt hat, nach einem neuen.',
    },
    name: 'Dein Name',
    rule: 'Mindestens 8 Zeichen, und kein häufiges Passwort. Ein paar Wörter hintereinander merken sich leicht.',
  },

  account: {
    title: 'Dein Konto',
    signInHeading: (brand) => `Dein Konto bei ${brand}`,
    signInText:
      'Melde dich an, um zu sehen, welche Assistenten verbunden sind, mit wem deine Kameras geteilt sind, und was geschehen ist.',
    back: 'Zurück zu deinen Kameras',
    signOut: 'Abmelden',
    lastUsed: (when) => `zuletzt genutzt ${when}`,
    unused: 'noch nicht genutzt',
    remove: 'Entfernen',
    removeOf: (what) => `Entfernen: ${what}`,
    reallyRemove: 'Ja, entfernen',
    reallyRemoveOf: (what) => `Ja, entfernen: ${what}`,
    none: 'Noch nichts.',

    invitations: 'Einladungen',
    may({ mayTalk, mayViewRecordings }) {
      if (mayViewRecordings)
        return mayTalk ? 'zusehen, sprechen und Aufnahmen ansehen' : 'zusehen und Aufnahmen ansehen'
      return mayTalk ? 'zusehen und sprechen' : 'zusehen'
    },
    offer: (owner, login, may) =>
      `${owner} (${login}) teilt sie mit dir: Du darfst ${may}. Wem sie gehört, sieht, wann du hinsiehst.`,
    accept: 'Annehmen',
    acceptOf: (camera, owner) => `${camera} von ${owner} annehmen`,
    decline: 'Ablehnen',
    declineOf: (camera, owner) => `${camera} von ${owner} ablehnen`,

    received: 'Mit dir geteilt',
    receivedFrom: (owner, may) => `Von ${owner} · du darfst ${may}`,
    leave: 'Verlassen',
    leaveOf: (camera, owner) => `${camera} von ${owner} verlassen`,
    leaveWarning: 'Du siehst diese Kamera dann nicht mehr, und nur wem sie gehört, kann dich wieder einladen.',
    reallyLeave: 'Ja, verlassen',
    reallyLeaveOf: (camera, owner) => `Ja, ${camera} von ${owner} verlassen`,

    assistants: 'Verbundene Assistenten',
    noAssistant:
      'Keine. Verknüpfe einen in seiner App: Aktiviere den Skill in der Alexa-App, oder füge den Dienst in der Google-Home-App hinzu.',
    homeApp: 'Mit der Google-Home-App verknüpfen',
    linkOf: (assistant, when) => `${assistant}, verbunden ${when}`,
    connected: (when) => `Verbunden ${when}`,
    unlinkWarning: (assistant) =>
      `${assistant} zeigt deine Kameras dann nicht mehr, und meldet deine Türklingel nicht mehr.`,

    browsers: 'Wo du angemeldet bist',
    thisBrowser: 'Dieser Browser',
    signedIn: (when) => `Angemeldet ${when}`,
    signOutOf: (browser, when) => `${browser} abmelden, angemeldet ${when}`,
    signOutOthers: 'Alle anderen Browser abmelden',
    browser: (browser, system) => `${browser ?? 'Ein Browser'}${system === undefined ? '' : ` auf ${system}`}`,

    password: 'Passwort',
    changePassword: 'Passwort ändern',
    oldPassword: 'Bisheriges Passwort',
    newPassword: 'Neues Passwort',
    othersSignedOut: 'Alle anderen Browser werden abgemeldet.',
    alsoPasskeys: 'Auch meine Passkeys entfernen',
    change: 'Passwort ändern',

    passkeys: 'Passkeys',
    noPasskey:
      'Keine. Mit einem Passkey meldest du dich per Fingerabdruck, Gesicht oder Geräte-PIN an statt mit einem Passwort.',
    passkey: 'Passkey',
    passkeyOf: (when) => `der Passkey vom ${when}`,
    made: (when) => `Erstellt ${when}`,
    passkeyWarning: 'Du kannst dich dann nicht mehr damit anmelden.',
    addPasskey: 'Passkey hinzufügen',
    confirmFirst: 'Ein Passkey meldet dich ohne Passwort an. Bitte bestätige darum zuerst, dass du es bist.',
    confirm: 'Bestätigen',
    confirmByPasskey: 'Mit Passkey bestätigen',

    guest: (may) => `Darf ${may}`,
    invited: (may) => `Eingeladen, noch keine Antwort · darf ${may}`,
    withdraw: 'Zurückziehen',
    withdrawOf: (guest, camera) => `Einladung von ${guest} zu ${camera} zurückziehen`,
    removeGuestWarning: 'Diese Person kann die Kamera dann nicht mehr sehen, weder hier noch auf ihren Displays.',
    guestOf: (login, camera) => `${login} von ${camera}`,
    removeGuestOf: (guest, camera) => `${guest} von ${camera} entfernen`,
    share: (camera) => `${camera} teilen`,
    guestLogin: 'Anmeldename der anderen Person',
    guestMay: 'Die andere Person darf',
    view: 'zusehen',
    viewAndTalk: 'zusehen und sprechen',
    shareHint: 'Die andere Person wird erst gefragt, und hat 14 Tage Zeit. Du siehst, wann sie hinsieht.',
    invite: 'Einladen',

    data: 'Deine Daten',
    download: 'Meine Daten herunterladen',
    downloadHint:
      'Eine Datei (JSON) mit dem, was über dich gespeichert ist: Konto, Kameras, Freigaben, Assistenten, Sitzungen und Verlauf. Ohne Passwörter, Schlüssel, Bilder und Aufnahmen.',
    deleteAccount: 'Mein Konto löschen …',

    history: 'Zuletzt geschehen',
    kinds: {
      linked: 'Verbunden',
      unlinked: 'Getrennt',
      'token-reused': 'Getrennt, weil zwei dasselbe Token genutzt haben',
      'login-failed': 'Falsches Passwort',
      'signed-up': 'Konto angelegt',
      'signed-in': 'Angemeldet',
      'signed-out': 'Abgemeldet',
      'password-reset': 'Neues Passwort über einen Link vom Betreiber; alle Browser wurden abgemeldet',
      'password-changed': 'Passwort geändert',
      'passkey-added': 'Passkey hinzugefügt',
      'passkey-removed': 'Passkey entfernt',
      shared: 'Geteilt',
      invited: 'Eingeladen',
      left: 'Nicht mehr geteilt, weil der Gast sie verlassen hat',
      'recording-viewed': 'Aufnahme angesehen',
      unshared: 'Nicht mehr geteilt',
      'data-downloaded': 'Daten heruntergeladen',
      'account-removed': 'Konto entfernt',
    },
  },

  deletion: {
    title: 'Dein Konto löschen',
    who: (name, login) =>
      `Damit wird das Konto von ${name} (${login}) gelöscht. Das lässt sich nicht rückgängig machen.`,
    goes: 'Was gelöscht wird',
    going: [
      'dein Name, Anmeldename, Passwort und deine Passkeys',
      'deine Kameras hier, mit Einstellungen, Standbildern, Aufnahmen und Verlauf',
      'was du mit anderen teilst, und was andere mit dir teilen',
      'deine Verbindung mit Alexa und Google: Sie werden benachrichtigt, und zeigen deine Kameras nicht mehr',
      'deine Anmeldung in allen Browsern, auch in diesem',
    ],
    stays: 'Was bleibt',
    staying: [
      'eine Zeile für den Betreiber: dass ein Konto gelöscht wurde, ohne deinen Namen oder Anmeldenamen',
      'Sicherungen und Protokolle des Betreibers, bis er sie löscht',
      'was Amazon und Google selbst speichern: siehe deine Konten dort',
      'die Einstellungen der Kameras selbst, und was von hier heruntergeladen wurde',
    ],
    downloadFirst: 'Erst meine Daten herunterladen',
    last: 'Außer dir ist auf dieser Bridge niemand. Danach kann nur der Betreiber wieder jemanden hinzufügen.',
    confirm: 'Bitte bestätige, dass du es bist.',
    password: 'Bisheriges Passwort',
    submit: 'Mein Konto löschen',
    byPasskey: 'Mein Konto mit Passkey löschen',
    byProvider: (provider) => `Noch einmal bei ${provider} anmelden und mein Konto löschen`,
    keep: 'Mein Konto behalten',
  },

  notes: {
    removed: 'Entfernt. Es gilt in einer Minute nicht mehr.',
    gone: 'Das gibt es nicht mehr.',
    invited:
      'Gespeichert. Die Person mit diesem Anmeldenamen findet die Einladung auf der Seite und in ihrem Konto, und entscheidet.',
    accepted: 'Angenommen. Deine Assistenten zeigen die Kamera gleich.',
    declined: 'Abgelehnt. Wem die Kamera gehört, wird nicht benachrichtigt.',
    left: 'Verlassen. Du siehst diese Kamera nicht mehr, und wem sie gehört, kann das lesen.',
    unshared: 'Nicht mehr geteilt.',
    refused: 'Das ließ sich nicht teilen: Die Kamera ist weg, gehört dir nicht, oder hat zu viele Gäste.',
    passkey: 'Der Passkey ist hinzugefügt. Du kannst dich ab jetzt damit anmelden.',
    nopasskey: 'Der Passkey ließ sich nicht hinzufügen. Bitte versuch es noch einmal.',
    confirmed: 'Danke. Fünf Minuten lang kannst du jetzt einen Passkey hinzufügen.',
    unconfirmed: 'Bitte gib dein Passwort ein, oder nutze einen Passkey, bevor du einen Passkey hinzufügst.',
    password:
      'Dein Passwort ist geändert. Alle anderen Browser wurden abgemeldet; verbundene Assistenten bleiben verbunden.',
    ended: 'Dieser Browser ist jetzt abgemeldet.',
    allended: 'Alle anderen Browser wurden abgemeldet.',
    signedout: 'Du wurdest abgemeldet. Bitte melde dich wieder an; es wurde nichts geändert.',
    deleted: 'Dein Konto ist gelöscht, und du bist überall abgemeldet.',
  },
}
