/** Who may import whom: read from the sources themselves. The rooms and their floors are drawn in CONTRIBUTING.md. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const root = join(import.meta.dirname, '..', 'src')

/** The packages, and which of the others each may name as a dependency. */
const mayDepend: Readonly<Record<string, readonly string[]>> = {
  core: [],
  player: [],
  kvs: ['core'],
  signaling: ['core'],
  gateway: ['core', 'kvs'],
  simulator: ['core'],
  console: ['player'],
  bridge: ['core', 'kvs'],
  transom: ['core', 'kvs', 'signaling', 'gateway', 'simulator', 'console', 'bridge'],
}

const ground = ['http.ts', 'authority.ts', 'signature.ts']
const heart = [...ground, 'broker', 'oauth', 'outbox']
const plugs = [...heart, 'alexa', 'google', 'web', 'cameras', 'store']

/** For each room of the bridge what it may import beside itself and packages. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'http.ts': [],
  'authority.ts': [],
  'signature.ts': [],
  // floor 1: nobody knows his neighbour, and the broker knows no HTTP either
  broker: [],
  oauth: ground,
  store: [],
  outbox: ground,
  // floor 2
  alexa: heart,
  google: heart,
  web: heart,
  cameras: heart,
  // floor 3: the parts plugged together, and what opens them to the world
  settings: plugs,
  assembly: [...plugs, 'settings', 'operator'],
  operator: [...plugs, 'assembly'],
  doors: [...plugs, 'assembly', 'operator'],
  aws: [...plugs, 'assembly', 'operator', 'doors', 'settings'],
}

const linkingGround = ['client.ts', 'language.ts', 'request.ts', 'cookies.ts', 'record-key.ts', 'answer-json.ts']
const linkingRooms = [...linkingGround, 'people', 'provider', 'pages']

/** The same for what stands in `oauth`. */
const mayImportInLinking: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(linkingGround.map((file) => [file, linkingGround])),
  people: linkingGround,
  provider: [...linkingGround, 'people'],
  pages: [...linkingGround, 'people', 'provider'],
  // The parts plugged together, and what opens them to browsers and to the operator.
  'routes.ts': linkingRooms,
  'admin.ts': linkingRooms,
  'server.ts': [...linkingRooms, 'routes.ts', 'admin.ts'],
}

const sources = globSync('**/*.{ts,tsx}', { cwd: root })
const placeOf = (file: string, depth: number): string => file.split('/')[depth]!
const inBridge = sources.filter((file) => file.startsWith('bridge/'))
const roomOf = (file: string): string => placeOf(file, 1)
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

