/** What a probe found, on one screen: a picture, and each stream with what displays get and what to change. */
import type { SourceProbe, StreamProbe } from 'transom-core/wire/source'

export function ProbeResult({ probe }: { readonly probe: SourceProbe }) {
  const { information, streams, best, events, hasStills, picture } = probe
  const device = [information.manufacturer, information.model].filter(Boolean).join(' ')
  return (
    <section class="probe" aria-label="What the camera gives">
      {picture !== undefined && <img src={`data:image/jpeg;base64,${picture}`} alt="What the camera shows now" />}
      {picture === undefined && <p class="alert is-warning">No picture of it could be shown here.</p>}
      {device !== '' && <p class="soft">{device}</p>}
      <ul>
        {streams.map((stream) => (
          <Stream key={stream.url} stream={stream} isBest={streams.length > 1 && stream.url === best?.url} />
        ))}
      </ul>
      {events.length > 0 && <p class="soft">Events: {events.join(', ')}</p>}
      {hasStills && <p class="soft">It makes still pictures by itself.</p>}
      {best === undefined && <p class="alert">No stream of this camera can be shown.</p>}
    </section>
  )
}

function Stream({ stream, isBest }: { readonly stream: StreamProbe; readonly isBest: boolean }) {
  const { name, url, codec, width, height, fps, keyFrameMs, sound, hasBackChannel, fault, displays, advice } = stream
  const facts = [
    codec,
    width !== undefined && `${width}×${height}`,
    fps !== undefined && `${fps} pictures a second`,
    keyFrameMs !== undefined && `key frame each ${(keyFrameMs / 1_000).toFixed(1)} s`,
    `sound ${sound ?? 'none'}`,
    `talk-back ${hasBackChannel ? 'yes' : 'no'}`,
  ].filter(Boolean)
  return (
    <li>
      <h3>
        {name ?? url} {isBest && <span class="state is-on">For displays</span>}
      </h3>
      {fault === undefined && codec !== undefined && <p class="soft">{facts.join(' · ')}</p>}
      <p>{displays}</p>
      {advice.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </li>
  )
}
