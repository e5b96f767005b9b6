/** News of cameras that come and go: whom they are told to, and in which order. */
import { expect, test } from '@jest/globals'
import { createCameras } from '../../src/app/cameras.ts'
import { createOnlineNews } from '../../src/app/online.ts'
import { accountId, cameraId, type Camera } from '../../src/ports.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'

const camera: Camera = {
  id: cameraId('porch'),
  accountId: accountId('a'),
  name: 'Porch',
  kind: 'doorbell',
  channel: { channelName: 'porch', road: 'viewer' },
  manufacturer: 'x',
  model: 'y',
  hasSpeaker: true,
}

test('everybody hears of a known camera, one after the other, and nobody of a channel without one', async () => {
  const store = createSqliteStore(':memory:', Date.now)
  const cameras = createCameras(store)
  expect(await cameras.add(camera, 'key')).toBe(true)
  expect(await cameras.add({ ...camera, name: 'Another' }, 'other')).toBe(false)
  const told: unknown[] = []
  const failed: unknown[] = []
  const news = createOnlineNews({
    cameras,
    tell: [
      async (of, online, at) => {
        // The first takes longer than the second, and is told first all the same.
        for (let turn = 0; turn < (online ? 20 : 0); turn += 1) await Promise.resolve()
        told.push([of.name, online, at])
      },
      () => {
        throw new Error('the fault of one listener')
      },
    ],
    log: (_level, event) => failed.push(event),
  })
  news.changed('porch', true, 1)
  news.changed('porch', false, 2)
  news.changed('nowhere', true, 3)
  await news.settled()
  expect(told).toEqual([
    ['Porch', true, 1],
    ['Porch', false, 2],
  ])
  expect(failed).toEqual(['online-news', 'online-news'])
  await store.close()
})
