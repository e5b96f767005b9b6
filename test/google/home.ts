/** Google's whole side as the bridge wires it, on a real store and outbox, against the fake of Google. */
import { createGoogleDeliver } from '../../src/bridge/google/deliver.ts'
import { createHomeGraph } from '../../src/bridge/google/home-graph.ts'
import { createGoogleNews } from '../../src/bridge/google/news.ts'
import { createQuota } from '../../src/bridge/google/quota.ts'
import { createReconcile } from '../../src/bridge/google/reconcile.ts'
import { createGoogleReports, type StatesOf } from '../../src/bridge/google/reports.ts'
import { createOutbox, type OutboxLimits } from '../../src/bridge/outbox/outbox.ts'
import { startFakeGoogle } from './fake-google.ts'
import type { Camera, CameraNews } from '../../src/core/ports.ts'
import { camera, fakeHouse, fulfillmentOf, linksOf, ports, statesOf, type FakeHouse } from './fake-house.ts'
import { until } from '../until.ts'

export async function openHome(house: FakeHouse = fakeHouse(), limits: Partial<OutboxLimits> = {}) {
  const google = await startFakeGoogle(() => house.now)
  const { cameras, store, clock, log } = ports(house)
  const homeGraph = createHomeGraph({ ...google, quota: createQuota({ clock }), clock, log })
  const links = linksOf(house)
  const onUnlinked = async (account: string) => log('warn', 'notices.added', { accountId: account })
  const home = { statesOf: statesOf(house), cameras }
  const how: StatesOf = (camera) => home.statesOf(camera)
  const deliver = createGoogleDeliver({ homeGraph, links, cameras, statesOf: how, onUnlinked })
  const quick = { firstRetryMs: 1, longestRetryMs: 5, ...limits }
  const translate = createGoogleNews(links)
  const outbox = createOutbox({ store, deliver: { google: deliver }, clock, log, limits: quick })
  const reports = createGoogleReports({ outbox, links, clock })
  const promises = { canNotify: true, willReportState: true }
  const reconcile = createReconcile({
    ...promises,
    homeGraph,
    links,
    cameras,
    statesOf: how,
    reports,
    onUnlinked,
    store,
    clock,
    log,
  })
  const fulfillment = fulfillmentOf(house, { links, reports })

  return Object.assign(home, {
    house,
    google,
    links,
    outbox,
    /** What the bridge does with the news of a camera. */
    async hear(...news: CameraNews[]) {
      for (const one of news) await outbox.add(await translate(camera(), one))
    },
    async hearOf(other: Camera, news: CameraNews) {
      await outbox.add(await translate(other, news))
    },
    reports,
    /** A round of reconciling, as far as the signal allows, and what comes of it. */
    async reconcile(signal = AbortSignal.timeout(60_000)) {
      const done = await reconcile(signal)
      await outbox.settled()
      return done
    },
    /** Google asks for the devices, and keeps what it is told; resolves when what follows from it was said. */
    async sync() {
      const request = { requestId: '1', inputs: [{ intent: 'action.devices.SYNC' }] }
      const { body } = await fulfillment(request, { authorization: 'Bearer good' })
      const { agentUserId, devices } = (body as { payload: { agentUserId: string; devices: { id: string }[] } }).payload
      google.devices.set(agentUserId, devices)
      google.unlinked.delete(agentUserId)
      await until(() => google.reports.length > 0 || devices.length === 0)
      await outbox.settled()
      google.reports.length = 0
      google.calls.length = 0
      // Until Google has taken it in.
      house.now += 60_000
    },
    fulfillment,
    async close() {
      await outbox.close()
      await google.close()
    },
  })
}
