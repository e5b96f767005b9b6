/** What a probe found, on one screen: a picture, and each stream with what displays get and what to change. */
import type { SourceProbe, StreamProbe } from 'transom-core/wire/source'
import { useLanguage } from '../language/language.ts'

export function ProbeResult({ probe }: { readonly probe: SourceProbe }) {
  const { probe: words } = useLanguage().words
  const { information, streams, best, events, hasStills, picture } = probe
  const device = [information.manufacturer, information.model].filter(Boolean).join(' ')
  return (
    <section class="probe" aria-label={words.title}>
      {picture !== undefined && <img src={`data:image/jpeg;base64,${picture}`} alt={words.picture} />}
      {picture === undefined && <p class="alert is-warning">{words.noPicture}</p>}
      {device !== '' && <p class="soft">{device}</p>}
      <ul>
        {streams.map((stream) => (
          <Stream key={stream.url} stream={stream} isBest={streams.length > 1 && stream.url === best?.url} />
        ))}
      </ul>
      {events.length > 0 && (
        <p class="soft">{words.events(events.map((name) => nameIn(words.eventNames, name)).join(', '))}</p>
      )}
      {hasStills && <p class="soft">{words.hasStills}</p>}
      {best === undefined && <p class="alert">{words.noStream}</p>}
    </section>
  )
}

/** A bridge may be newer than this page. */
const nameIn = (names: Readonly<Record<string, string>>, name: string): string => names[name] ?? name

function Stream({ stream, isBest }: { readonly stream: StreamProbe; readonly isBest: boolean }) {
  const { words, formats } = useLanguage()
  const { probe } = words
  const { name, url, codec, width, height, fps, keyFrameMs, sound, hasBackChannel, fault, displays, advice } = stream
  const facts = [
    codec,
    width !== undefined && `${width}×${height}`,
    fps !== undefined && probe.rate(fps),
    keyFrameMs !== undefined && probe.keyFrames(formats.seconds(keyFrameMs)),
    sound === undefined ? probe.noSound : probe.sound(sound),
    hasBackChannel ? probe.talkBack : probe.noTalkBack,
  ].filter(Boolean)
  return (
    <li>
      <h3>
        {name ?? url} {isBest && <span class="state is-on">{probe.forDisplays}</span>}
      </h3>
      {fault === undefined && codec !== undefined && <p class="soft">{facts.join(' · ')}</p>}
      {/* The gateway says both in English. */}
      <p lang="en">{displays}</p>
      {advice.map((line) => (
        <p key={line} lang="en">
          {line}
        </p>
      ))}
    </li>
  )
}
