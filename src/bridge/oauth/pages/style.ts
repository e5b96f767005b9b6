/** The look of the pages, and the headers that let a browser show it and nothing else. */
import { hash } from 'node:crypto'

export const stylesheet = `
:root {
  color-scheme: light dark;
  --page: #f3f1ec; --card: #ffffff; --text: #1c2430; --soft: #56606f; --line: #d9d5cc; --field: #ffffff;
  --edge: #7b8494; --accent: #0f5a86; --on-accent: #ffffff; --accent-hover: #0b4466; --glow: #e3eef5;
  --alert: #9b1c1c; --alert-page: #fdecec;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1b212a; --text: #e9ecf1; --soft: #a9b3c1; --line: #313a47; --field: #141920;
    --edge: #7d899b; --accent: #8cc8ee; --on-accent: #0c1a25; --accent-hover: #b3dcf5; --glow: #22323f;
    --alert: #ffb4ab; --alert-page: #3a1d1d;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; min-height: 100vh; min-height: 100svh; display: grid; place-items: center; padding: 1.5rem 1rem;
  background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
main {
  width: 100%; max-width: 27rem; padding: 2rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 1rem; box-shadow: 0 1px 2px rgb(0 0 0 / 6%), 0 12px 32px rgb(0 0 0 / 8%);
}
.brand { display: flex; align-items: center; gap: .6rem; margin: 0 0 1.5rem; font-weight: 600; }
.brand svg { width: 2rem; height: 1.25rem; color: var(--accent); }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; letter-spacing: -.01em; text-wrap: balance; }
h2 { margin: 1.5rem 0 .5rem; font-size: 1rem; }
p { margin: 0 0 1rem; }
.soft { color: var(--soft); font-size: .9rem; }
.alert {
  margin: 1rem 0; padding: .75rem 1rem; border-left: 4px solid var(--alert); border-radius: .4rem;
  background: var(--alert-page); color: var(--alert);
}
label { display: block; margin: 1rem 0 .3rem; font-weight: 600; }
input {
  width: 100%; min-height: 3rem; padding: .5rem .85rem; font: inherit; color: inherit; background: var(--field);
  border: 1px solid var(--edge); border-radius: .6rem;
}
input[aria-invalid] { border-color: var(--alert); }
.account {
  display: flex; align-items: center; gap: .85rem; margin: 1.25rem 0; padding: .85rem 1rem; background: var(--glow);
  border-radius: .75rem;
}
.account p { margin: 0; line-height: 1.35; }
.account span { display: block; }
.initial {
  flex: none; width: 2.5rem; height: 2.5rem; border-radius: 50%; background: var(--accent); color: var(--on-accent);
  font-weight: 600; line-height: 2.5rem; text-align: center;
}
.may { margin: 0 0 1rem; padding: 0; list-style: none; }
.may li { position: relative; margin: .5rem 0; padding-left: 1.75rem; }
.may li::before {
  content: ''; position: absolute; left: .35rem; top: .3rem; width: .4rem; height: .75rem;
  border: solid var(--accent); border-width: 0 .15rem .15rem 0; transform: rotate(45deg);
}
.rows { margin: 0; padding: 0; list-style: none; }
.rows li {
  display: flex; align-items: center; justify-content: space-between; gap: 1rem; padding: .6rem 0;
  border-bottom: 1px solid var(--line);
}
.rows p { margin: 0; }
.rows span { display: block; }
.rows form, .rows div { flex: none; }
.hint { margin: .4rem 0 0; }
.rows .quiet { margin: 0; min-height: 2.75rem; padding: .5rem; }
.history { margin: 0; padding: 0; list-style: none; }
.history li { padding: .35rem 0; font-size: .9rem; }
.history time { display: block; font-size: .8rem; }
.done {
  margin: 1rem 0; padding: .75rem 1rem; border-left: 4px solid var(--accent); border-radius: .4rem; background: var(--glow);
}
.way { margin: 0 0 .5rem; }
.way a { display: inline-block; padding: .6rem 0; }
.rows li:has(.asked[open]) { display: block; }
.asked { flex: none; max-width: 100%; }
.asked summary { padding: .6rem .5rem; list-style: none; text-decoration: underline; }
.asked summary::-webkit-details-marker { display: none; }
.asked[open] summary { padding-left: 0; }
summary { min-height: 2.75rem; padding: .6rem 0; color: var(--accent); cursor: pointer; }
fieldset { margin: 1rem 0 0; padding: 0; border: 0; }
legend { padding: 0; font-weight: 600; }
.choice { display: flex; align-items: center; gap: .6rem; margin: 0; min-height: 2.75rem; font-weight: 400; }
.choice input { width: 1.25rem; height: 1.25rem; min-height: 0; padding: 0; accent-color: var(--accent); }
[hidden] { display: none !important; }
.actions { display: grid; gap: .75rem; margin-top: 1.5rem; }
.button {
  display: block; width: 100%; min-height: 3rem; padding: .7rem 1rem; font: inherit; font-weight: 600; line-height: 1.5;
  text-align: center; text-decoration: none; color: var(--accent); background: transparent;
  border: 1px solid var(--edge); border-radius: .6rem; cursor: pointer;
}
.button:hover { background: var(--glow); }
.primary { color: var(--on-accent); background: var(--accent); border-color: var(--accent); }
.primary:hover { background: var(--accent-hover); }
.quiet {
  margin-top: .5rem; padding: .5rem 0; font: inherit; color: var(--accent); background: none; border: 0; text-decoration: underline;
  cursor: pointer;
}
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.foot { margin: 1.5rem 0 0; padding-top: 1rem; border-top: 1px solid var(--line); }
.foot p:last-child { margin: 0; }
@media (max-width: 30rem) {
  body { padding: 0; place-items: stretch; background: var(--card); }
  main { max-width: none; padding: 1.5rem 1.25rem; border: 0; border-radius: 0; box-shadow: none; }
}
`

const policy = [
  "default-src 'none'",
  `style-src 'sha256-${hash('sha256', stylesheet, 'base64')}'`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** A form of a page may go to ourselves alone: what is typed into it cannot be led elsewhere. */
export const contentPolicy = `${policy}; form-action 'self'`

/** For a page that offers a passkey: the one script at `script` may run, and may speak to ourselves. */
export function passkeyContentPolicy(script: string): string {
  return `${contentPolicy}; script-src ${script}; connect-src 'self'`
}

/**
 * For pages whose form ends at the assistant, or at another identity provider. Chromium applies `form-action` to every
 * redirect that follows a post, and where those send the browser is theirs to decide (an app link, for instance).
 */
export const leavingContentPolicy = policy

/** On every answer below the issuer, whatever it is. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': contentPolicy,
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  'cache-control': 'no-store',
}

/**
 * For a site that is reached by https, on every answer: for a year a browser goes there by nothing else (RFC 6797). Without
 * `includeSubDomains`, since other hosts of the domain are not ours to decide for.
 */
export const strictTransport: Readonly<Record<string, string>> = { 'strict-transport-security': 'max-age=31536000' }
