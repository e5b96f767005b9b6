/**
 * What an offer costs by each way to a camera, in one run and in turns: one message each way on a viewer's WebSocket that is
 * open (direct), a signed TLS WebSocket for each offer (as to AWS), the service in process, and the whole broker on that.
 * The camera is a WebSocket master that answers at once. Run with `npm run bench:offers [-- SECONDS]`, default 10.
 */
import { once } from 'node:events'
import { createBroker } from '../src/bridge/broker/broker.ts'
import { createLocalSignaling } from '../src/kvs/local-signaling.ts'
import { createKvsSignaling } from '../src/kvs/signaling.ts'
import { accountId, cameraId, type Camera, type Signaling } from '../src/core/ports.ts'
import { budgets, cSdkAnswer, echoOffer, echoRules } from '../test/broker/fixtures.ts'
import { base64, noRates, region, run } from '../test/signaling/running-service.ts'

const seconds = Number(process.argv[2] ?? 10)
const channel = { channelName: 'door', road: 'viewer' } as const
const clock = Date.now
const log = () => {}

const running = await run({ limits: { rates: noRates } })
const { service, key } = running
const arn = await service.ensureChannel('door')
const answer = base64({ type: 'answer', sdp: `${cSdkAnswer}a=end-of-candidates\n` })
const master = await running.connect(await service.createCredentials({ kind: 'camera', channelName: 'door' }), {
  'X-Amz-ChannelARN': arn,
})
master.socket.on('message', (data: Buffer) => {
  const { senderClientId } = JSON.parse(data.toString('utf8')) as { senderClientId: string }
  master.send({ action: 'SDP_ANSWER', recipientClientId: senderClientId, messagePayload: answer })
})

const viewer = await running.connect(key, { 'X-Amz-ChannelARN': arn, 'X-Amz-ClientId': 'direct' })
const offer = base64({ type: 'offer', sdp: echoOffer })
const remote = createKvsSignaling(
  { region, credentials: key, endpoint: service.localEndpoint, ca: () => service.ca },
  { clock, log },
)
const local = createLocalSignaling(service.local, { log })
const camera: Camera = {
  id: cameraId('door'),
  accountId: accountId('a'),
  name: 'Door',
  kind: 'doorbell',
  channel,
  manufacturer: 'Transom',
  model: 'Bench',
  hasSpeaker: true,
}
const broker = createBroker({
  signaling: local,
  presence: () => undefined,
  store: running.store,
  clock,
  log,
  budgets,
})

let count = 0
const through = (signaling: Signaling) => async () => {
  const hangUp = new AbortController()
  for await (const { kind } of signaling.offer(channel, `v-${(count += 1)}`, echoOffer, hangUp.signal))
    if (kind === 'answer') hangUp.abort()
}
const ways: Readonly<Record<string, () => Promise<unknown>>> = {
  direct: async () => {
    const answered = once(viewer.socket, 'message')
    viewer.send({ action: 'SDP_OFFER', messagePayload: offer })
    await answered
  },
  'signed WebSocket': through(remote),
  'in process': through(local),
  'broker, in process': () => {
    const [receivedAt, reference] = [clock(), `r-${(count += 1)}`]
    const asked = { assistant: 'alexa', accountId: camera.accountId, camera, reference, offer: echoOffer } as const
    return broker.negotiate({ ...asked, receivedAt, answerBy: receivedAt + 5_000, rules: echoRules })
  },
}

const taken = new Map<string, { ms: number[]; cpuMs: number[] }>()
for (const round of ['warm-up', 1, 2, 3, 4, 5]) {
  for (const [way, ask] of Object.entries(ways)) {
    const before = process.cpuUsage()
    const startedAt = performance.now()
    let asked = 0
    while (performance.now() - startedAt < (seconds * 1_000) / 24 || asked === 0) {
      await ask()
      asked += 1
    }
    const { user, system } = process.cpuUsage(before)
    if (round === 'warm-up') continue
    const into = taken.get(way) ?? { ms: [], cpuMs: [] }
    into.ms.push((performance.now() - startedAt) / asked)
    into.cpuMs.push((user + system) / 1_000 / asked)
    taken.set(way, into)
  }
}

const median = (values: readonly number[] = []) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
const direct = taken.get('direct')
console.log(`Node ${process.version}; milliseconds an offer, medians of five rounds that took turns\n`)
for (const [way, { ms, cpuMs }] of taken) {
  const ratio = (median(cpuMs) / median(direct?.cpuMs)).toFixed(2)
  const more = (median(ms) - median(direct?.ms)).toFixed(2)
  console.log(
    `${way.padEnd(20)} ${median(ms).toFixed(2).padStart(6)} (+${more})   CPU ${median(cpuMs).toFixed(2)} (${ratio} x direct)`,
  )
}
await broker.close()
await local.close()
await remote.close()
await running.close()
