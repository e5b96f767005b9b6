/** Was die Seite auf Deutsch sagt: kurz, und mit „du“, denn hier spricht ein Gerät des Haushalts. */
import { countedIn, rich } from './catalogue.ts'
import type { Words } from './en.ts'
import { problemsDe } from './problems-de.ts'

const counted = countedIn('de')

export const de: Words = {
  problems: problemsDe,
  eventsAdvice: {
    source_password:
      'Gib diesem Benutzer das Recht auf ONVIF: Manche Marken führen ONVIF-Benutzer in einer eigenen Liste. Gib die Kamera dann noch einmal an, mit --onvif.',
    source_refused: 'Schalte ONVIF in den Einstellungen der Kamera ein, und prüfe den Port ihrer ONVIF-Adresse.',
    source_not_found:
      'Such die ONVIF-Adresse noch einmal (npx transom camera probe HOST), und gib sie bei der Kamera an.',
    source_busy: 'Schließ andere Programme, die ihren Ereignissen folgen, oder starte die Kamera neu.',
    source_garbled:
      'Aktualisiere die Firmware der Kamera. Hat sie keine ONVIF-Ereignisse, lass ihren Knopf stattdessen den Webhook der Kamera aufrufen.',
    source_invalid:
      'Such die ONVIF-Adresse noch einmal (npx transom camera probe HOST), und gib sie bei der Kamera an.',
  },

  justNow: 'gerade eben',

  frame: {
    skip: 'Zum Inhalt springen',
    screens: 'Bereiche',
    cameras: 'Kameras',
    activity: 'Ereignisse',
    sessions: 'Aufrufe',
    accountOf: (name) => `Konto von ${name}`,
    account: 'Konto und verknüpfte Assistenten',
    notifications: 'Benachrichtigungen …',
    language: 'Sprache',
    signOut: 'Abmelden',
    signedOut: 'Du bist abgemeldet.',
    signInAgain: 'Wieder anmelden',
    outage: 'Die Bridge antwortet nicht. Diese Seite macht von selbst weiter, sobald sie es tut.',
    lost: 'Hier ist nichts',
    toCameras: 'Zu den Kameras',
    backToCameras: 'Zurück zu den Kameras',
    notices: 'Hinweise',
  },

  common: {
    cancel: 'Abbrechen',
    close: 'Schließen',
    save: 'Speichern',
    done: 'Fertig',
    moment: 'Einen Moment …',
    name: 'Name',
    room: 'Raum',
    optional: '(freiwillig)',
    address: 'Adresse',
    user: 'Benutzer',
    password: 'Passwort',
    kind: 'Art',
    kinds: { doorbell: 'Türklingel', camera: 'Kamera' },
    copy: (what) => `${what} kopieren`,
    copied: (what) => `${what}: kopiert`,
    talkBack: 'Gegensprechen',
    timeline: 'Zeitverlauf',
    openSession: 'Aufruf öffnen',
    showAll: 'Alle zeigen',
  },

  signIn: {
    title: 'Sieh, wer vor der Tür steht',
    what: 'Transom bringt deine Kameras auf Echo Show, Nest Hub und diese Seite. Melde dich mit dem Benutzer an, mit dem du die Assistenten verknüpfst.',
    signIn: 'Anmelden',
    onMachine: (command) =>
      rich`Sitzt du an dem Rechner, auf dem die Bridge läuft? ${command} zeigt einen Link, der dich anmeldet.`,
    otherTab: 'Die Anmeldung wurde in einem anderen Tab begonnen, oder vor zu langer Zeit.',
    failed: 'Die Anmeldung hat nicht geklappt.',
  },

  assistants: { alexa: 'Alexa', google: 'Google Home', console: 'diese Seite' },
  thisPage: 'Diese Seite',
  onDisplay: { alexa: 'auf Alexa', google: 'auf Google Home', console: 'auf dieser Seite' },
  byGuest: (login) => `von ${login}`,
  ofRecording: (when) => `Aufnahme: ${when}`,

  outcomes: { running: 'Läuft', fine: 'Gut', unconfirmed: 'Unklar', failed: 'Fehler' },

  state: {
    online: 'Online',
    offline: 'Offline',
    unknown: 'Unbekannt',
    recording: 'Nimmt auf',
    recordingPaused: 'Aufnahme angehalten',
  },

  cameras: {
    title: 'Kameras',
    add: 'Kamera hinzufügen',
    none: 'Noch keine Kamera',
    addOne: 'Füge eine hinzu: Diese Seite sucht Kameras in deinem Netz. Oder bitte jemanden, eine mit dir zu teilen.',
    askForOne: 'Bitte jemanden, eine mit dir zu teilen.',
    liveOf: (name) => `${name}, live`,
    live: 'Live',
    viewers: (count) => counted(count, { one: 'Zuschauer', other: 'Zuschauer' }),
    rings: 'Klingelt',
    sharedTo: ({ mayTalk, mayViewRecordings }) =>
      `mit dir geteilt: ansehen${mayTalk ? ', sprechen' : ''}${mayViewRecordings ? ', Aufnahmen sehen' : ''}`,
    findHint: 'Name oder Raum',
    online: (online, all) => `${online} von ${counted(all, { one: 'Kamera', other: 'Kameras' })} online`,
    noRoom: 'Ohne Raum',
    noMatch: 'Keine passenden Kameras',
    mutedUntil: (time) => `Klingelt in diesem Browser nicht bis ${time}.`,
    unmute: 'Wieder klingeln',
    neverRang: 'Hat noch nicht geklingelt',
    rang: (ago) => `Hat ${ago} geklingelt`,
    moreFor: (name) => `Mehr zu ${name}`,
    edit: 'Bearbeiten …',
    share: 'Teilen …',
    webhooks: 'Webhooks …',
    remove: 'Entfernen …',
    leave: 'Verlassen …',
  },

  test: {
    title: 'Testen',
    of: (name) => `${name} testen`,
    ring: 'Klingeln',
    ringOf: (name) => `Bei ${name} klingeln`,
    ringing: (name) => `${name} klingelt.`,
    showOn: (name, assistant) =>
      assistant === 'alexa' ? `${name} auf einem Echo Show zeigen` : `${name} auf einem Nest Hub zeigen`,
  },

  visitor: {
    at: (name) => `Jemand ist an: ${name}`,
    atDoor: 'Jemand steht vor der Tür.',
    answer: 'Antworten',
    mute: 'Stumm für …',
    muteOf: (name) => `Stumm für … (${name}, in diesem Browser)`,
    mutes: { quarter: '15 Minuten', hour: 'eine Stunde', night: 'acht Stunden' },
    dismiss: 'Ausblenden',
  },

  notices: {
    alexa_unlinked:
      'Alexa nimmt für dieses Konto keine Ereignisse mehr an: Aktiviere den Skill in der Alexa-App noch einmal.',
    google_unlinked:
      'Google nimmt für dieses Konto keine Meldungen mehr an: Verknüpfe es in der Google-Home-App noch einmal.',
    alexa_same_names: (names) =>
      `Alexa kann Kameras mit gleichem Namen nicht unterscheiden: Gib jeder einen eigenen Namen (${names}).`,
    button_stuck: (name) =>
      `Der Knopf von ${name} klingelt ohne Pause. Er wird ignoriert, bis er eine Minute lang still war: Prüfe, ob er klemmt.`,
    alexa_left_out: (names) =>
      `Alexa bekommt nicht alle Kameras: Sie nimmt 300 an, mit IDs aus Buchstaben, Ziffern und _-=#;:?@&. Es fehlen: ${names}.`,
    certificate_ending: (day, remedy) =>
      `Das HTTPS-Zertifikat dieser Bridge gilt bis ${day} und konnte nicht erneuert werden. Was zu ändern ist, auf Englisch: ${remedy}`,
  },

  invitations: {
    title: 'Einladungen',
    offer: (owner, login, camera) => rich`${owner} (${login}) möchte ${camera} mit dir teilen.`,
    mayTalk: 'Du darfst zusehen und sprechen. Wem sie gehört, sieht, wann du hinsiehst.',
    mayView: 'Du darfst zusehen. Wem sie gehört, sieht, wann du hinsiehst.',
    mayViewRecordings: 'Du darfst auch ihre Aufnahmen sehen.',
    accept: 'Annehmen',
    acceptOf: (camera) => `${camera} annehmen`,
    accepted: (camera) => `Du kannst ${camera} jetzt sehen.`,
    decline: 'Ablehnen',
    declineOf: (camera) => `${camera} ablehnen`,
    declined: (camera) => `Die Einladung zu ${camera} ist abgelehnt.`,
  },

  lately: {
    title: 'Zuletzt',
    none: 'Noch ist nichts passiert.',
    noneButTry: 'Noch ist nichts passiert. Probier das:',
    tries: [
      'Sieh dir die Türklingel live an, und sprich mit ihr.',
      'Sei ein Echo Show: Verknüpfe ihn, und lass Alexa die Tür zeigen.',
      'Klingle, und sieh zu, wie das Display es meldet.',
    ],
    what: 'Hier stehen Klingeln, Personen und Bewegung.',
    keepClips: 'Soll von jedem ein Clip bleiben, wähle Bearbeiten … und schalte die Aufnahme ein.',
    all: 'Alle Ereignisse',
  },

  activity: {
    title: 'Ereignisse',
    heads: { press: 'Geklingelt', person: 'Person', motion: 'Bewegung', recorded: 'Aufgenommen' },
    answers: { answered: 'jemand hat geantwortet', seen: 'jemand hat hingesehen', nobody: 'niemand hat geantwortet' },
    also: { press: 'geklingelt', person: 'Person', motion: 'Bewegung' },
    filters: { camera: 'Kamera', kind: 'Was', day: 'Tag' },
    allEvents: 'Alle Ereignisse',
    kinds: { press: 'Klingeln', person: 'Personen', motion: 'Bewegung', recorded: 'Alle Aufnahmen' },
    dayBefore: 'Tag davor',
    dayAfter: 'Tag danach',
    none: 'Noch ist nichts passiert',
    noMatch: 'Keine passenden Ereignisse',
    noneWhy: 'Hier stehen Klingeln, Personen und Bewegung der letzten 30 Tage mit ihren Aufnahmen.',
    switchOn:
      'Hier stehen Klingeln, Personen und Bewegung der letzten 30 Tage. Sollen sie aufgenommen werden, wähle Bearbeiten … bei einer Kamera.',
    more: 'Frühere zeigen',
    playOf: (what) => `Abspielen: ${what}`,
    inPlayer: 'Im Player öffnen',
    inPlayerOf: (what) => `Im Player öffnen: ${what}`,
    moreOf: (what) => `Mehr zu: ${what}`,
    notPlayed:
      'Diese Aufnahme lässt sich hier nicht abspielen. Vielleicht ist sie gelöscht, oder der Browser spielt ihr Video nicht.',
    download: 'Herunterladen',
    shareLink: 'Link teilen …',
    removeOne: 'Löschen …',
    deleteOf: (name) => `Aufnahmen von ${name} löschen`,
    removeDay: 'Diesen Tag löschen …',
    removeAll: 'Alle Aufnahmen löschen …',
    oneOf: (name, when) => `${name}, ${when}`,
    allOf: (name, day) => `Alle Aufnahmen von ${name} am ${day}`,
    everythingOf: (name) => `Alle Aufnahmen von ${name}`,
  },

  removeRecordings: {
    title: 'Endgültig löschen?',
    what: 'Video, Bild und Eintrag werden gelöscht, und Links darauf öffnen nichts mehr. Dass jemand geklingelt hat oder da war, bleibt 30 Tage in der Liste.',
    remove: 'Löschen',
    removed: 'Gelöscht.',
  },

  shareClip: {
    title: (name) => `Eine Aufnahme von ${name} teilen`,
    what: 'Wer den Link hat, sieht diese eine Aufnahme, ohne sich anzumelden. Wird die Aufnahme gelöscht, endet der Link.',
    works: 'Der Link gilt',
    days: (days) => counted(days, { one: 'Tag', other: 'Tage' }),
    make: 'Link erstellen',
    link: 'Link',
    until: (when) => `Gilt bis ${when}.`,
  },

  record: {
    title: 'Aufnahme',
    wishes: {
      never: { name: 'Nie', what: 'Nichts wird aufbewahrt.' },
      events: {
        name: 'Bei Ereignissen',
        what: 'Von einigen Sekunden vor einem Klingeln, einer Person oder Bewegung bis einige Sekunden danach.',
      },
      always: { name: 'Immer', what: 'Alles, Tag und Nacht. Die ältesten Aufnahmen werden zuerst gelöscht.' },
    },
    pause: 'Aufnahme anhalten',
    paused: 'Nichts wird aufgenommen, bis du fortfährst.',
    resume: 'Aufnahme fortsetzen',
    resumed: 'Die Aufnahme geht weiter.',
    law: 'Sag Besuchern, dass sie gefilmt werden: In den meisten Ländern ist ein Schild Pflicht, und öffentliche Straßen dürfen nicht gefilmt werden.',
  },

  cause: {
    title: 'Ursache',
    askOwner: 'Das kann nur die Besitzerin oder der Besitzer der Kamera beheben: Sag ihnen, was du hier siehst.',
    hint: 'Hinweis',
    events: 'Ereignisse, die nicht ankommen',
    eventsMissing: 'Klingeln und Bewegung kommen nicht an',
    servers: 'Server, die nicht antworten',
    noAddress: (servers) =>
      servers === 1 ? 'Keine Adresse von einem Server' : `Keine Adresse von ${counted(servers, { other: 'Servern' })}`,
    serversAdvice:
      'Displays in anderen Netzen bekommen vielleicht kein Bild. Prüfe Adresse, Passwort und Firewall des Servers (TRANSOM_ICE_SERVERS, TRANSOM_TURN_URLS).',
  },

  camera: {
    title: 'Kamera',
    none: 'Diese Kamera gibt es nicht',
    noneWhy: 'Sie wurde entfernt, oder wird nicht mehr mit dir geteilt.',
    timelineOf: (name) => `Zeitverlauf des Live-Bilds von ${name}`,
    model: 'Modell',
    reencoded: 'Für Displays umgewandelt',
    reencodedCost: (of, percent) => `${of}: kostet etwa ${percent} eines Prozessorkerns`,
    rang: 'Geklingelt',
    plays: 'Die Kamera spielt ab, was du sagst',
    packets: (count) => counted(count, { one: 'Paket', other: 'Pakete' }),
    loud: (percent) => `Lautstärke ${percent}`,
  },

  display: {
    names: { alexa: 'Echo Show', google: 'Nest Hub' },
    clouds: { alexa: 'Amazons Cloud', google: 'Googles Cloud' },
    title: (name, assistant) => (assistant === 'alexa' ? `${name} auf einem Echo Show` : `${name} auf einem Nest Hub`),
    timelineOf: (name, assistant) =>
      assistant === 'alexa' ? `Zeitverlauf von ${name} auf dem Echo Show` : `Zeitverlauf von ${name} auf dem Nest Hub`,
    noSimulator: 'Diese Bridge spielt keine Displays nach: Sie bedient die echten (TRANSOM_SIMULATOR).',
    linkFailed: (why) => `Das Verknüpfen hat nicht geklappt: ${why}`,
    unlinked: {
      alexa:
        'Der Echo Show kennt deine Kameras noch nicht. Verknüpfe ihn einmal, wie es die Alexa-App tut: über die Anmeldung und Zustimmung der Bridge.',
      google:
        'Der Nest Hub kennt deine Kameras noch nicht. Verknüpfe ihn einmal, wie es die Google-Home-App tut: über die Anmeldung und Zustimmung der Bridge.',
    },
    link: { alexa: 'Alexa verknüpfen', google: 'Google Home verknüpfen' },
    stop: { alexa: '„Alexa, stopp“', google: '„Hey Google, stopp“' },
    ask: (name, assistant) => (assistant === 'alexa' ? `„Alexa, zeig mir ${name}“` : `„Hey Google, zeig mir ${name}“`),
    isReal: {
      alexa:
        'Bild, Ton und jede Nachricht sind echt: Dein Browser ist das Display, und der Simulator der Bridge ist Amazons Cloud.',
      google:
        'Bild, Ton und jede Nachricht sind echt: Dein Browser ist das Display, und der Simulator der Bridge ist Googles Cloud.',
    },
    talk: 'Sprechen',
    holdToTalk: 'Sprechen: gedrückt halten, oder antippen und weitersprechen',
    pictureOf: (name) => `Live-Bild von ${name}`,
    getting: (name) => `Das Bild von ${name} kommt gleich`,
    announced: (name, assistant) => (assistant === 'alexa' ? `Jemand ist an: ${name}` : `${name}: Es klingelt`),
    afterPress: (ms) => `${ms} nach dem Klingeln`,
    show: 'Zeigen',
    sorry: {
      alexa: 'Die Kamera reagiert leider nicht.',
      google: 'Die Kamera ist gerade leider nicht verfügbar.',
    },
  },

  story: {
    nothing: 'Noch ist nichts geschehen',
    noPicture: 'Noch kein Bild: was bisher geschah',
    pictureAfter: (seconds) => `Bild nach ${seconds}`,
    routes: { direct: 'direkt', relay: 'über ein Relay' },
    tellers: { bridge: 'Bridge', display: 'Browser', cloud: 'Cloud' },
    columns: {
      step: 'Schritt',
      teller: 'Gemeldet von',
      took: 'Seit dem Schritt davor',
      at: 'Seit dem Anfang',
    },
    display: {
      'view-asked': 'Live-Bild angefragt',
      'view-granted': 'Live-Bild erlaubt',
      'offer-made': 'Offer erzeugt',
      'candidates-gathered': 'Netzadressen gesammelt',
      'offer-posted': 'Offer gesendet',
      'answer-received': 'Answer empfangen',
      'ice-connected': 'ICE: verbunden',
      'dtls-connected': 'DTLS: verschlüsselt',
      'first-frame': 'Erstes Bild gezeigt',
      talking: 'Gegensprechen begonnen',
      'talk-ended': 'Gegensprechen beendet',
      lost: 'Verbindung verloren',
      'hung-up': 'Aufgelegt',
    },
    bridge: {
      'asked-for': 'Bild angefragt',
      'offer-received': 'Offer empfangen',
      'offer-sent': 'Offer an die Kamera gesendet',
      'camera-candidate': 'Netzadresse von der Kamera',
      'camera-answered': 'Kamera hat geantwortet',
      'camera-gathered': 'Kamera hat keine weiteren Netzadressen',
      'answer-sent': 'Answer gesendet',
      'display-connected': 'Display meldet: verbunden',
      'camera-connected': 'Kamera meldet: verbunden',
      'talk-back-heard': 'Kamera empfängt das Gegensprechen',
      'no-sound': 'Kein Ton in der Answer',
      'no-picture': 'Die Kamera sendet kein Bild',
      'no-relay': 'Die Kamera hat keine Relay-Adresse',
      refused: 'Abgelehnt',
      ended: 'Beendet',
    },
    cloud: {
      linking: 'Wird verknüpft',
      'account linked': 'Konto verknüpft',
      discovered: 'Kameras gefunden',
      state: 'Zustand empfangen',
      stream: 'Stream empfangen',
      'offer sent': 'Offer gesendet',
      'answer received': 'Answer empfangen',
      'talking back': 'Gegensprechen begonnen',
      'no talk-back': 'Kein Gegensprechen',
      'hung up': 'Aufgelegt',
      failed: 'Gescheitert',
    },
  },

  sessions: {
    title: 'Aufrufe',
    back: 'Zurück zu den Aufrufen',
    moreThan: (shown) => `mehr als ${shown}`,
    filters: { assistant: 'Gezeigt auf', camera: 'Kamera', outcome: 'Ergebnis', find: 'Suchen' },
    all: 'Alle',
    findHint: 'Ursache, ID …',
    none: 'Noch kein Aufruf',
    noneWhy: 'Jeder Aufruf einer Kamera, auf welchem Display auch immer, steht hier.',
    look: 'Sieh dir eine an.',
    noMatch: 'Keine passenden Aufrufe',
    list: 'Aufrufe, die neuesten zuerst',
  },

  figures: {
    title: 'Die letzten 30 Tage',
    succeeded: (share) => `${share} gelungen`,
    of: (count) => `von ${counted(count, { one: 'Aufruf', other: 'Aufrufen' })}`,
    picture: (half, most) => `Bild nach ${half}, 95 % in ${most}`,
    chart: (failed) =>
      `Aufrufe nach Tagen in den letzten 30 Tagen; ${failed === 0 ? 'keiner' : String(failed)} davon fehlgeschlagen`,
  },

  session: {
    one: 'Aufruf',
    title: (name, on) => `${name} ${on}`,
    began: 'Begonnen',
    recordingOf: 'Aufnahme vom',
    answeredAfter: 'Beantwortet nach',
    never: 'nie',
    timelineOf: (id) => `Zeitverlauf des Aufrufs ${id}`,
    waiting: 'wartet: Gerade spricht jemand anderes',
    received: (packets) => `${counted(packets, { one: 'Paket', other: 'Pakete' })} empfangen`,
    delay: (ms) => `${ms} nach der Ankunft`,
    silent: 'nichts empfangen',
    impossible: 'nicht möglich: Die Kamera hat keinen Lautsprecher, oder Sprechen ist nicht erlaubt',
  },

  add: {
    title: 'Kamera hinzufügen',
    ways: {
      found: { title: 'In deinem Netz gefunden', what: 'ONVIF-Kameras, die antworten' },
      address: { title: 'RTSP- oder ONVIF-Adresse', what: 'mit Benutzer und Passwort' },
      restream: { title: 'go2rtc oder Frigate', what: 'seine Streams, über seine Basis-URL' },
      firmware: { title: 'Firmware mit KVS', what: 'eine Kamera, die sich selbst verbindet' },
    },
    add: 'Hinzufügen',
    adding: 'Wird hinzugefügt …',
    exampleName: 'Terrasse',
    exampleRoom: 'Garten',
    keysFor: (id) => `Für die Firmware von ${id}`,
    onlyOnce: 'Die Schlüssel werden nur einmal gezeigt. Kopiere, was du brauchst, bevor du das hier schließt.',
    facts: {
      endpoint: 'Signaling-Endpunkt',
      region: 'Region',
      channel: 'Kanal',
      accessKey: 'Zugriffsschlüssel',
      secretKey: 'Geheimer Schlüssel',
      eventsUrl: 'Ereignisse gehen an',
      cameraKey: 'Schlüssel für Ereignisse',
      ca: 'Zertifizierungsstelle, eine Datei auf der Bridge',
    },
    forSdk: 'Für das C-SDK von AWS und seine Beispiele',
    environment: 'Umgebung',
    hasCopied: 'Ich habe es kopiert',

    searching: 'Suche nach ONVIF-Kameras …',
    noneFound:
      'Keine Kamera hat geantwortet. Schalte ONVIF in ihren Einstellungen ein, oder gib ihre Adresse ein. Gastnetze und VLANs verbergen Kameras.',
    baseUrl: 'Basis-URL',
    exampleBaseUrl: 'http://nas:1984 oder http://frigate:5000',
    exampleAddress: '192.168.1.20 oder rtsp://192.168.1.20/live',
    ifItHasOne: '(falls vorhanden)',
    listing: 'Frage nach den Streams …',
    list: 'Streams auflisten',
    look: 'Kamera ansehen',
    looking: 'Spiele jeden Stream der Kamera ab, um ihn zu messen. Das dauert bis zu einer Minute …',
    noStreams: 'Es gibt dort noch keine Streams. Füge die Kameras erst dort hinzu.',
    exampleNetworkName: 'Haustür',
    networkCamera: 'Netzwerkkamera',
    added: (name) => `${name} ist hinzugefügt.`,
    nameTaken:
      'Du hast schon eine Kamera mit diesem Namen. Assistenten können sie nicht unterscheiden: Wähle einen anderen Namen, oder speichere trotzdem.',
    saveAnyway: 'Trotzdem speichern',
  },

  probe: {
    title: 'Was die Kamera sendet',
    picture: 'Was die Kamera gerade zeigt',
    noPicture: 'Hier lässt sich kein Bild von ihr zeigen.',
    events: (events) => `Ereignisse: ${events}`,
    eventNames: { press: 'Klingeln', motion: 'Bewegung', person: 'Person' },
    hasStills: 'Sie macht selbst Standbilder.',
    noStream: 'Kein Stream dieser Kamera lässt sich zeigen.',
    forDisplays: 'Für Displays',
    rate: (rate) => `${rate} Bilder pro Sekunde`,
    keyFrames: (seconds) => `Keyframe alle ${seconds}`,
    sound: (codec) => `Ton ${codec}`,
    noSound: 'kein Ton',
    talkBack: 'mit Gegensprechen',
    noTalkBack: 'ohne Gegensprechen',
  },

  edit: {
    title: (name) => `${name} bearbeiten`,
    saved: (name) => `${name} ist gespeichert.`,
    addressHint: (place) => `(leer: wie bisher, bei ${place})`,
    passwordHint: '(leer: wie bisher; es wird nie angezeigt)',
    tryIt: 'Kamera ausprobieren',
    try: 'Ausprobieren',
    tryAgain: 'Noch einmal',
    trying: 'Spiele jeden Stream der Kamera ab …',
    testTalkBack: 'Gegensprechen testen',
    playing: 'Spiele einen Ton an der Kamera ab …',
    played: 'Die Kamera hat den Ton angenommen. Wenn ihn niemand gehört hat, stell ihren Lautsprecher lauter.',
    playedSome: (packets, sent) => `Die Kamera hat ${packets} von ${sent} Paketen des Tons angenommen.`,
    saving: 'Wird gespeichert …',
    newCertificate: 'Wenn du die Kamera oder ihre Firmware gewechselt hast, vertraue dem neuen Zertifikat:',
    trust: 'Diesem Zertifikat vertrauen',
    trusted: 'Vertraute Zertifikate',
  },

  share: {
    title: (name) => `${name} teilen`,
    none: 'Noch nicht geteilt.',
    pending: 'Eingeladen, noch keine Antwort',
    mayTalk: 'darf sprechen',
    mayTalkOf: (guest) => `${guest} darf sprechen`,
    mayViewRecordings: 'darf Aufnahmen sehen',
    mayViewRecordingsOf: (guest) => `${guest} darf Aufnahmen sehen`,
    viewRecordingsToo: 'darf auch Aufnahmen und frühere Ereignisse sehen',
    withdraw: 'Zurückziehen',
    withdrawOf: (guest) => `Einladung von ${guest} zurückziehen`,
    stop: 'Beenden',
    stopOf: (guest) => `Nicht mehr mit ${guest} teilen`,
    stopQuestion: (guest) =>
      `Nicht mehr mit ${guest} teilen? Die Kamera verschwindet dort von der Seite und den Displays.`,
    stopNow: 'Nicht mehr teilen',
    goOn: 'Weiter teilen',
    login: 'Anmeldename der anderen Person',
    talkToo: 'darf auch sprechen',
    how: 'Die Person mit diesem Anmeldenamen wird auf dieser Seite gefragt, und hat 14 Tage Zeit.',
    invite: 'Einladen',
  },

  notifications: {
    title: 'Benachrichtigungen',
    what: 'Diese Geräte melden dir, wenn jemand klingelt, auch wenn diese Seite dort geschlossen ist.',
    thisDevice: 'Dieses Gerät',
    since: (day) => `Seit ${day}`,
    remove: 'Entfernen',
    removeOf: (device) => `${device} entfernen`,
    name: 'Name dieses Geräts',
    add: 'Auf diesem Gerät benachrichtigen',
    unable:
      'Dieser Browser kann keine Benachrichtigungen dieser Seite zeigen. Auf einem iPhone oder iPad lege die Seite zuerst auf den Home-Bildschirm und öffne sie von dort.',
    blocked:
      'Dieser Browser zeigt keine Benachrichtigungen dieser Seite. Erlaube sie, wenn er fragt, oder in seinen Einstellungen für diese Seite.',
    unavailable:
      'Dieser Browser erreicht den Dienst nicht, der seine Benachrichtigungen bringt. Prüfe seine Verbindung und seine Einstellungen für Push-Nachrichten und versuche es noch einmal.',
  },

  webhooks: {
    title: (name) => `Webhooks von ${name}`,
    what: 'Für Knöpfe und Sensoren, die nur eine URL aufrufen können (GET oder POST). Wer eine Adresse hat, kann nur dieses eine Ereignis melden und sonst nichts: Halte die Adressen geheim.',
    events: { press: 'Türklingel', motion: 'Bewegung', person: 'Person' },
    renew: 'Neue Adressen erzeugen',
    renewed: (name) => `${name} hat neue Adressen. Die alten gelten nicht mehr.`,
  },

  remove: {
    title: (name) => `${name} entfernen?`,
    what: 'Die Assistenten vergessen sie, ihre Schlüssel gelten nicht mehr, und niemand, mit dem sie geteilt ist, sieht sie noch. Um sie zurückzubekommen, füge sie wieder hinzu.',
    keep: 'Behalten',
    remove: 'Entfernen',
    removed: (name) => `${name} ist entfernt.`,
  },

  leave: {
    title: (name) => `${name} verlassen?`,
    what: 'Du und deine Assistenten seht diese Kamera dann nicht mehr. Nur wem sie gehört, kann dich wieder einladen.',
    stay: 'Bleiben',
    leave: 'Verlassen',
    left: (name) => `Du hast ${name} verlassen.`,
  },
}