/** What a file imports, relative ones as paths below `src`. */
function importsOf(file: string): readonly string[] {
  const found = read(file).matchAll(/^(?:import|export)\b[^'"]*?from '([^']+)'|\bimport(?: |\()'([^']+)'/gm)
  return [...found].map(([, from, alone]) => {
    const target = (from ?? alone)!
    return target.startsWith('.') ? relative(root, normalize(join(root, dirname(file), target))) : target
  })
}

test('the sources are found, and so are their imports', () => {
  expect(sources.length).toBeGreaterThan(50)
  expect(importsOf('bridge/broker/broker.ts')).toContain('bridge/broker/attempts.ts')
  expect(importsOf('bridge/broker/session.ts')).toContain('transom-core/errors')
})

test('every package and every room is known', () => {
  expect([...new Set(sources.map((file) => placeOf(file, 0)))].toSorted()).toEqual(Object.keys(mayDepend).toSorted())
  expect([...new Set(inBridge.map(roomOf))].filter((room) => !(room in mayImport))).toEqual([])
  const linking = inBridge.filter((file) => roomOf(file) === 'oauth').map((file) => placeOf(file, 2))
  expect([...new Set(linking)].toSorted()).toEqual(Object.keys(mayImportInLinking).toSorted())
})

interface Manifest {
  readonly name: string
  readonly exports?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}
const manifestOf = (name: string): Manifest => JSON.parse(read(`${name}/package.json`)) as Manifest

describe.each(Object.keys(mayDepend))('the package %s', (name) => {
  const { dependencies = {}, optionalDependencies = {}, devDependencies = {} } = manifestOf(name)
  const files = sources.filter((file) => placeOf(file, 0) === name)

  test('depends on the packages below it alone', () => {
    const ours = Object.keys(dependencies).filter((one) => one.startsWith('transom-'))
    expect(ours.filter((one) => !mayDepend[name]!.includes(one.slice('transom-'.length)))).toEqual([])
  })

  test('imports of ours what only development needs as types alone', () => {
    const typesOnly = Object.keys(devDependencies).filter((one) => one.startsWith('transom-'))
    const values = files.flatMap((file) =>
      [...read(file).matchAll(/^(?:import|export) (?!type\b)[^'"]*?from '([^'/]+)/gm)]
        .filter(([, target = '']) => typesOnly.includes(target))
        .map(([, target]) => `${file} -> ${target}`),
    )
    expect(values).toEqual([])
  })

  test('imports what its manifest names, of others only what they export, and no file outside of it', () => {
    const named = { ...dependencies, ...optionalDependencies, ...devDependencies }
    const isAllowed = (target: string): boolean => {
      if (target.startsWith('node:')) return true
      if (sources.includes(target)) return placeOf(target, 0) === name
      const dependency = target.split('/', target.startsWith('@') ? 2 : 1).join('/')
      if (!(dependency in named)) return false
      if (!dependency.startsWith('transom-')) return true
      const { exports = {} } = manifestOf(dependency.slice('transom-'.length))
      return `.${target.slice(dependency.length)}` in exports
    }
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => !isAllowed(target))
        .map((target) => `${file} -> ${target}`),
    )
    expect(wrong).toEqual([])
  })
})

test.each(Object.keys(mayImport))('the room %s of the bridge imports only from the floors below it', (room) => {
  expect(sidewaysOrUp('bridge', 1, room, mayImport[room]!)).toEqual([])
})

test.each(Object.keys(mayImportInLinking))('in account linking, %s imports only from the floors below it', (room) => {
  expect(sidewaysOrUp('bridge/oauth', 2, room, mayImportInLinking[room]!)).toEqual([])
})

/** What `room`, at that depth below `house`, imports from other rooms of the house that it may not. */
function sidewaysOrUp(house: string, depth: number, room: string, may: readonly string[]): readonly string[] {
  return sources
    .filter((file) => file.startsWith(`${house}/`) && placeOf(file, depth) === room)
    .flatMap((file) => importsOf(file).map((target) => ({ file, target })))
    .filter(({ target }) => target.startsWith(`${house}/`) && ![room, ...may].includes(placeOf(target, depth)))
    .map(({ file, target }) => `${file} -> ${target}`)
}

test('no file imports, itself or by others, a file that imports it: neither values nor types', () => {
  expect(circles()).toEqual([])
})

/** The groups of files from each of which every other one of the group can be reached by imports. */
function circles(): readonly (readonly string[])[] {
  const imports = new Map(sources.map((file) => [file, importsOf(file)]))
  const reached = new Map(sources.map((file) => [file, new Set<string>()]))
  for (const [file, seen] of reached) {
    const open = [file]
    for (let at = open.pop(); at !== undefined; at = open.pop())
      for (const target of imports.get(at) ?? []) if (!seen.has(target) && seen.add(target)) open.push(target)
  }
  const circleOf = (file: string): readonly string[] =>
    sources.filter((other) => reached.get(file)!.has(other) && reached.get(other)!.has(file)).toSorted()
  const inCircles = sources.map(circleOf).filter((circle) => circle.length > 0)
  return [...new Set(inCircles.map((circle) => circle.join(' ')))].toSorted().map((circle) => circle.split(' '))
}

test('the broker knows no network and no cloud', () => {
  const packages = inBridge
    .filter((file) => roomOf(file) === 'broker')
    .flatMap(importsOf)
    .filter((target) => !target.startsWith('bridge/') && !target.startsWith('transom-core/'))
  // node:net is here for `isIP`, which opens nothing.
  expect([...new Set(packages)].sort()).toEqual(['node:crypto', 'node:net'])
})

test('media is loaded in the gateway and the simulator alone, and only when it is needed', () => {
  const eager = sources.filter((file) => /^import (?!type\b)[^;']*?from '(node-av|werift)/m.test(read(file)))
  expect(eager.filter((file) => !['gateway', 'simulator'].includes(placeOf(file, 0)))).toEqual([])
})
