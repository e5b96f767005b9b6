/** Killed with signal 9 at any moment, the service has lost nothing that it had acknowledged when it is started again. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import {
  CreateSignalingChannelCommand,
  DeleteSignalingChannelCommand,
  DescribeSignalingChannelCommand,
  KinesisVideoClient,
  ListTagsForResourceCommand,
  TagResourceCommand,
  UpdateSignalingChannelCommand,
} from '@aws-sdk/client-kinesis-video'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { region, type Key } from './running-service.ts'
import { until } from '../until.ts'

const kills = 8
/** Channels that may stand at the end of a round, with what is known of them. */
interface Known {
  readonly arn: string
  readonly ttl?: number
  readonly tags: Readonly<Record<string, string>>
  /** A change was sent and not acknowledged: it may have happened or not. */
  readonly open?: 'change' | 'removal'
}
interface Process {
  readonly child: ChildProcess
  readonly control: (key: Key) => KinesisVideoClient
  readonly key: Key
  kill(): Promise<void>
}

let directory: string
let running: Process | undefined
const children: ChildProcess[] = []
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'crash-'))
})
afterEach(async () => {
  await running?.kill()
  // One that never said where it listens would keep Jest from ending.
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rm(directory, { recursive: true, force: true })
})

async function start(): Promise<Process> {
  const child = fork(join(import.meta.dirname, 'crash-service.ts'), [directory], {
    execArgv: ['--no-warnings'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  children.push(child)
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the service ended')))
  const [{ endpoint, ca, key }] = await Promise.race([once(child, 'message'), ended])
  const requestHandler = new NodeHttpHandler({ httpsAgent: { ca } })
  return {
    child,
    key,
    control: (credentials) => new KinesisVideoClient({ region, endpoint, credentials, requestHandler, maxAttempts: 1 }),
    async kill() {
      const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
      child.kill('SIGKILL')
      await gone
      requestHandler.destroy()
    },
  }
}

test('no channel, tag, key or change is lost', async () => {
  const channels = new Map<string, Known>()
  const deleted = new Set<string>()
  const keys: { key: Key; name: string }[] = []
  let writes = 0

  /** Makes and changes channels until the service is gone. What was acknowledged is noted at once. */
  const write = async (prefix: string, { control, key }: Process) => {
    const client = control(key)
    try {
      for (let index = 0; ; index += 1) {
        const name = `${prefix}-${index}`
        const { ChannelARN: arn = '' } = await client.send(new CreateSignalingChannelCommand({ ChannelName: name }))
        channels.set(name, { arn, tags: {} })
        const change = async (command: () => Promise<unknown>, after: Known | undefined) => {
          channels.set(name, { ...channels.get(name)!, open: after ? 'change' : 'removal' })
          await command()
          writes += 1
          if (after) channels.set(name, after)
          else deleted.add(name)
        }
        const tags = { at: `${index}` }
        const Tags = [{ Key: 'at', Value: `${index}` }]
        await change(() => client.send(new TagResourceCommand({ ResourceARN: arn, Tags })), { arn, tags })
        const update = new UpdateSignalingChannelCommand({
          ChannelARN: arn,
          CurrentVersion: '1',
          SingleMasterConfiguration: { MessageTtlSeconds: 30 },
        })
        await change(() => client.send(update), { arn, tags, ttl: 30 })
        if (index % 2 === 1) {
          await change(() => client.send(new DeleteSignalingChannelCommand({ ChannelARN: arn })), undefined)
          channels.delete(name)
        }
      }
    } catch {
      // Killed, as it shall be.
    }
  }
  const issue = async (name: string, { child }: Process) => {
    const hear = ({ issued }: { issued: Key }) => {
      keys.push({ key: issued, name })
      if (child.connected) child.send(name, () => {})
    }
    child.on('message', hear)
    child.send(name, () => {})
    await once(child, 'exit')
  }
  const check = async ({ control, key }: Process) => {
    const client = control(key)
    for (const [name, { arn, tags, ttl, open }] of channels) {
      if (deleted.has(name)) continue
      const found = await client.send(new DescribeSignalingChannelCommand({ ChannelName: name })).catch(() => undefined)
      if (open) {
        // The channel itself was acknowledged, unless it was being removed.
        if (open === 'change') expect(found?.ChannelInfo?.ChannelARN).toBe(arn)
        channels.delete(name)
        continue
      }
      expect(found?.ChannelInfo).toMatchObject({
        ChannelARN: arn,
        SingleMasterConfiguration: { MessageTtlSeconds: ttl ?? 60 },
      })
      expect((await client.send(new ListTagsForResourceCommand({ ResourceARN: arn }))).Tags).toEqual(tags)
    }
    for (const name of deleted) {
      const gone = client.send(new DescribeSignalingChannelCommand({ ChannelName: name }))
      await expect(gone).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    }
    for (const { key: theirs, name } of keys) {
      const ask = control(theirs).send(new DescribeSignalingChannelCommand({ ChannelName: name }))
      await expect(ask).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    }
  }

  for (let round = 0; round < kills; round += 1) {
    running = await start()
    await check(running)
    const busy = [
      ...['a', 'b', 'c'].map((writer) => write(`${writer}${round}`, running!)),
      issue(`keyed-${round}`, running),
    ]
    const enough = writes + 12
    await until(() => writes >= enough)
    // Somewhere within what a few writes take, another place each time.
    await new Promise((resolve) => setTimeout(resolve, round * 7))
    await running.kill()
    await Promise.all(busy)
  }
  running = await start()
  await check(running)
  // Not by having done nothing.
  expect(writes).toBeGreaterThanOrEqual(12 * kills)
  expect([channels.size > 0, deleted.size > 0, keys.length > 0]).toEqual([true, true, true])
})
