/** The look of `<transom-player>`. A constructed sheet, which a strict Content-Security-Policy lets through. */

const css = `
:host {
  position: relative; display: block; overflow: hidden; aspect-ratio: 16 / 9; border-radius: 14px; background: #0b0e13;
  color: #fff; font: 500 14px/1.4 system-ui, sans-serif; user-select: none; -webkit-user-select: none;
}
:host(:fullscreen) { border-radius: 0; aspect-ratio: auto; }
[part='stage'] { position: absolute; inset: 0; }
:host([timeline]) { display: flex; flex-direction: column; aspect-ratio: auto; }
:host([timeline]) [part='stage'] { position: relative; aspect-ratio: 16 / 9; max-height: 66dvh; min-height: 180px; }
:host([timeline]:fullscreen) [part='stage'] { flex: 1; aspect-ratio: auto; max-height: none; }
[hidden] { display: none !important; }
video { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; }
button {
  display: inline-flex; align-items: center; justify-content: center; gap: 8px; min-width: 44px; height: 44px; padding: 0 10px;
  border: 0; border-radius: 22px; background: transparent; color: inherit; font: inherit; cursor: pointer; touch-action: none;
}
button:hover { background: rgb(255 255 255 / 16%); }
button:focus-visible { outline: 3px solid #8cc8ee; outline-offset: -3px; }
svg { width: 24px; height: 24px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
svg.solid { fill: currentColor; stroke: none; }
[part='shade'] {
  position: absolute; inset: auto 0 0; height: 96px; background: linear-gradient(transparent, rgb(0 0 0 / 72%)); pointer-events: none;
}
:host([data-state='idle']) [part='shade'] { display: none; }
[part='start'] {
  position: absolute; inset: 0; margin: auto; width: 76px; height: 76px; border-radius: 50%; background: rgb(255 255 255 / 92%);
  color: #10161d; touch-action: manipulation;
}
[part='start'] svg { width: 38px; height: 38px; }
[part='start']:hover { background: #fff; }
[part='waiting'] { position: absolute; inset: 0; display: grid; place-items: center; }
.spinner {
  width: 44px; height: 44px; border-radius: 50%; border: 3px solid rgb(255 255 255 / 25%); border-top-color: #fff;
  animation: turn 0.9s linear infinite;
}
@keyframes turn { to { rotate: 1turn } }
[part='trouble'] {
  position: absolute; inset: 0; padding: 16px 24px 56px; background: rgb(11 14 19 / 82%); display: grid; place-content: center;
  justify-items: center; gap: 8px; text-align: center; text-wrap: balance; overflow: auto;
}
[part='trouble'] p { margin: 0; max-width: 46ch; }
[part='message']::first-letter { text-transform: uppercase; }
[part='message'] { font-size: 17px; font-weight: 600; }
[part='advice'] { color: #c9d2dd; }
[part='retry'] { margin-top: 6px; padding: 0 20px; background: #fff; color: #10161d; font-weight: 600; touch-action: manipulation; }
[part='retry']:hover { background: #dfe6ee; }
[part='bar'] {
  position: absolute; inset: auto 0 0; padding: 8px 10px; display: flex; align-items: center; gap: 4px; transition: opacity 0.3s;
}
.gap { flex: 1; }
[part='live'] { display: inline-flex; align-items: center; gap: 8px; margin: 0 10px 0 8px; white-space: nowrap; }
.dot { width: 9px; height: 9px; border-radius: 50%; background: #c9d2dd; }
:host([data-state='live']) .dot { background: #ff5a52; }
:host([data-state='failed']) .dot { background: #f4b740; }
:host([data-state='reconnecting']) .dot, :host([data-state='connecting']) .dot { animation: pulse 1.4s ease-in-out infinite; }
:host([data-state='recorded']) .dot { background: #8cc8ee; }
@keyframes pulse { 50% { opacity: 0.25 } }
[part='talk'], [part='talk'] svg { flex: none; }
[part='talk'] { padding: 0 14px 0 10px; background: rgb(255 255 255 / 18%); font-weight: 600; }
@media (width < 420px) {
  [part='bar'] { gap: 0; padding: 8px 4px; }
  [part='live'] { margin: 0 4px 0 6px; gap: 6px; }
  [part='talk'] { gap: 6px; padding: 0 12px 0 8px; }
}
[part='talk'][aria-pressed='true'] { background: #2fbf71; color: #04150b; }
.quiet, .is-off .loud { display: none; }
.is-off .quiet { display: block; }
:host(.is-calm) { cursor: none; }
:host(.is-calm) [part='bar'], :host(.is-calm) [part='shade'] { opacity: 0; pointer-events: none; }
:host(.is-calm) [part='bar']:focus-within, :host(.is-calm) [part='bar']:has([aria-pressed='true']) { opacity: 1; pointer-events: auto; }
[part='stats'] {
  position: absolute; top: 12px; left: 12px; margin: 0; padding: 10px 14px; display: grid; gap: 2px; border-radius: 10px;
  background: rgb(8 11 16 / 84%); font: 500 12px/1.5 ui-monospace, monospace; font-variant-numeric: tabular-nums;
}
[part='stats'] div { display: flex; justify-content: space-between; gap: 18px; }
dt { color: #b4bfcc; } dd { margin: 0; }
[part='past'] { padding: 10px 12px 6px; background: #12171f; }
[part='track'] {
  position: relative; height: 46px; border-radius: 8px; background: #222a35; cursor: pointer; touch-action: none;
}
[part='track']:focus-visible { outline: 3px solid #8cc8ee; outline-offset: 2px; }
[part='stretches'] { position: absolute; inset: 0; overflow: hidden; border-radius: 8px; }
[part='stretches'] i { position: absolute; font-style: normal; white-space: nowrap; pointer-events: none; }
.stretch { top: 0; height: 26px; min-width: 2px; background: #3d7ea8; }
.mark { top: 4px; width: 6px; height: 18px; margin-left: -3px; border-radius: 3px; background: #fff; }
.mark.press { background: #ffcf5c; }
.tick { bottom: 2px; padding-left: 4px; border-left: 1px solid rgb(255 255 255 / 35%); color: #c9d2dd; font-size: 11px; line-height: 14px; }
[part='head'] { position: absolute; top: -4px; bottom: -4px; width: 3px; margin-left: -1.5px; border-radius: 2px; background: #ff5a52; pointer-events: none; }
[part='preview'] {
  position: absolute; bottom: 54px; z-index: 1; margin: 0; translate: -50%; padding: 4px; border-radius: 8px; background: #0b0e13;
  box-shadow: 0 2px 12px rgb(0 0 0 / 60%); text-align: center; white-space: nowrap; pointer-events: none;
}
[part='preview'] img { display: block; width: 160px; border-radius: 4px; }
[part='tools'] { display: flex; flex-wrap: wrap; align-items: center; gap: 2px; }
[part='tools'] button { min-width: 40px; padding: 0 8px; }
[part='tools'] button:disabled { opacity: 0.35; cursor: default; }
[part='time'] { margin: 0 8px; font-variant-numeric: tabular-nums; white-space: nowrap; }
[part='speed'] { height: 36px; border: 0; border-radius: 8px; background: #222a35; color: inherit; font: inherit; }
[part='speed'] option { background: #222a35; color: #fff; }
[part='go-live'][aria-pressed='true'] { color: #ff8f88; }
[part='note'], [part='fault'], [part='remarks'] {
  margin: 0 auto; width: fit-content; max-width: 52ch; padding: 8px 14px; border-radius: 10px; background: #fff; color: #10161d;
}
[part='note'] { position: absolute; inset: auto 12px 64px; }
[part='findings'] { position: absolute; inset: 12px 12px auto; display: grid; gap: 8px; pointer-events: none; }
[part='remarks']:empty { padding: 0; }
@media (prefers-reduced-motion: reduce) {
  .spinner { animation-duration: 4s; } .dot { animation: none !important; } [part='bar'] { transition: none; }
}
`

/** Shared by all players of the page. */
export const elementStyle = new CSSStyleSheet()
elementStyle.replaceSync(css)
