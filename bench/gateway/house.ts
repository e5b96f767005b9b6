/** The whole house on one camera, its gateway in a process of its own, and displays that look at it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { readAnswer } from '../../src/simulator/answer.ts'
import { createDisplay, type Display } from '../../src/simulator/display.ts'
import { readConfig } from '../../src/transom/config.ts'
import { startEmbedded } from '../../src/transom/embedded.ts'
import { hubRules } from '../../test/broker/fixtures.ts'

const limits = { gatherMs: 700, iceMs: 10_000, dtlsMs: 10_000 }
const { signal } = new AbortController()
/** One camera sees more views here in a second than KVS would let through. */
const often = { perSecond: 1_000, burst: 1_000 }

/** A display with its answer, which is still to connect. */
export interface View {
  readonly display: Display
  connect(): Promise<unknown>
  /** Milliseconds from the offer to its first whole picture. Rejects after 20 seconds. */
  firstPicture(): Promise<number>
}

export interface House {
  readonly embedded: Awaited<ReturnType<typeof startEmbedded>>
  isOnline(): boolean
  /** Opens a view; resolves when it is answered. */
  view(reference: string): Promise<View>
  /** Seconds of CPU that the process of the gateway has taken so far, and its memory in MB. */
  usage(): { readonly cpuSeconds: number; readonly rss: number }
  close(): Promise<void>
}

/** Starts it, and waits until the camera is online. */
export async function startHouse(source: string): Promise<House> {
  const dataDir = mkdtempSync(join(tmpdir(), 'transom-bench-gateway-'))
  const config = readConfig({
    TRANSOM_DATA: dataDir,
    TRANSOM_PORT: '0',
    TRANSOM_SIGNALING_PORT: '0',
    TRANSOM_VIEWS_NEGOTIATING: '10',
    TRANSOM_VIEWS_CONNECTED: '1000',
    TRANSOM_SIGNALING_LIMITS: JSON.stringify({
      viewersPerChannel: 100,
      rates: { channelCall: often, channelConnect: often, socketDescription: often, socketCandidate: often },
    }),
    TRANSOM_SOURCE: source,
  })
  const embedded = await startEmbedded(config, Date.now, () => {})
  const { id, accountId, channel } = embedded.camera
  const isOnline = () => embedded.bridge.presence(channel)?.online === true
  if (!(await until(isOnline, 30_000))) throw new Error('the camera never came online')

  async function view(reference: string): Promise<View> {
    const { promise: shown, resolve } = Promise.withResolvers<number>()
    const display = await createDisplay({
      style: 'hub',
      iceServers: [],
      limits,
      onStep: (step) => (step === 'first-frame' ? resolve(performance.now()) : undefined),
    })
    try {
      const camera = await embedded.bridge.shares.visible.find(accountId, id)
      if (camera === undefined) throw new Error('the camera is not to be seen')
      const offer = await display.offer(signal)
      const offeredAt = performance.now()
      const receivedAt = Date.now()
      const request = { assistant: 'google', accountId, camera, reference, offer, receivedAt, rules: hubRules } as const
      const answer = await embedded.bridge.broker.negotiate({ ...request, answerBy: receivedAt + 10_000 })
      const late = wait(20_000, undefined, { ref: false }).then(() => Promise.reject(new Error('no picture in 20 s')))
      late.catch(() => undefined)
      return {
        display,
        connect: () => display.connect(readAnswer(offer, answer, { ipv4Only: false }), signal),
        firstPicture: async () => (await Promise.race([shown, late])) - offeredAt,
      }
    } catch (error) {
      await display.close()
      throw error
    }
  }

  return {
    embedded,
    isOnline,
    view,
    usage: () => usageOf(embedded.gatewayPid()),
    async close() {
      await embedded.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** Of a process (proc(5)): CPU in ticks of 10 ms, its own and that of its system calls, and resident memory in kB. */
export function usageOf(pid: number | undefined): { readonly cpuSeconds: number; readonly rss: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return { cpuSeconds: (Number(stat[11]) + Number(stat[12])) / 100, rss: Math.round(Number(rss) / 1_024) }
}

/** Whether the claim became true in time. */
export async function until(claim: () => boolean, ms: number): Promise<boolean> {
  const giveUpAt = performance.now() + ms
  while (!claim() && performance.now() < giveUpAt) await wait(20)
  return claim()
}
