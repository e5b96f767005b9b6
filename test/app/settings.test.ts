/** The tables of settings in README and docs, and `.env.example`, say what the shapes say. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { groupsIn, renderSettings, repository } from '../../scripts/settings.ts'
import { describeSettings, onOff, setting, settingGroups, wholeNumber } from '../../src/core/setting-shapes.ts'
import { readConfig, settingVariables } from '../../src/transom/config.ts'
import { z } from 'zod'

const rendered = renderSettings()

describe('the tables of settings', () => {
  test.each([...rendered])('%s is fresh (else: npm run settings)', (path, text) => {
    expect(readFileSync(join(repository, path), 'utf8')).toBe(text)
  })

  test('are all in docs/settings.md, and six settings are first', () => {
    expect(groupsIn(rendered.get('docs/settings.md') ?? '')).toEqual([...settingGroups])
    expect(describeSettings(settingVariables).filter(({ group }) => group === 'first')).toHaveLength(6)
  })

  test('.env.example, with every line in use, is what a bridge without settings does', () => {
    const lines = [...(rendered.get('.env.example') ?? '').matchAll(/^# (TRANSOM_\w+)=(.*)$/gm)]
    const env = Object.fromEntries(lines.map(([, name = '', value = '']) => [name, value]))
    expect(Object.keys(env).length).toBeGreaterThan(50)
    expect(readConfig(env)).toEqual(readConfig({}))
  })
})

test('a setting is described with its default as it would be written', () => {
  const shapes = {
    A: setting('tuning', 'one', wholeNumber(0, 9, 7)),
    B: setting('first', 'two', onOff('off')),
    C: setting('first', 'three', z.string().optional()),
    D: setting('first', 'four', z.string().default('here').transform(Number), 'this machine’s'),
    E: setting('first', 'five', z.string().default('')),
  }
  expect(describeSettings(shapes).map(({ name, fallback }) => `${name} ${fallback}`)).toEqual([
    'A `7`',
    'B `off`',
    'C none',
    'D this machine’s',
    'E none',
  ])
  expect(describeSettings(shapes)[0]).toMatchObject({ group: 'tuning', description: 'one' })
  expect(() => describeSettings({ F: z.string() })).toThrow('F has no description')
})
