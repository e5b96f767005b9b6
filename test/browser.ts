/** The real browser of the suites that need one. */
import { chromium, type Browser } from 'playwright-core'

const patienceMs = 60_000

/**
 * Starts Chromium, or the program that CHROMIUM names, without a window and with a microphone that beeps. Its pages wait a
 * minute for what a test expects. `more`: further arguments; `--disable-features` counts once. `home`: where it keeps what it
 * trusts, another than this user's.
 */
export async function launchChromium(
  more: readonly string[] = [],
  executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  home?: string,
): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath,
    ...(home !== undefined && { env: { ...process.env, HOME: home } }),
    timeout: patienceMs,
    args: [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      ...more,
    ],
  })
  browser.on('context', (context) => context.setDefaultTimeout(patienceMs))
  return browser
}
