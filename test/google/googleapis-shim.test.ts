/** The stand-in for `googleapis`: what actions-on-google would use works, and nobody else pays for it. */
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { createRequire } from 'node:module'
import { describe, expect, test } from '@jest/globals'
import { google } from 'googleapis'

describe('the googleapis shim', () => {
  test('makes a JWT client from the positions that actions-on-google gives', () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
    const client = new google.auth.JWT('bell@example', undefined, String(key), ['scope'], undefined)
    expect(client).toMatchObject({ email: 'bell@example', key, scopes: ['scope'] })
    expect(typeof client.authorize).toBe('function')
  })

  test('is the package that actions-on-google finds', () => {
    const own = createRequire(import.meta.url)
    const theirs = createRequire(own.resolve('actions-on-google'))
    expect(theirs.resolve('googleapis')).toBe(own.resolve('googleapis'))
    expect(own.resolve('googleapis')).toMatch(/shims[\\/]googleapis[\\/]index\.js$/)
  })

  test('keeps every auth library out of a process that only imports the fulfillment door', () => {
    const script = `
      await import(${JSON.stringify(new URL('../../src/bridge/google/fulfillment.ts', import.meta.url).href)})
      const { createRequire } = await import('node:module')
      console.log(JSON.stringify(Object.keys(createRequire(import.meta.url).cache)))`
    const loaded = JSON.parse(
      execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
    ) as string[]
    expect(loaded.some((file) => file.includes('actions-on-google'))).toBe(true)
    expect(loaded.filter((file) => /google-auth-library|gaxios|dialogflow|node-fetch/.test(file))).toEqual([])
  })
})
