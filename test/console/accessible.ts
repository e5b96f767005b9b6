/** Whether a screen can be used by everybody. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect } from '@jest/globals'
import type { AxeResults } from 'axe-core'
import type { Visitor } from './visitor.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** In both colours and at both sizes: nothing that axe finds, nothing beside the screen. */
export async function expectAccessible(visitor: Visitor, name: string): Promise<void> {
  const { page } = visitor
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const size of [
      { width: 1280, height: 860 },
      { width: 375, height: 760 },
    ]) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.setViewportSize(size)
      // By the debugger's door: the page's own policy lets no such script in.
      const { violations, passes } = await page.evaluate<AxeResults>(
        `${axe}; axe.run(document, { resultTypes: ['violations'] })`,
      )
      expect(passes.map(({ id }) => id)).toContain('color-contrast')
      const found = violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`,
      )
      expect({ name, colorScheme, ...size, found }).toEqual({ name, colorScheme, ...size, found: [] })
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      expect({ name, ...size, overflow }).toEqual({ name, ...size, overflow: 0 })
      await visitor.picture(`${name}-${colorScheme}-${size.width}`)
    }
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'no-preference' })
  await page.setViewportSize({ width: 1280, height: 860 })
}
