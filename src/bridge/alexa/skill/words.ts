/** What the companion skill says, in each of its languages. */

/** Everything that has to be said; `name` is the camera's, `time` is speakable, counts are whole. */
export interface Words {
  welcome: string
  help: string
  bye: string
  notUnderstood: string
  linkFirst: string
  sorry: string
  noDoorbell: string
  noSuchCamera(name: string): string
  nobody(name: string): string
  lastVisitor(name: string, ago: string): string
  visitors(count: number, name: string): string
  online(name: string): string
  onlineUnknown(name: string): string
  offline(name: string): string
  battery(percent: number): string
  muted(until: string): string
  unmuted: string
  forHowLong: string
  tooLong: string
  justNow: string
  ago(amount: number, unit: 'minute' | 'hour' | 'day'): string
}

const english: Words = {
  welcome: 'Your doorbell is listening. Ask me who was at the door, or how many visitors there were today.',
  help: 'You can ask who was at the door, how many visitors came today, or whether a camera is online. You can also say: mute the doorbell for an hour. What would you like?',
  bye: 'Goodbye.',
  notUnderstood: 'I did not get that. Try: who was at the door?',
  linkFirst: 'To look after your doorbell, please link your account. I have sent a card to your Alexa app.',
  sorry: 'Sorry, I cannot reach your doorbell right now. Please try again in a moment.',
  noDoorbell: 'There is no doorbell in your account yet.',
  noSuchCamera: (name) => `I do not know a camera named ${name}.`,
  nobody: (name) => `Nobody has rung at the ${name} in the last thirty days.`,
  lastVisitor: (name, ago) => `Somebody rang at the ${name} ${ago}.`,
  visitors: (count, name) =>
    count === 0
      ? `Nobody has rung at the ${name} today.`
      : count === 1
        ? `One visitor rang at the ${name} today.`
        : `${count} visitors rang at the ${name} today.`,
  online: (name) => `Yes, the ${name} is online.`,
  onlineUnknown: (name) => `As far as I know the ${name} is online. Ask me to show it, and we will see.`,
  offline: (name) => `No, the ${name} is offline.`,
  battery: (percent) => `Its battery is at ${percent} percent.`,
  muted: (until) => `All right. The doorbell is muted until ${until}. Visitors are still noted.`,
  unmuted: 'The doorbell announces visitors again.',
  forHowLong: 'For how long shall I mute the doorbell?',
  tooLong: 'I can mute the doorbell for a day at most. For how long shall I mute it?',
  justNow: 'just now',
  ago: (amount, unit) => `${amount} ${unit}${amount === 1 ? '' : 's'} ago`,
}

const german: Words = {
  welcome: 'Deine Türklingel hört zu. Frag mich, wer an der Tür war oder wie viele Besucher es heute gab.',
  help: 'Du kannst fragen, wer an der Tür war, wie viele Besucher heute kamen oder ob eine Kamera online ist. Du kannst auch sagen: Schalte die Klingel eine Stunde stumm. Was möchtest du?',
  bye: 'Tschüss.',
  notUnderstood: 'Das habe ich nicht verstanden. Frag zum Beispiel: Wer war an der Tür?',
  linkFirst: 'Verknüpfe bitte zuerst dein Konto. Ich habe dir dafür eine Karte in die Alexa-App geschickt.',
  sorry: 'Ich erreiche deine Türklingel gerade nicht. Versuch es bitte gleich noch einmal.',
  noDoorbell: 'In deinem Konto gibt es noch keine Türklingel.',
  noSuchCamera: (name) => `Eine Kamera namens ${name} kenne ich nicht.`,
  nobody: (name) => `In den letzten dreißig Tagen hat niemand geklingelt: ${name}.`,
  lastVisitor: (name, ago) => `Zuletzt hat es ${ago} geklingelt: ${name}.`,
  visitors: (count, name) =>
    count === 0
      ? `Heute hat noch niemand geklingelt: ${name}.`
      : count === 1
        ? `Heute hat es einmal geklingelt: ${name}.`
        : `Heute hat es ${count} Mal geklingelt: ${name}.`,
  online: (name) => `Ja, ${name} ist online.`,
  onlineUnknown: (name) => `Soweit ich weiß, ist ${name} online. Lass es dir zeigen, dann sehen wir es.`,
  offline: (name) => `Nein, ${name} ist offline.`,
  battery: (percent) => `Der Akku ist bei ${percent} Prozent.`,
  muted: (until) => `In Ordnung. Die Klingel ist bis ${until} stumm. Besucher werden trotzdem notiert.`,
  unmuted: 'Die Klingel kündigt Besucher wieder an.',
  forHowLong: 'Wie lange soll die Klingel stumm sein?',
  tooLong: 'Ich kann die Klingel höchstens einen Tag stumm schalten. Wie lange soll sie stumm sein?',
  justNow: 'gerade eben',
  ago(amount, unit) {
    const [one, many] = {
      minute: ['einer Minute', 'Minuten'],
      hour: ['einer Stunde', 'Stunden'],
      day: ['einem Tag', 'Tagen'],
    }[unit]
    return amount === 1 ? `vor ${one}` : `vor ${amount} ${many}`
  },
}

/** By the language of a locale such as `de-AT`; English where we do not speak it. */
export function wordsFor(locale: string): Words {
  return locale.startsWith('de') ? german : english
}

/** What a name holds that would be markup in speech is spoken as a pause. */
export const speakable = (text: string): string => text.replace(/[<>&"']/g, ' ').trim()
