/**
 * One camera's key that never stops asking, from a process of its own, beside the same without it, in one run: how long
 * another camera takes to start (its calls, one after the other, and its WebSocket) and the bridge to carry an offer.
 * Run with `npm run bench:flood [-- SECONDS]`, default 10. Exits 1 when another camera's start takes more than 2 s or fails.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent } from 'node:https'
import {
  DescribeSignalingChannelCommand,
  GetSignalingChannelEndpointCommand,
  KinesisVideoClient,
} from '@aws-sdk/client-kinesis-video'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { openKvs } from '../src/kvs/access.ts'
import { openChannel } from '../src/kvs/channel.ts'
import { fetchIceServers, findChannel } from '../src/kvs/resources.ts'
import { createLocalSignaling } from '../src/kvs/local-signaling.ts'
import { region, run, type Key } from '../test/signaling/running-service.ts'

interface Target {
  readonly endpoint: string
  readonly ca: string
  readonly key: Key
  readonly arn: string
}

const mostStartMs = 2_000
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

/** Asks as fast as it is answered, on twenty connections, until it is killed; says now and then how often. */
async function flood({ endpoint, ca, key, arn }: Target): Promise<void> {
  const requestHandler = new NodeHttpHandler({ httpsAgent: new Agent({ ca, keepAlive: true, maxSockets: 20 }) })
  const client = new KinesisVideoClient({ region, endpoint, credentials: key, requestHandler, maxAttempts: 1 })
  let calls = 0
  setInterval(() => process.send?.(calls), 200)
  const ask = async (command: 'describe' | 'find') => {
    for (;;) {
      calls += 1
      const asked =
        command === 'describe'
          ? client.send(new DescribeSignalingChannelCommand({ ChannelARN: arn }))
          : client.send(new GetSignalingChannelEndpointCommand({ ChannelARN: arn }))
      await asked.catch(() => {})
    }
  }
  await Promise.all(Array.from({ length: 20 }, (_, index) => ask(index % 2 === 0 ? 'describe' : 'find')))
}

async function main(seconds: number): Promise<void> {
  const running = await run()
  const { service, ca } = running
  const keyOf = (channelName: string) => service.createCredentials({ kind: 'camera', channelName })
  const loudArn = await service.ensureChannel('loud')
  await service.ensureChannel('quiet')
  const quietKey = await keyOf('quiet')
  const local = createLocalSignaling(service.local, { log: () => {} })

  let views = 0
  /** Milliseconds of a camera's start, and of an offer that it answers. */
  const measure = async (): Promise<{ startMs: number; offerMs: number }> => {
    const life = new AbortController()
    const startedAt = performance.now()
    const kvs = openKvs({ region, credentials: quietKey, endpoint: service.endpoint, ca })
    const channel = await findChannel(kvs, 'quiet', 'MASTER', life.signal)
    await fetchIceServers(kvs, channel, life.signal)
    const master = await openChannel(kvs, channel, { role: 'MASTER' }, life.signal)
    const startMs = performance.now() - startedAt
    const answered = (async () => {
      for await (const { kind, ...message } of master.messages)
        if (kind === 'offer' && 'senderClientId' in message) {
          master.send({ kind: 'answer', sdp: 'v=0\r\n' }, message.senderClientId)
          return
        }
    })()
    const offeredAt = performance.now()
    const hangUp = new AbortController()
    const ref = { channelName: 'quiet', road: 'viewer' } as const
    for await (const message of local.offer(ref, `v-${(views += 1)}`, 'v=0\r\n', hangUp.signal))
      if (message.kind === 'answer') hangUp.abort()
    const offerMs = performance.now() - offeredAt
    await answered
    life.abort()
    await master.closed
    kvs.close()
    return { startMs, offerMs }
  }
  const measureFor = async (ms: number) => {
    const until = performance.now() + ms
    const startMs: number[] = []
    const offerMs: number[] = []
    do {
      const taken = await measure()
      startMs.push(taken.startMs)
      offerMs.push(taken.offerMs)
      // As often as the channel's own rates let it: this is no flood.
      await new Promise((resolve) => setTimeout(resolve, 400))
    } while (performance.now() < until)
    return { startMs, offerMs }
  }

  await measure()
  const quiet = await measureFor((seconds * 1_000) / 2)
  const target: Target = { endpoint: service.endpoint, ca, key: await keyOf('loud'), arn: loudArn }
  const flooder = fork(import.meta.filename, ['flood', JSON.stringify(target)], { execArgv: ['--no-warnings'] })
  let calls = 0
  flooder.on('message', (said) => (calls = Number(said)))
  await once(flooder, 'message')
  const loud = await measureFor((seconds * 1_000) / 2)
  flooder.kill()
  await once(flooder, 'exit')

  console.log(`Node ${process.version}; ${calls} calls with the loud camera's key\n`)
  for (const what of ['startMs', 'offerMs'] as const) {
    const [calm, flooded] = [median(quiet[what]), median(loud[what])]
    const name = what === 'startMs' ? "another camera's start" : 'an offer of the bridge'
    console.log(
      `${name.padEnd(24)} quiet ${calm.toFixed(2)} ms   flooded ${flooded.toFixed(2)} ms, at most ${Math.max(...loud[what]).toFixed(0)}   ratio ${(flooded / calm).toFixed(2)}`,
    )
  }
  if (Math.max(...loud.startMs) > mostStartMs) process.exitCode = 3
  await local.close()
  await running.close()
}

if (process.argv[2] === 'flood') await flood(JSON.parse(process.argv[3] ?? '') as Target)
else await main(Number(process.argv[2] ?? 10))
