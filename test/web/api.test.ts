/** What the page and vendors' apps may ask, and what they are told: over real HTTP, with real tokens. */
import { afterEach, describe, expect, test } from '@jest/globals'
import { chromiumOffer } from '../broker/fixtures.ts'
import { cameraId, type CameraMessage } from '../../src/core/ports.ts'
import { openHouse, type HouseOptions } from './house.ts'

type House = Awaited<ReturnType<typeof openHouse>>
const houses: House[] = []
afterEach(async () => {
  for (const one of houses.splice(0)) await one[Symbol.asyncDispose]()
})
async function house(options: HouseOptions = {}): Promise<House> {
  const one = await openHouse(options)
  houses.push(one)
  return one
}

const nothing: readonly CameraMessage[] = []
const silent = async function* (signal: AbortSignal): AsyncIterable<CameraMessage> {
  yield* nothing
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
const begin = async ({ ask }: House, token: string) => (await ask(token, 'POST', '/api/cameras/front-door/views')).body

describe('who asks', () => {
  test('is told by name, and what this bridge can do for it', async () => {
    const { person, ask } = await house()
    const { token } = await person('anna')
    expect((await ask(token, 'GET', '/api/me')).body).toEqual({
      name: 'Name of anna',
      login: 'anna',
      canRegister: true,
      canSimulate: false,
    })
  })

  test('is refused without a good token, with a word on what to do, whatever is asked', async () => {
    const { ask } = await house()
    const asked = [
      ['GET', '/api/me'],
      ['GET', '/api/cameras'],
      ['GET', '/api/cameras/front-door'],
      ['GET', '/api/sessions'],
      ['GET', '/api/stream'],
      ['POST', '/api/cameras'],
      ['POST', '/api/cameras/front-door/views'],
      ['POST', '/api/cameras/front-door/ring'],
      ['GET', '/api/cameras/front-door/webhooks'],
      ['POST', '/api/cameras/front-door/webhooks'],
      ['DELETE', '/api/cameras/front-door'],
      ['PUT', '/api/cameras/front-door/guests/bob'],
    ] as const
    for (const [method, path] of asked) {
      const { status, body, headers } = await ask('forged', method, path)
      expect([path, status, body.error, typeof body.advice]).toEqual([path, 401, 'unauthorized', 'string'])
      expect(headers.get('www-authenticate')).toContain('Bearer')
    }
  })

  test('may be a page of any origin: the token counts, cookies do not', async () => {
    const { url } = await house()
    const preflight = await fetch(`${url}/api/views/x/offer`, {
      method: 'OPTIONS',
      headers: { origin: 'https://vendor.example', 'access-control-request-method': 'POST' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization')
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull()
    // Without it, a browser would see a network failure instead of the refusal.
    expect((await fetch(`${url}/api/me`)).headers.get('access-control-allow-origin')).toBe('*')
    const snapshot = `${url}/cameras/front-door/snapshot`
    expect((await fetch(snapshot, { method: 'OPTIONS' })).status).toBe(204)
    expect((await fetch(snapshot)).headers.get('access-control-allow-origin')).toBe('*')
  })

  test('may not with a token that was not given for cameras', async () => {
    const { person, appToken, addCamera, ask } = await house()
    const { account } = await person('anna')
    await addCamera(account)
    const token = await appToken('anna', 'openid')
    for (const path of ['/api/cameras', '/api/sessions', '/api/notices'])
      expect([path, (await ask(token, 'GET', path)).status]).toEqual([path, 401])
  })

  test('with the token of a vendor’s app may look, and may change nothing', async () => {
    const { person, appToken, addCamera, ask } = await house()
    const { account } = await person('anna')
    await addCamera(account)
    const token = await appToken('anna')
    expect((await ask(token, 'GET', '/api/me')).body).toMatchObject({ canRegister: false, canSimulate: false })
    expect((await ask(token, 'GET', '/api/cameras')).body.cameras).toHaveLength(1)
    expect((await ask(token, 'POST', '/api/cameras/front-door/views')).status).toBe(201)
    for (const [method, path] of [
      ['POST', '/api/cameras'],
      ['DELETE', '/api/cameras/front-door'],
      ['POST', '/api/cameras/front-door/ring'],
      ['GET', '/api/cameras/front-door/webhooks'],
      ['POST', '/api/cameras/front-door/webhooks'],
      ['GET', '/api/cameras/front-door/guests'],
      ['PUT', '/api/cameras/front-door/guests/bob'],
      ['DELETE', '/api/cameras/front-door/guests/bob'],
      ['GET', '/api/invitations'],
      ['POST', '/api/invitations/x/accept'],
      ['DELETE', '/api/cameras/front-door/share'],
    ] as const) {
      expect([path, await ask(token, method, path, {})]).toMatchObject([
        path,
        { status: 403, body: { error: 'forbidden' } },
      ])
    }
  })
})

describe('cameras', () => {
  test('are listed with how they are doing, a guest’s as the guest may use them', async () => {
    const { person, addCamera, ask, bridge, presence } = await house()
    const [anna, bob] = [await person('anna'), await person('bob')]
    const camera = await addCamera(anna.account)
    await bridge.shares.share(anna.account, camera.id, bob.account, { mayTalk: false })
    const row = {
      id: 'front-door',
      name: 'Front door',
      room: 'Entrance',
      kind: 'doorbell',
      manufacturer: 'Transom',
      model: 'Test',
      isOwner: true,
      mayTalk: true,
      hasVideo: true,
      isOnline: true,
      sinceAt: 1_000,
      viewers: 0,
      isRecording: false,
      mayViewRecordings: true,
    }
    expect((await ask(anna.token, 'GET', '/api/cameras')).body.cameras).toEqual([row])
    presence.online = false
    expect((await ask(bob.token, 'GET', '/api/cameras')).body.cameras).toEqual([
      { ...row, isOwner: false, mayTalk: false, mayViewRecordings: false, isOnline: false },
    ])
    const at = Date.now()
    await bridge.events.receive(camera, { kind: 'press', eventId: 'e', at })
    await bridge.events.pictured(camera, at + 1)
    expect((await ask(anna.token, 'GET', '/api/cameras')).body.cameras).toMatchObject([
      { lastPressAt: at, snapshotAt: at + 1 },
    ])
  })

  test('have a picture, which a guest and a vendor’s app may fetch, too, and nobody else', async () => {
    const { url, person, appToken, addCamera, bridge } = await house()
    const [anna, bob, carl] = [await person('anna'), await person('bob'), await person('carl')]
    const camera = await addCamera(anna.account)
    await bridge.shares.share(anna.account, camera.id, bob.account, { mayTalk: false })
    const picture = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3])
    const fetched = (token: string) =>
      fetch(`${url}/cameras/front-door/snapshot`, { headers: { authorization: `Bearer ${token}` } })
    const left = await fetch(`${url}/cameras/front-door/snapshot`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${'k'.repeat(43)}` },
      body: picture,
    })
    expect(left.status).toBe(202)
    for (const token of [anna.token, bob.token, await appToken('anna')])
      expect(Buffer.from(await (await fetched(token)).arrayBuffer())).toEqual(picture)
    expect((await fetched(carl.token)).status).toBe(404)
  })

  test('are added with an id made of their name, which tells nothing of anybody else’s', async () => {
    const { person, ask } = await house()
    const [{ token }, other] = [await person('anna'), await person('bob')]
    const body = { name: 'Küche & Garten', kind: 'camera', room: 'Küche' }
    const made = await ask(token, 'POST', '/api/cameras', body)
    expect(made).toMatchObject({ status: 201, body: { secretAccessKey: 'secret' } })
    expect(made.body.cameraKey).toMatch(/^[\w-]{43}$/)
    for (const { body: again } of [made, await ask(other.token, 'POST', '/api/cameras', body)]) {
      expect(again.cameraId).toMatch(/^kuche-garten-[0-9a-f]{8}$/)
    }
    const named = await ask(token, 'POST', '/api/cameras', { name: '門', kind: 'doorbell' })
    expect(named.body.cameraId).toMatch(/^camera-[0-9a-f]{8}$/)
    // An id of one's own choice would be refused if it were somebody's, and so no one is taken.
    for (const id of [made.body.cameraId, 'free']) {
      expect((await ask(other.token, 'POST', '/api/cameras', { ...body, id })).status).toBe(400)
    }
    expect((await ask(token, 'GET', '/api/cameras')).body.cameras).toHaveLength(2)
  })

  test.each([
    ['no name', { kind: 'doorbell' }],
    ['an id', { name: 'a', id: 'a' }],
    ['somebody else as its owner', { name: 'a', owner: 'bob' }],
    ['no JSON', undefined],
  ])('are refused with %s', async (_name, body) => {
    const { person, ask } = await house()
    const { token } = await person('anna')
    expect(await ask(token, 'POST', '/api/cameras', body)).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    })
  })

  test('one by one are what they are in the list: to their owner, to a guest, to a stranger', async () => {
    const { person, addCamera, ask, bridge } = await house()
    const [anna, bob, carol] = [await person('anna'), await person('bob'), await person('carol')]
    const camera = await addCamera(anna.account)
    await bridge.shares.share(anna.account, camera.id, bob.account, { mayTalk: false })
    for (const { token } of [anna, bob]) {
      const [listed] = (await ask(token, 'GET', '/api/cameras')).body.cameras
      expect((await ask(token, 'GET', '/api/cameras/front-door')).body).toEqual(listed)
    }
    const { status, body } = await ask(carol.token, 'GET', '/api/cameras/front-door')
    expect([status, body.error]).toEqual([404, 'camera_not_found'])
    expect(await ask(anna.token, 'GET', `/api/cameras/${'k'.repeat(513)}`)).toMatchObject({ status: 404 })
  })

  test('are removed by their owner, and do not exist for anybody else', async () => {
    const { person, addCamera, ask, bridge } = await house()
    const [anna, bob] = [await person('anna'), await person('bob')]
    const camera = await addCamera(anna.account)
    await bridge.shares.share(anna.account, camera.id, bob.account, { mayTalk: true })
    for (const [method, path] of [
      ['DELETE', '/api/cameras/front-door'],
      ['POST', '/api/cameras/front-door/ring'],
      ['GET', '/api/cameras/front-door/webhooks'],
      ['POST', '/api/cameras/front-door/webhooks'],
      ['GET', '/api/cameras/front-door/guests'],
      ['PUT', '/api/cameras/front-door/guests/anna'],
    ] as const) {
      const { status, body } = await ask(bob.token, method, path, { mayTalk: true })
      expect([path, status, body.error]).toEqual([path, 404, 'camera_not_found'])
    }
    expect((await ask(anna.token, 'DELETE', '/api/cameras/front-door')).status).toBe(204)
    expect((await ask(anna.token, 'GET', '/api/cameras')).body.cameras).toEqual([])
  })

  test('are shared by login and with consent, and both sides find it in their history', async () => {
    const { person, addCamera, ask, bridge } = await house()
    const [anna, bob] = [await person('anna'), await person('bob@example.com')]
    await addCamera(anna.account)
    const guests = '/api/cameras/front-door/guests'
    const bobs = `${guests}/${encodeURIComponent('Bob@Example.com')}`
    const seen = async () => (await ask(bob.token, 'GET', '/api/cameras')).body.cameras
    const invitations = async () => (await ask(bob.token, 'GET', '/api/invitations')).body.invitations
    expect((await ask(anna.token, 'PUT', bobs, { mayTalk: true })).status).toBe(204)
    expect((await ask(anna.token, 'GET', guests)).body).toEqual({
      guests: [{ login: 'Bob@Example.com', mayTalk: true, isInvited: true }],
    })
    expect(await seen()).toEqual([])
    const [invitation] = await invitations()
    expect(invitation).toMatchObject({ camera: 'Front door', owner: { login: 'anna' }, mayTalk: true })
    // The owner cannot accept for the guest.
    expect((await ask(anna.token, 'POST', `/api/invitations/${invitation?.id}/accept`, {})).status).toBe(404)
    expect((await ask(bob.token, 'POST', `/api/invitations/${invitation?.id}/accept`, {})).status).toBe(204)
    expect((await ask(bob.token, 'POST', `/api/invitations/${invitation?.id}/accept`, {})).status).toBe(404)
    expect((await ask(anna.token, 'GET', guests)).body).toEqual({
      guests: [{ login: 'bob@example.com', name: 'Name of bob@example.com', mayTalk: true }],
    })
    // Whoever is a guest is not asked again.
    expect((await ask(anna.token, 'PUT', bobs, { mayTalk: false })).status).toBe(204)
    expect([await seen(), await invitations()]).toMatchObject([[{ mayTalk: false, isOwner: false }], []])
    expect((await ask(anna.token, 'DELETE', bobs)).status).toBe(204)
    expect(await seen()).toEqual([])
    expect((await bridge.oauth.audit.read(bob.account)).map(({ kind }) => kind)).toContain('unshared')
    expect(await ask(anna.token, 'PUT', `${guests}/anna`, { mayTalk: true })).toMatchObject({ status: 400 })
    expect(await ask(anna.token, 'PUT', bobs, { mayTalk: 'yes' })).toMatchObject({ status: 400 })
  })

  test('are left by a guest, once, and by nobody else', async () => {
    const { person, addCamera, ask, bridge } = await house()
    const [anna, bob] = [await person('anna'), await person('bob')]
    const { id } = await addCamera(anna.account)
    await bridge.shares.share(anna.account, id, bob.account, { mayTalk: true })
    const leave = (token: string) => ask(token, 'DELETE', '/api/cameras/front-door/share')
    expect((await leave(anna.token)).status).toBe(404)
    expect([(await leave(bob.token)).status, (await leave(bob.token)).status]).toEqual([204, 404])
    expect((await ask(bob.token, 'GET', '/api/cameras')).body.cameras).toEqual([])
    expect((await ask(anna.token, 'GET', '/api/cameras')).body.cameras).toHaveLength(1)
    expect((await bridge.oauth.audit.read(anna.account)).map(({ kind }) => kind)).toContain('left')
  })

  test('show their owner when a guest looked, and nobody else', async () => {
    const { person, addCamera, ask, bridge } = await house()
    const [anna, bob, carl] = [await person('anna'), await person('bob'), await person('carl')]
    const { id } = await addCamera(anna.account)
    for (const { account } of [bob, carl]) await bridge.shares.share(anna.account, id, account, { mayTalk: true })
    const { reference } = (await ask(bob.token, 'POST', '/api/cameras/front-door/views')).body
    const offered = await ask(bob.token, 'POST', `/api/views/${reference}/offer`, { cameraId: id, sdp: chromiumOffer })
    expect(offered.status).toBe(200)
    const row = { id: offered.body.sessionId, cameraId: 'front-door', assistant: 'console' }
    const seen = async ({ token }: { token: string }) => (await ask(token, 'GET', '/api/sessions')).body.sessions
    expect(await seen(anna)).toMatchObject([{ ...row, guest: 'bob' }])
    expect(JSON.stringify(await seen(anna))).not.toContain(bob.account)
    expect(await seen(bob)).toMatchObject([row])
    expect((await seen(bob))[0]).not.toHaveProperty('guest')
    expect(await seen(carl)).toEqual([])
    const story = `/api/sessions/${row.id}`
    expect((await ask(anna.token, 'GET', story)).body).toMatchObject({ ...row, guest: 'bob' })
    expect((await ask(carl.token, 'GET', story)).status).toBe(404)
    // Also when the share is over.
    await bridge.shares.unshare(anna.account, id, bob.account)
    expect(await seen(anna)).toMatchObject([{ ...row, guest: 'bob' }])
  })

  test('do not tell whether a login exists, nor what its person has answered', async () => {
    const { person, addCamera, ask } = await house()
    const [anna, bob] = [await person('anna'), await person('bob')]
    await addCamera(anna.account)
    const guests = '/api/cameras/front-door/guests'
    const story = async (login: string, answer: () => Promise<unknown>) => {
      const told = [await ask(anna.token, 'PUT', `${guests}/${login}`, { mayTalk: true })]
      await answer()
      told.push(await ask(anna.token, 'GET', guests))
      told.push(await ask(anna.token, 'PUT', `${guests}/${login}`, { mayTalk: false }))
      told.push(await ask(anna.token, 'GET', guests))
      told.push(
        await ask(anna.token, 'DELETE', `${guests}/${login}`),
        await ask(anna.token, 'DELETE', `${guests}/${login}`),
      )
      return JSON.stringify(told.map(({ status, body }) => [status, body])).replaceAll(login, 'LOGIN')
    }
    const declined = await story('bob', async () => {
      const [one] = (await ask(bob.token, 'GET', '/api/invitations')).body.invitations
      expect((await ask(bob.token, 'POST', `/api/invitations/${one?.id}/decline`, {})).status).toBe(204)
      expect((await ask(bob.token, 'GET', '/api/invitations')).body.invitations).toEqual([])
    })
    expect(declined).toBe(await story('nobody', async () => {}))
  })

  test('ring as if somebody had pressed the button, if they have one', async () => {
    const { person, addCamera, ask, bridge } = await house()
    const { account, token } = await person('anna')
    const camera = await addCamera(account)
    await addCamera(account, { id: 'garden' as typeof camera.id, kind: 'camera' })
    const { status, body } = await ask(token, 'POST', '/api/cameras/front-door/ring')
    expect(status).toBe(202)
    expect(await bridge.visits.visits(camera, 0)).toMatchObject([{ at: body.at }])
    expect(await ask(token, 'POST', '/api/cameras/garden/ring')).toMatchObject({ status: 400 })
  })
})

describe('a live view', () => {
  const offer = { cameraId: 'front-door', sdp: chromiumOffer }

  test('goes from its name to its end, and tells its story', async () => {
    const one = await house()
    const { ask, person, addCamera, warmed } = one
    const { account, token } = await person('anna')
    await addCamera(account)
    const opened = await ask(token, 'POST', '/api/cameras/front-door/views')
    expect(opened).toMatchObject({
      status: 201,
      body: { iceServers: [{ urls: ['stun:192.0.2.1:3478'] }], answerWithinMs: 5_000 },
    })
    // The line for this very view was opened ahead.
    expect(warmed).toEqual([expect.stringMatching(/^s-/)])
    const { reference } = opened.body
    const answered = await ask(token, 'POST', `/api/views/${reference}/offer`, offer)
    expect(answered.status).toBe(200)
    expect(answered.body.sdp).toMatch(/^v=0\r\n[\s\S]*192\.0\.2\.9 50000 typ host/)
    const session = `/api/sessions/${answered.body.sessionId}`
    expect((await ask(token, 'POST', `/api/views/${reference}/offer`, offer)).body).toEqual(answered.body)
    expect((await ask(token, 'GET', '/api/cameras')).body.cameras[0]!.viewers).toBe(1)
    expect((await ask(token, 'POST', `/api/views/${reference}/connected`)).status).toBe(204)
    expect((await ask(token, 'GET', session)).body).toMatchObject({
      phase: 'connected',
      assistant: 'console',
      reference,
    })
    expect((await ask(token, 'POST', `/api/views/${reference}/end`, { reason: 'the page was closed' })).status).toBe(
      204,
    )
    const { body: view } = await ask(token, 'GET', session)
    expect(view).toMatchObject({ phase: 'closed', endedAt: view.timeline.at(-1)!.at })
    expect(view.timeline.at(-1)).toMatchObject({ step: 'ended', detail: 'the page was closed' })
    expect((await ask(token, 'GET', '/api/cameras')).body.cameras[0]!.viewers).toBe(0)
  })

  test('of a guest who may only look has no way back for sound', async () => {
    const one = await house()
    const [anna, bob] = [await one.person('anna'), await one.person('bob')]
    const camera = await one.addCamera(anna.account)
    await one.bridge.shares.share(anna.account, camera.id, bob.account, { mayTalk: false })
    const soundOf = async (token: string): Promise<string> => {
      const { reference } = await begin(one, token)
      const { sdp } = (await one.ask(token, 'POST', `/api/views/${reference}/offer`, offer)).body
      return /m=audio[\s\S]*?a=(sendrecv|sendonly|recvonly|inactive)/.exec(sdp)![1]!
    }
    expect(await soundOf(anna.token)).toBe('sendrecv')
    expect(await soundOf(bob.token)).toBe('sendonly')
  })

  test('fails with its cause, its advice and a fitting status', async () => {
    const one = await house({
      camera: silent,
      env: { TRANSOM_ALEXA_BUDGET_MS: '300', TRANSOM_GOOGLE_BUDGET_MS: '300' },
    })
    const { account, token } = await one.person('anna')
    await one.addCamera(account)
    const ask = async () => {
      const { reference } = await begin(one, token)
      return one.ask(token, 'POST', `/api/views/${reference}/offer`, offer)
    }
    expect(await ask()).toMatchObject({
      status: 504,
      body: { error: 'camera_silent', advice: expect.stringContaining('Restart the camera') },
    })
    Object.assign(one.presence, { online: false, sinceAt: 1 })
    expect(await ask()).toMatchObject({ status: 503, body: { error: 'camera_offline' } })
    const { sessions } = (await one.ask(token, 'GET', '/api/sessions')).body
    expect(sessions).toMatchObject([
      { phase: 'closed', cause: { code: 'camera_offline', advice: expect.any(String) }, endedAt: expect.any(Number) },
      { phase: 'closed', cause: { code: 'camera_silent' } },
    ])
    expect(sessions[0]).not.toHaveProperty('timeline')
  })

  test('is one’s own: another account ends nothing and sees nothing by its name', async () => {
    const one = await house()
    const [anna, bob] = [await one.person('anna'), await one.person('bob')]
    await one.addCamera(anna.account)
    const { reference } = await begin(one, anna.token)
    const { sessionId } = (await one.ask(anna.token, 'POST', `/api/views/${reference}/offer`, offer)).body
    expect((await one.ask(bob.token, 'POST', `/api/views/${reference}/end`)).status).toBe(204)
    expect(await one.ask(bob.token, 'GET', `/api/sessions/${sessionId}`)).toMatchObject({ status: 404 })
    expect((await one.ask(bob.token, 'POST', `/api/views/${reference}/offer`, offer)).body.error).toBe(
      'camera_not_found',
    )
    expect((await one.ask(bob.token, 'POST', '/api/cameras/front-door/views')).body.error).toBe('camera_not_found')
    expect((await one.ask(anna.token, 'GET', `/api/sessions/${sessionId}`)).body.phase).toBe('answered')
  })

  test.each([
    ['a name that nobody gave', '/api/views/short/offer', offer],
    ['no offer', `/api/views/${'r'.repeat(22)}/offer`, { cameraId: 'front-door' }],
    ['an offer that is none', `/api/views/${'r'.repeat(22)}/offer`, { cameraId: 'front-door', sdp: 'hello' }],
    ['an offer without end', `/api/views/${'r'.repeat(22)}/offer`, { cameraId: 'front-door', sdp: 'v'.repeat(70_000) }],
  ])('is refused with %s', async (_name, path, body) => {
    const one = await house()
    const { account, token } = await one.person('anna')
    await one.addCamera(account)
    expect(await one.ask(token, 'POST', path, body)).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })
})

describe('sessions', () => {
  test('are filtered; their older paths answer for one release more, and say where they are now', async () => {
    const one = await house()
    const { account, token } = await one.person('anna')
    await one.addCamera(account)
    for (let call = 0; call < 3; call++) {
      const { reference } = (await one.ask(token, 'POST', '/api/cameras/front-door/views')).body
      await one.ask(token, 'POST', `/api/views/${reference}/offer`, { cameraId: 'front-door', sdp: chromiumOffer })
    }
    const count = async (path: string) => (await one.ask(token, 'GET', path)).body.sessions.length
    expect(await count('/api/sessions')).toBe(3)
    expect(await count('/api/sessions?limit=2')).toBe(2)
    expect(await count('/api/sessions?assistant=alexa')).toBe(0)
    expect(await count('/api/sessions?assistant=console&camera=front-door')).toBe(3)
    expect(await count('/api/sessions?camera=garden')).toBe(0)
    expect(await count('/api/sessions?outcome=running')).toBe(3)
    expect(await count('/api/sessions?outcome=failed')).toBe(0)
    expect(await count('/api/sessions?to=1000')).toBe(0)
    const first = (await one.ask(token, 'GET', '/api/sessions?limit=2')).body
    const rest = (await one.ask(token, 'GET', `/api/sessions?after=${first.next}`)).body
    expect([...first.sessions, ...rest.sessions]).toEqual((await one.ask(token, 'GET', '/api/sessions')).body.sessions)
    expect(rest).not.toHaveProperty('next')
    expect(await one.ask(token, 'GET', '/api/sessions?limit=none')).toMatchObject({ status: 400 })

    const [row] = (await one.ask(token, 'GET', '/api/sessions?limit=1')).body.sessions
    for (const path of ['/sessions?limit=1', `/sessions/${row!.id}`, '/notices']) {
      const [old, now] = [await one.ask(token, 'GET', path), await one.ask(token, 'GET', `/api${path}`)]
      expect([path, old.status, old.body]).toEqual([path, 200, now.body])
      expect(old.headers.get('deprecation')).toMatch(/^@\d+$/)
      expect(old.headers.get('link')).toBe(`</api${path.replace(/\?.*/, '')}>; rel="successor-version"`)
    }
  })
})

test('lists come compressed, a stream of events does not: each leaves at once', async () => {
  const one = await house()
  const { account, token } = await one.person('anna')
  for (let count = 0; count < 10; count++) await one.addCamera(account, { id: cameraId(`door-${count}`) })
  const left = new AbortController()
  const get = async (path: string) =>
    fetch(`${one.url}${path}`, {
      headers: { authorization: `Bearer ${token}`, 'accept-encoding': 'gzip' },
      signal: left.signal,
    })
  const list = await get('/api/cameras')
  expect(list.headers.get('content-encoding')).toBe('gzip')
  expect(((await list.json()) as { cameras: unknown[] }).cameras).toHaveLength(10)
  const stream = await get('/api/stream')
  expect(stream.headers.get('content-encoding')).toBeNull()
  const { value } = await stream.body!.getReader().read()
  expect(new TextDecoder().decode(value)).toContain('event: hello')
  left.abort()
})

describe('where it is', () => {
  test('on AWS looks and lists, streams nothing and registers nothing', async () => {
    const one = await house({ isLambda: true })
    const { account, token } = await one.person('anna')
    await one.addCamera(account)
    expect((await one.ask(token, 'GET', '/api/cameras')).body.cameras).toHaveLength(1)
    expect((await one.ask(token, 'POST', '/api/cameras/front-door/views')).status).toBe(201)
    expect((await one.ask(token, 'GET', '/api/me')).body.canRegister).toBe(false)
    expect(await one.ask(token, 'GET', '/api/stream')).toMatchObject({ status: 501, body: { error: 'not_supported' } })
  })

  test('off means off, except for what the assistants’ tokens read', async () => {
    const { url } = await house({ env: { TRANSOM_CONSOLE: 'off' } })
    expect((await fetch(`${url}/api/sessions`)).status).toBe(401)
    expect((await fetch(`${url}/api/me`)).status).toBe(404)
    expect((await fetch(`${url}/oauth/auth?client_id=console`)).status).toBe(400)
    expect(await (await fetch(url)).text()).toContain('Transom is running')
  })
})
