/** The operator's lists of cameras: by pages, of an account or of all, over HTTP and from the command line. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createHttpApp } from '../../src/bridge/doors/http.ts'
import { createCameraLists } from '../../src/bridge/operator/camera-lists.ts'
import { createCameraRecords } from '../../src/bridge/operator/camera-records.ts'
import { createOperatorRoutes } from '../../src/bridge/operator/operator.ts'
import { listedCameras } from '../../src/core/wire/registration.ts'
import { conforming } from '../wire/conform.ts'
import { createTerminal } from './terminal.ts'
import { openWholeHouse, type WholeHouse } from './whole-house.ts'

const operatorKey = 'operator-key-of-the-tests-32-characters'
const everybody = { ada: ['a1', 'a2', 'a3'], bob: [], cyd: ['c1', 'c2'], dan: ['d1'], eve: [] }
let house: WholeHouse
let server: Server

beforeAll(async () => {
  house = await openWholeHouse()
  const { bridge } = house
  const registrations = createCameraRecords(bridge.cameras, 'https://bridge.example')
  const operator = createOperatorRoutes({ keys: [operatorKey], registrations, ...bridge })
  server = createServer(createHttpApp(bridge, () => {}, { forwarderSecret: undefined, operator, clock: Date.now }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  for (const [login, ids] of Object.entries(everybody)) {
    const owner = await house.addUser(login)
    for (const id of ids) await house.addCamera(owner, id)
  }
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await house[Symbol.asyncDispose]()
})

const access = () => ({
  url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/operator`,
  token: operatorKey,
})

async function get(query: string): Promise<Response> {
  const headers = { authorization: `Bearer ${operatorKey}` }
  return conforming('GET', await fetch(`${access().url}/cameras?${query}`, { headers }))
}

/** The ids of each page. */
async function pages(query: string): Promise<string[][]> {
  const found: string[][] = []
  let next: string | undefined
  do {
    const { cameras, cursor } = listedCameras.parse(
      await (await get(`${query}${next ? `&cursor=${next}` : ''}`)).json(),
    )
    found.push(cameras.map(({ cameraId }) => cameraId))
    next = cursor
  } while (next !== undefined)
  return found
}

test.each([1, 2, 3, 5, 6, 100])('pages of %s hold every camera of every account once', async (limit) => {
  const found = await pages(`all=true&limit=${limit}`)
  expect(Math.max(...found.map((page) => page.length))).toBeLessThanOrEqual(limit)
  expect(found.flat().toSorted()).toEqual(Object.values(everybody).flat().toSorted())
})

test.each([
  [2, [['a1', 'a2'], ['a3']]],
  [3, [['a1', 'a2', 'a3'], []]],
  [100, [['a1', 'a2', 'a3']]],
])('the cameras of one account come by pages of %s, too', async (limit, expected) => {
  expect(await pages(`owner=ada&limit=${limit}`)).toEqual(expected)
})

test('without limit and cursor an account’s cameras come all at once', async () => {
  expect(await pages('owner=ada')).toEqual([['a1', 'a2', 'a3']])
})

test('a camera that is removed between two pages hides no other', async () => {
  const owner = await house.addUser('flo')
  for (const id of ['f1', 'f2', 'f3']) await house.addCamera(owner, id)
  const { cursor } = listedCameras.parse(await (await get('owner=flo&limit=2')).json())
  await house.bridge.cameras.remove('f2')
  const next = listedCameras.parse(await (await get(`owner=flo&limit=2&cursor=${cursor}`)).json())
  expect(next.cameras.map(({ cameraId }) => cameraId)).toEqual(['f3'])
  for (const id of ['f1', 'f3']) await house.bridge.cameras.remove(id)
})

test.each([
  ['no cursor at all', () => 'all=true&cursor=%7B%7D', 'cursor'],
  ['one of nonsense', () => `all=true&cursor=${Buffer.from('{"account":7}').toString('base64url')}`, 'cursor'],
  [
    'that of another account',
    () => `owner=ada&cursor=${Buffer.from('{"account":"other","camera":"a1"}').toString('base64url')}`,
    'cursor',
  ],
  ['no limit', () => 'all=true&limit=0', 'limit'],
  ['a limit without end', () => 'all=true&limit=1001', 'limit'],
  ['all, and one', () => 'all=true&owner=ada', 'exclude'],
])('%s is refused with the reason', async (_case, query, message) => {
  const response = await get(query())
  expect([response.status, await response.json()]).toMatchObject([400, { message: expect.stringContaining(message) }])
})

test('where another server has the accounts, all cannot be listed, and the answer says why', async () => {
  const list = createCameraLists({
    records: { list: async () => [] },
    ownerOf: async () => Promise.reject(new Error()),
  })
  await expect(list({ all: 'true' })).rejects.toThrow('name the account id')
})

test('the command line prints all of them, one a line for programs', async () => {
  const terminal = createTerminal({ access: access() })
  expect(await terminal.run('camera', 'list', '--all', '--json')).toBe(0)
  const ids = terminal
    .printed()
    .split('\n')
    .map((line) => (JSON.parse(line) as { cameraId: string }).cameraId)
  expect(ids.toSorted()).toEqual(Object.values(everybody).flat().toSorted())
  expect(await createTerminal({ access: access() }).run('camera', 'list', '--all', '--owner', 'ada')).toBe(2)
})
