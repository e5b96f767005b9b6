/** The inside of `<transom-player>`, made once and cloned. */

const icon = (path: string, name = ''): string =>
  `<svg viewBox="0 0 24 24" aria-hidden="true"${name && ` class="${name}"`}><path d="${path}"/></svg>`

const icons = {
  play: 'M8 5.5v13l11-6.5z',
  stop: 'M6 6h12v12H6z',
  microphone: 'M12 3.5a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0v-5a3 3 0 0 0-3-3zM6 11.5a6 6 0 0 0 12 0M12 17.5v3',
  loud: 'M4.5 9.5v5H8l4.5 4v-13L8 9.5zM16 9a4.2 4.2 0 0 1 0 6M18.5 6.5a7.8 7.8 0 0 1 0 11',
  quiet: 'M4.5 9.5v5H8l4.5 4v-13L8 9.5zM16.5 9.5l5 5M21.5 9.5l-5 5',
  info: 'M5 19v-6M10 19V5M15 19v-9M20 19v-4',
  pause: 'M8.5 6v12M15.5 6v12',
  stepOn: 'M7 6v12M11 6.5v11l8-5.5z',
  stepBack: 'M17 6v12M13 6.5v11l-8-5.5z',
  eventOn: 'M5 6.5v11l7-5.5zM12.5 6.5v11l7-5.5z',
  eventBack: 'M19 6.5v11l-7-5.5zM11.5 6.5v11l-7-5.5z',
  closer: 'M12 6v12M6 12h12',
  farther: 'M6 12h12',
  full: 'M4.5 9V4.5H9M15 4.5h4.5V9M19.5 15v4.5H15M9 19.5H4.5V15',
}

const button = (part: string, label: string, inside: string): string =>
  `<button part="${part}" type="button" data-label="${label}">${inside}</button>`

const html = `
<div part="stage">
<video part="video" autoplay playsinline></video>
<div part="shade"></div>
<button part="start" type="button">${icon(icons.play, 'solid')}</button>
<div part="waiting" hidden><span class="spinner"></span></div>
<div part="trouble" hidden>
  <p part="message" role="status"></p>
  <p part="advice"></p>
  <button part="retry" type="button"></button>
</div>
<dl part="stats" hidden>
  <div><dt data-word="codec"></dt><dd part="codec">–</dd></div>
  <div><dt data-word="size"></dt><dd part="size">–</dd></div>
  <div><dt data-word="rate"></dt><dd part="rate">–</dd></div>
  <div><dt data-word="roundTrip"></dt><dd part="round-trip">–</dd></div>
  <div><dt data-word="loss"></dt><dd part="loss">–</dd></div>
  <div><dt data-word="route"></dt><dd part="route">–</dd></div>
  <div><dt data-word="firstFrame"></dt><dd part="first-frame">–</dd></div>
</dl>
<div part="findings">
  <p part="fault" role="status" hidden></p>
  <p part="remarks" role="status"></p>
</div>
<p part="note" role="alert" hidden></p>
<div part="bar" hidden>
  <span part="live"><span class="dot"></span><span part="status" role="status"></span></span>
  <button part="talk" type="button" aria-pressed="false" data-label="holdToTalk" hidden>${icon(icons.microphone)}<span aria-hidden="true" data-word="talk"></span></button>
  <span class="gap"></span>
  <button part="mute" type="button">${icon(icons.loud, 'loud')}${icon(icons.quiet, 'quiet')}</button>
  <button part="info" type="button" data-label="statistics" aria-expanded="false">${icon(icons.info)}</button>
  <button part="full" type="button" data-label="fullScreen">${icon(icons.full)}</button>
  <button part="stop" type="button" data-label="stop">${icon(icons.stop)}</button>
</div>
</div>
<div part="past" role="group" data-label="past" hidden>
  <div part="track" role="slider" tabindex="0" data-label="timeLine" aria-keyshortcuts="ArrowLeft ArrowRight PageUp PageDown Home End">
    <div part="stretches" aria-hidden="true"></div>
    <span part="head" aria-hidden="true"></span>
    <figure part="preview" aria-hidden="true" hidden><img alt="" hidden><figcaption></figcaption></figure>
  </div>
  <div part="tools">
    ${button('previous-event', 'previousEvent', icon(icons.eventBack, 'solid'))}
    ${button('step-back', 'stepBack', icon(icons.stepBack))}
    <button part="pause" type="button">${icon(icons.pause, 'loud')}${icon(icons.play, 'solid quiet')}</button>
    ${button('step-on', 'stepOn', icon(icons.stepOn))}
    ${button('next-event', 'nextEvent', icon(icons.eventOn, 'solid'))}
    <span part="time"></span>
    <span class="gap"></span>
    <select part="speed" data-label="speed"></select>
    ${button('zoom-out', 'zoomOut', icon(icons.farther))}
    ${button('zoom-in', 'zoomIn', icon(icons.closer))}
    <button part="go-live" type="button" data-word="live"></button>
  </div>
</div>
`

export function elementTemplate(): DocumentFragment {
  const template = document.createElement('template')
  template.innerHTML = html
  return template.content
}
