/** boto3 against the embedded signaling service, with a camera's key and with a viewer's: what a script of a user does. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { WebSocket } from 'ws'
import { createHouse, type House } from '../flows/house.ts'
import { transomJson } from './command.ts'
import { record } from './matrix.ts'

let house: House
/** What `camera add` printed for a camera's firmware, and a key for viewers of that camera. */
let camera: Readonly<Record<string, string>>
let viewer: { readonly accessKeyId: string; readonly secretAccessKey: string }

beforeAll(async () => {
  house = createHouse()
  await house.start()
  const added = await transomJson<{ environment: Record<string, string> }>(house, 'camera', 'add', 'porch')
  camera = added.environment
  viewer = await transomJson<typeof viewer>(house, 'key', 'add', '--viewer', 'porch')
})
afterAll(() => house.close())

type Said = Readonly<Record<string, unknown>> & { readonly version: string; readonly presigned: string }

async function ask(accessKeyId: string, secretAccessKey: string, role: 'MASTER' | 'VIEWER'): Promise<Said> {
  const child = spawn('/usr/bin/python3', [join(import.meta.dirname, 'peers', 'boto3_client.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const asked = {
    region: camera['AWS_DEFAULT_REGION'],
    endpoint: camera['CONTROL_PLANE_URI'],
    ca: camera['AWS_KVS_CACERT_PATH'],
    channelName: 'porch',
    accessKeyId,
    secretAccessKey,
    role,
  }
  child.stdin.end(JSON.stringify(asked))
  return JSON.parse(await text(child.stdout)) as Said
}

async function opens(url: string): Promise<boolean> {
  const socket = new WebSocket(url, { ca: readFileSync(camera['AWS_KVS_CACERT_PATH'] ?? '') })
  const outcome = await Promise.race([
    once(socket, 'open').then(() => true),
    once(socket, 'unexpected-response').then(() => false),
  ])
  socket.terminate()
  return outcome
}

test.each(['camera', 'viewer'] as const)('boto3 with a key of a %s does what that key may', async (kind) => {
  const said =
    kind === 'camera'
      ? await ask(camera['AWS_ACCESS_KEY_ID'] ?? '', camera['AWS_SECRET_ACCESS_KEY'] ?? '', 'MASTER')
      : await ask(viewer.accessKeyId, viewer.secretAccessKey, 'VIEWER')
  expect(said).toMatchObject({
    described: expect.stringMatching(/^arn:aws:kinesisvideo:.*:channel\/porch\//),
    endpoints: { WSS: expect.stringMatching(/^wss:/), HTTPS: expect.stringMatching(/^https:/) },
    // Asked by cameras that are built for storage; viewers have no business with it.
    storage: kind === 'camera' ? 'DISABLED' : 'AccessDeniedException',
    created: kind === 'camera' ? 'ResourceInUseException' : 'AccessDeniedException',
    createdOther: 'AccessDeniedException',
    deleted: 'AccessDeniedException',
  })
  for (const names of said['iceServers'] as string[][]) expect(names).toEqual(['Password', 'Ttl', 'Uris', 'Username'])
  expect(await opens(said.presigned)).toBe(true)
  expect(await opens(said.presigned.replace('porch', 'torch'))).toBe(false)
  record(`boto3-${kind}`, [
    {
      stack: 'boto3',
      version: said.version,
      place: `KVS client, ${kind}'s key`,
      works: ['describe', 'endpoints', 'ICE servers', ...(kind === 'camera' ? ['media storage'] : []), 'presigned URL'],
      shownBy: `boto3 with a key of a ${kind}`,
    },
  ])
})
