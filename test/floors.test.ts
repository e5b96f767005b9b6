/** Who may import whom: read from the sources themselves. The rooms and their floors are drawn in CONTRIBUTING.md. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { expect, test } from '@jest/globals'

const root = join(import.meta.dirname, '..', 'src')
const ground = [
  'errors.ts',
  'ports.ts',
  'deadline.ts',
  'fetch.ts',
  'seal.ts',
  'http.ts',
  'authority.ts',
  'admission.ts',
  'wire',
]

/** For each room what it may import beside itself and npm packages. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'errors.ts': [],
  'ports.ts': ['errors.ts'],
  'deadline.ts': ['errors.ts'],
  'fetch.ts': [],
  'seal.ts': [],
  'http.ts': [],
  'authority.ts': ['errors.ts', 'ports.ts'],
  'admission.ts': ['errors.ts', 'ports.ts'],
  wire: ['errors.ts'],
  // floor 1: nobody knows his neighbour, and the broker knows no wire type either
  broker: ['errors.ts', 'ports.ts', 'deadline.ts', 'admission.ts'],
  oauth: ground,
  kvs: ground,
  store: ground,
  outbox: ground,
  // floor 2
  alexa: [...ground, 'broker', 'oauth', 'kvs', 'store', 'outbox'],
  google: [...ground, 'broker', 'oauth', 'kvs', 'store', 'outbox'],
  web: [...ground, 'broker', 'oauth', 'kvs', 'store', 'outbox'],
  cameras: [...ground, 'oauth', 'outbox'],
  // floor 3
  app: [
    ...ground,
    'broker',
    'oauth',
    'kvs',
    'store',
    'outbox',
    'alexa',
    'google',
    'web',
    'cameras',
    'signaling',
    'gateway',
    'simulator',
    'console',
  ],
  // beside the house, which they reach over the wire only; the KVS client is the gateway's camera SDK. The signaling service's
  // local door is handed to the KVS client by app, without an import.
  signaling: ground,
  gateway: [...ground, 'kvs'],
  simulator: ground,
  console: ground,
}

const sources = globSync('**/*.{ts,tsx}', { cwd: root })
const roomOf = (file: string): string => file.split('/')[0]!

function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found = text.matchAll(/\b(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)
  return [...found].map(([, plain, dynamic, wrapped]) =>
    relative(root, normalize(join(root, dirname(file), (plain ?? dynamic ?? wrapped)!))),
  )
}

test('the sources are found, and so are their imports', () => {
  expect(sources.length).toBeGreaterThan(50)
  expect(importsOf('broker/broker.ts')).toContain('broker/negotiation.ts')
  expect(importsOf('broker/session.ts')).toContain('errors.ts')
})

test('every room is known', () => {
  expect([...new Set(sources.map(roomOf))].filter((room) => !(room in mayImport))).toEqual([])
})

test.each(Object.keys(mayImport))('%s imports only from the floors below it', (room) => {
  const wrong = sources
    .filter((file) => roomOf(file) === room)
    .flatMap((file) => importsOf(file).map((target) => ({ file, target })))
    .filter(({ target }) => roomOf(target) !== room && !mayImport[room]!.includes(roomOf(target)))
    .map(({ file, target }) => `${file} -> ${target}`)
  expect(wrong).toEqual([])
})

test('the broker knows no network and no cloud', () => {
  const packages = sources
    .filter((file) => roomOf(file) === 'broker')
    .flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/from '([^.'][^']*)'/g)].map(([, name]) => name!),
    )
  // node:net is here for `isIP`, which opens nothing.
  expect([...new Set(packages)].sort()).toEqual(['node:crypto', 'node:net'])
})

test('media is loaded in the gateway and the simulator alone, and only when it is needed', () => {
  const eager = sources.filter((file) =>
    /^import (?!type\b)[^;']*?from '(node-av|werift)/m.test(readFileSync(join(root, file), 'utf8')),
  )
  expect(eager.filter((file) => !['gateway', 'simulator'].includes(roomOf(file)))).toEqual([])
})
