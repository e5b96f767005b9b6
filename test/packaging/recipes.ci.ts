/** The recipes as the tools read them that will: systemd, Docker Compose, nginx's and Caddy's in proxies.ci.ts. */
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import * as z from 'zod'
import { settingVariables } from '../../src/transom/config.ts'

const run = promisify(execFile)
const packaging = join(import.meta.dirname, '../../packaging')
const directory = mkdtempSync(join(tmpdir(), 'transom-recipes-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('the unit of systemd', () => {
  const unit = readFileSync(join(packaging, 'transom.service'), 'utf8')

  test('is valid', async () => {
    const program = join(directory, 'transom')
    writeFileSync(program, '#!/bin/sh\n')
    chmodSync(program, 0o755)
    const file = join(directory, 'transom.service')
    writeFileSync(file, unit.replace(/^ExecStart=\S+/m, `ExecStart=${program}`))
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', file])
    expect(stdout + stderr).toBe('')
  })

  test('leaves the bridge little: systemd says OK', async () => {
    const file = join(packaging, 'transom.service')
    const { stdout } = await run('systemd-analyze', ['security', '--offline=yes', '--threshold=20', file])
    expect(stdout).toContain('OK')
  })
})

describe('compose.yaml', () => {
  const every = ['turn', 'mqtt', 'proxy'].flatMap((profile) => ['--profile', profile])
  const config = async (settings: string, profiles: readonly string[] = every) => {
    const env = join(directory, '.env')
    writeFileSync(env, settings)
    const args = ['-f', join(packaging, 'compose.yaml'), '--env-file', env, ...profiles, 'config']
    return services.parse(parse((await run('docker-compose', args)).stdout)).services
  }
  const services = z.object({
    services: z.record(z.string(), z.object({ environment: z.record(z.string(), z.string()).exactOptional() })),
  })

  test('is valid with each profile, and without one starts the bridge alone', async () => {
    const settings = 'TRANSOM_PUBLIC_URL=http://192.168.1.5:8080\n'
    expect(Object.keys(await config(settings)).toSorted()).toEqual(['bridge', 'mqtt', 'proxy', 'turn'])
    const { bridge } = await config(settings)
    expect(bridge?.environment).toMatchObject({
      TRANSOM_PUBLIC_URL: 'http://192.168.1.5:8080',
      TRANSOM_HOST: '0.0.0.0',
    })
  })

  test('passes on what the bridge knows, and nothing else', async () => {
    const { bridge } = await config('TRANSOM_PUBLIC_URL=http://192.168.1.5:8080\n')
    const names = Object.keys(bridge?.environment ?? {})
    expect(names.filter((name) => !(name in settingVariables))).toEqual([])
    expect(names.length).toBeGreaterThan(5)
  })

  test('says what is missing', async () => {
    await expect(config('')).rejects.toMatchObject({ stderr: expect.stringContaining('set it in .env') })
  })
})
