/** `transom explain`: the story of a session in words, from the operator's API. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { answerError } from '../../src/bridge/web/refusals.ts'
import { createOperatorRoutes, type OperatorAccess } from '../../src/bridge/operator/operator.ts'
import { createCameraRecords } from '../../src/bridge/operator/camera-records.ts'
import { session, sessions } from '../../src/core/wire/api.ts'
import { initiateSession } from '../alexa/directives.ts'
import { createTerminal } from './terminal.ts'
import { openWholeHouse, type WholeHouse } from './whole-house.ts'

let house: WholeHouse
let server: Server
let access: OperatorAccess
beforeAll(async () => {
  house = await openWholeHouse()
  const { cameras, broker, linking } = house.bridge
  const registrations = createCameraRecords(cameras, 'https://bridge.example')
  const operator = createOperatorRoutes({ keys: ['x'], registrations, broker, linking, defaultOwner: 'ada' })
  server = createServer(
    express()
      .use('/operator', operator)
      .use(answerError(() => {})),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  access = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/operator`, token: 'x' }
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await house[Symbol.asyncDispose]()
})

async function explain(...words: readonly string[]) {
  const terminal = createTerminal({ access })
  return { status: await terminal.run('explain', ...words), out: terminal.printed(), err: terminal.complained() }
}

test('a view that failed and one that was answered are told, each as the page has it', async () => {
  await house.addUser('ada')
  expect(await explain()).toMatchObject({ status: 1, err: expect.stringContaining('no sessions yet') })
  const { accountId } = (await house.bridge.oauth.users.find('ada'))!
  await house.addCamera(accountId, 'porch')
  const token = await house.link(accountId, 'alexa')
  await house.bridge.alexa.handler(initiateSession(undefined, { endpointId: 'porch', token }))
  const answered = await explain()
  expect(answered.status).toBe(0)
  expect(answered.out).toContain('An Alexa display asked for porch on ')
  expect(answered.out).toMatch(/\+\d+ ms {2}The display sent its offer\n/)
  expect(answered.out).toMatch(/\+\d+ ms {2}The camera sent a candidate: host\n/)
  expect(answered.out).toContain('Candidates of the camera: 1 in its own network (host)')
  expect(answered.out).toMatch(/Outcome: answered, answered after \d+ ms/)
  expect(answered.out).not.toMatch(/\b(192\.168|10\.)\d/)

  const list = await explain('--list', '--json')
  const [row] = sessions.parse(JSON.parse(list.out)).sessions
  await house.bridge.broker.endAll(accountId, 'alexa', 'it was enough')
  const ended = await explain(row!.id)
  expect(ended.out).toMatch(/\+\d+ ms {2}The view ended: it was enough/)
  const { timeline } = session.parse(JSON.parse((await explain(row!.id, '--json')).out))
  expect(timeline).toEqual(
    (await house.bridge.broker.view(accountId, (await house.bridge.broker.recent(accountId))[0]!.id))!.timeline,
  )
})

test('the cause of a failure stands with what to do', async () => {
  const camera = (await house.bridge.cameras.byId('porch'))!
  const { BridgeError } = await import('../../src/core/errors.ts')
  await house.bridge.broker.refused(camera, 'google', new BridgeError('camera_offline'))
  const { sessions: rows } = sessions.parse(JSON.parse((await explain('--list', '--json')).out))
  const failed = rows.find(({ cause }) => cause?.code === 'camera_offline')!
  const { out } = await explain(failed.id)
  expect(out).toContain('A Google display asked for porch')
  expect(out).toContain(`Cause: ${failed.cause!.message} (camera_offline)\nWhat to do: ${failed.cause!.advice}`)
  expect((await explain('--list')).out).toContain('closed, camera_offline')
})

test.each([
  ['a session that there is not', ['x'.repeat(22)], 1, 'there is no such session'],
  ['an id that is none', ['..'], 2, 'explain --list'],
  ['somebody that there is not', ['--owner', 'nobody'], 1, 'nobody has the login nobody'],
  ['a limit that is none', ['--list', '--limit', '0'], 2, 'from 1 to 2000'],
])('%s is named', async (_, words, status, message) => {
  expect(await explain(...words)).toMatchObject({ status, err: expect.stringContaining(message) })
})
