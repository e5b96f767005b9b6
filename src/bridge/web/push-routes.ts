/** `/api/devices`: which of their phones and computers somebody is notified on. */
import express, { Router, type Request } from 'express'
import { BridgeError } from 'transom-core/errors'
import { wantedDevice, type Device, type Devices } from 'transom-core/wire/push'
import type { Person } from './person.ts'
import type { PushDevices } from './push-devices.ts'
import { isPushService } from './push-services.ts'
import { Refused } from './refusals.ts'
import { read } from './views.ts'

/** What the page needs of push; absent where no notifications are sent: on AWS, or without an address for push services. */
export interface PushSide {
  readonly devices: PushDevices
  readonly services: readonly string[]
}

export interface PushRouteDeps {
  /** Who is signed in to the page. Throws when a token is of another app's. */
  readonly ownerOf: (request: Request) => Promise<Person>
  readonly push: PushSide | undefined
}

export function createPushRoutes({ ownerOf, push }: PushRouteDeps): Router {
  const router = Router()
  router.use('/devices', express.json({ limit: '16kb', type: () => true }))

  router.get('/devices', async (request, response) => {
    const { accountId } = await ownerOf(request)
    const { devices } = here()
    const [{ publicKey }, targets] = await Promise.all([devices.keys(), devices.list(accountId)])
    const shown = targets.map(({ id, name, addedAt }) => ({ id, name, addedAt }))
    response.json({ publicKey, devices: shown } satisfies Devices)
  })

  router.post('/devices', async (request, response) => {
    const { accountId } = await ownerOf(request)
    const { devices, services } = here()
    const wanted = read(wantedDevice, request.body)
    if (!isPushService(wanted.subscription.endpoint, services))
      throw new BridgeError('invalid_request', 'subscription.endpoint is of no push service that this bridge knows')
    response.status(201).json((await devices.add(accountId, wanted)) satisfies Device)
  })

  router.delete('/devices/:id', async (request, response) => {
    const { accountId } = await ownerOf(request)
    if (!(await here().devices.remove(accountId, request.params.id))) throw new Refused('not_found', 'no such device')
    response.status(204).end()
  })

  return router

  function here(): PushSide {
    if (push === undefined) throw new Refused('not_supported', 'this bridge sends no notifications')
    return push
  }
}
