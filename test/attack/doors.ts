/** A running bridge under a flood of bent requests at every door: it answers each, never with a mistake of its own, and lives. */
import { request } from 'node:http'
import { linkAccount } from '../../src/simulator/link.ts'
import { readSettings } from '../../src/simulator/settings.ts'
import { createHouse } from '../flows/house.ts'
import * as directive from '../alexa/directives.ts'
import { createMutator } from './mutate.ts'
import { parsers } from './parsers.ts'

export interface FloodOutcome {
  readonly requests: number
  readonly broken: readonly string[]
}

interface Door {
  readonly method: string
  readonly path: string
  readonly samples: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

const atOnce = 16
const samplesOf = (name: string) => parsers.find((parser) => parser.name === name)?.samples ?? []

/** Floods for `seconds`, with at most `most` requests. */
export async function floodDoors(seconds: number, most: number): Promise<FloodOutcome> {
  const house = createHouse()
  const broken: string[] = []
  let requests = 0
  try {
    await house.start({ TRANSOM_DOORBELL: 'off', TRANSOM_CONSOLE: 'on' })
    const { bridge, clients, user, cameraKeys } = readSettings(house.dataDir)
    const link = { assistant: 'google', bridge, client: clients.google, user } as const
    const { accessToken } = await linkAccount(link, AbortSignal.timeout(60_000))
    const bearer = { authorization: `Bearer ${accessToken}` }
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const json = { 'content-type': 'application/json' }
    const oauth = `client_id=google&redirect_uri=${encodeURIComponent(clients.google.redirectUri)}&response_type=code&scope=camera&state=s`
    const doors: readonly Door[] = [
      { method: 'POST', path: '/alexa', samples: samplesOf('directive') },
      { method: 'POST', path: '/alexa', samples: [JSON.stringify(directive.discover(accessToken))] },
      { method: 'POST', path: '/google/fulfillment', samples: samplesOf('intent'), headers: bearer },
      { method: 'POST', path: '/google/signaling', samples: samplesOf('signaling message'), headers: bearer },
      {
        method: 'POST',
        path: '/cameras/front-door/events',
        samples: samplesOf('camera event'),
        headers: { authorization: `Bearer ${cameraKeys?.['front-door']}` },
      },
      {
        method: 'POST',
        path: '/oauth/token',
        samples: [`grant_type=authorization_code&code=x&${oauth}`],
        headers: form,
      },
      {
        method: 'POST',
        path: '/oauth/token/revocation',
        samples: [`token=${accessToken}&client_id=google`],
        headers: form,
      },
      { method: 'GET', path: '/oauth/auth?', samples: [oauth] },
      {
        method: 'GET',
        path: '/',
        samples: ['oauth/welcome/x', 'oauth/enter/x', 'sessions/x', 'api/cameras', '.well-known/x'],
      },
      {
        method: 'GET',
        path: '/',
        samples: ['sessions?limit=5', 'api/sessions', 'cameras/front-door/snapshot'],
        headers: bearer,
      },
      {
        method: 'POST',
        path: '/api/views',
        samples: ['{"cameraId":"front-door","offer":"v=0"}'],
        headers: { ...bearer, ...json },
      },
      { method: 'POST', path: '/operator/cameras', samples: ['{"id":"a","name":"b"}'], headers: json },
    ]
    const endBy = performance.now() + seconds * 1_000
    const attacker = async (seed: number) => {
      const mutator = createMutator(seed)
      for (let turn = seed; performance.now() < endBy && requests < most && broken.length < 10; turn += 1) {
        const door = doors[turn % doors.length]
        if (door === undefined) return
        requests += 1
        const fault = await knock(bridge, door, mutator.next(door.samples))
        if (fault !== undefined) broken.push(fault)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, (_, seed) => attacker(seed)))
    if (!house.isRunning()) broken.push('the bridge ended')
    else {
      const health = await fetch(`${bridge}/healthz`)
      if (health.status !== 200) broken.push(`/healthz answers ${health.status} after the flood`)
    }
  } finally {
    await house.close()
  }
  return { requests, broken }
}

/** Resolves with what is wrong with the answer; a connection that was closed is an answer, too. */
function knock(bridge: string, { method, path, headers = {} }: Door, input: string): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  // A target cannot hold what no request line can; bodies can hold anything.
  const target = method === 'GET' ? path + encodeURI(input.toWellFormed()).slice(0, 4_000) : path
  const { hostname, port } = new URL(bridge)
  const sent = request({ hostname, port, method, path: target, headers, agent: false, timeout: 15_000 }, (answer) => {
    const { statusCode: status = 0 } = answer
    answer.resume()
    answer.on('error', () => resolve(undefined))
    answer.on('end', () => {
      // 502 to 504 name a camera that is not there, or a bridge that has enough to do.
      const isOurs = status === 500 || status < 200
      resolve(isOurs ? `${method} ${target} answers ${status} to ${JSON.stringify(input.slice(0, 300))}` : undefined)
    })
  })
  sent.on('timeout', () => {
    resolve(`${method} ${target} does not answer ${JSON.stringify(input.slice(0, 300))}`)
    sent.destroy()
  })
  sent.on('error', (error: NodeJS.ErrnoException) =>
    resolve(error.code === 'ECONNREFUSED' ? `${method} ${target}: nobody listens any more` : undefined),
  )
  sent.end(method === 'GET' ? undefined : input)
  return promise
}
