/** The page from which phones and computers install the bridge's own authority, and Apple's profile for it. */
import { createHash, type X509Certificate } from 'node:crypto'
import { renderSVG } from 'uqr'
import type { Language } from 'transom-core/language'
import { installWords, type InstallWords } from './install-words.ts'

/** As HTML, without a script. Its QR code leads a phone to the page itself. */
export function installPage(publicUrl: string, certificate: X509Certificate, language: Language): string {
  const words = installWords[language]
  const here = plainUrl(publicUrl)
  return `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${words.title}</title>
<style>
:root { color-scheme: light dark; font: 1.0625rem/1.5 system-ui, sans-serif }
body { max-width: 40rem; margin: 2rem auto; padding: 0 1rem }
.button { display: inline-block; padding: .6rem 1.1rem; border-radius: .5rem; background: #1f6feb; color: #fff; text-decoration: none }
svg { display: block; width: 12rem; height: auto; background: #fff; border-radius: .5rem }
code { overflow-wrap: anywhere }
summary { cursor: pointer; padding: .4rem 0; font-weight: 600 }
</style>
<main>
<h1>${words.title}</h1>
<p>${words.why}</p>
<h2>${words.install}</h2>
${words.platforms.map(sectionOf).join('\n')}
<h2>${words.next}</h2>
<p><a class="button" href="${escape(publicUrl)}/">${words.open}</a></p>
<h2>${words.phone}</h2>
<p>${words.phoneNote} <a href="${escape(here)}">${escape(here)}</a></p>
${renderSVG(here, { border: 3 }).replace('<svg ', `<svg role="img" aria-label="${escape(here)}" `)}
<h2>${words.check}</h2>
<p>${words.checkNote}</p>
<p><code>${fingerprintOf(certificate)}</code></p>
</main>
</html>
`
}

const sectionOf = ({ name, steps }: InstallWords['platforms'][number]): string =>
  `<details><summary>${name}</summary><ol>${steps.map((step) => `<li>${step}</li>`).join('')}</ol></details>`

/** Where the page is: the public URL in plain HTTP, which the same port speaks; without a port that is port 80. */
export const plainUrl = (publicUrl: string): string => `${publicUrl.replace(/^https:/, 'http:')}/`

/** SHA-256 of the authority, as devices show it. */
export const fingerprintOf = ({ fingerprint256 }: X509Certificate): string => fingerprint256

/**
 * A configuration profile with the authority (Apple, "Configuration Profile Reference", payload `com.apple.security.root`). Its
 * identifiers are made of the certificate, so that a second installation replaces the first.
 */
export function profileOf(certificate: X509Certificate): string {
  const uuidOf = (of: string) => {
    const hex = createHash('sha256').update(certificate.fingerprint256).update(of).digest('hex')
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `8${hex.slice(13, 16)}`,
      `8${hex.slice(17, 20)}`,
      hex.slice(20, 32),
    ].join('-')
  }
  const base64 = certificate.raw.toString('base64').replaceAll(/.{64}/g, '$&\n')
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>PayloadContent</key>
  <array>
    <dict>
      <key>PayloadCertificateFileName</key><string>transom.crt</string>
      <key>PayloadContent</key>
      <data>
${base64}
      </data>
      <key>PayloadDisplayName</key><string>Transom</string>
      <key>PayloadIdentifier</key><string>transom.authority.${uuidOf('root')}</string>
      <key>PayloadType</key><string>com.apple.security.root</string>
      <key>PayloadUUID</key><string>${uuidOf('root')}</string>
      <key>PayloadVersion</key><integer>1</integer>
    </dict>
  </array>
  <key>PayloadDescription</key><string>The authority of your Transom bridge. It can sign for names and addresses of your house alone.</string>
  <key>PayloadDisplayName</key><string>Transom bridge</string>
  <key>PayloadIdentifier</key><string>transom.authority</string>
  <key>PayloadType</key><string>Configuration</string>
  <key>PayloadUUID</key><string>${uuidOf('profile')}</string>
  <key>PayloadVersion</key><integer>1</integer>
</dict>
</plist>
`
}

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
