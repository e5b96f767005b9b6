/** Cameras of a vendor's own registry: the bridge's records are a copy of what that says, no older than is stated here. */
import { isDeepStrictEqual } from 'node:util'
import { within } from 'transom-core/deadline'
import { BridgeError } from 'transom-core/errors'
import { whyFailed } from 'transom-core/fetch'
import type { AccountId, Camera, CameraRegistry, Clock, Log, Store } from 'transom-core/ports'
import type { Cameras } from './cameras.ts'

/** A copy counts so long without a question. */
export const freshMs = 60_000
/** While the registry cannot say, the last copy counts so long. */
export const lastMs = 24 * 3_600_000
/** How long is waited for the registry: within the two seconds of Google's display, and less where there is a copy. */
const waitMs = { first: 1_200, again: 600 }
/** While the registry is away, not everybody waits for it. */
const restMs = 5_000

/** Of an account: when the registry said last which cameras it has. */
interface Copy {
  readonly readAt: number
  readonly ids: readonly string[]
}

/**
 * The cameras as the registry has them. A list, or a camera of an account, is asked for again when the copy is older than a
 * minute, and what is other than before is changed in the records. When the registry fails, the copy counts for a day, then
 * they throw `BridgeError` `registry_failed`. A page shows the records as they are. Cameras that are no part of a copy stay as
 * they are.
 */
export function withRegistry(
  own: Cameras,
  deps: { readonly registry: CameraRegistry; readonly store: Store; readonly clock: Clock; readonly log: Log },
): Cameras {
  const { registry, clock, log } = deps
  const copies = deps.store.collection<Copy>('registry-copy')
  const running = new Map<AccountId, Promise<boolean>>()
  let failedAt = -Infinity

  /** Whether the registry was asked, and the records may be other than before. */
  async function renewed(account: AccountId): Promise<boolean> {
    const copy = (await copies.get(account))?.value
    const ageMs = copy === undefined ? Infinity : clock() - copy.readAt
    if (ageMs < freshMs) return false
    const failed = (error: unknown): false => {
      log('warn', 'registry.failed', { accountId: account, error: whyFailed(error), ...(copy && { ageMs }) })
      if (ageMs >= lastMs) throw new BridgeError('registry_failed', undefined, { cause: error })
      return false
    }
    if (clock() - failedAt < restMs) return failed('it failed a moment ago')
    try {
      const ms = ageMs < lastMs ? waitMs.again : waitMs.first
      const cameras = await within(
        ms,
        (signal) => registry.camerasOf(account, signal),
        () => {},
      )
      await enter(account, cameras, copy)
      return true
    } catch (error) {
      failedAt = clock()
      return failed(error)
    }
  }

  /** Makes the records of the account what the registry says. What is done twice at once is done once. */
  async function enter(account: AccountId, found: readonly Omit<Camera, 'accountId'>[], copy?: Copy): Promise<void> {
    const cameras = found.map((camera) => ({ ...camera, accountId: account }))
    const known = new Map((await own.list(account)).map((camera) => [camera.id, camera]))
    const entered = await Promise.all(cameras.map(async (camera) => put(camera, known.get(camera.id))))
    const ids = new Set(cameras.filter((_, index) => entered[index]).map(({ id }) => id))
    const gone = [...known.keys()].filter((id) => !ids.has(id) && copy?.ids.includes(id))
    await Promise.all(gone.map(own.remove))
    await copies.put(account, { readAt: clock(), ids: [...ids] })
  }

  /** False where its id or its channel is that of a camera which is none of the registry's, or was not said to be gone there. */
  async function put(camera: Camera, known: Camera | undefined): Promise<boolean> {
    if (known !== undefined && isDeepStrictEqual(known, camera)) return true
    if (known !== undefined && isDeepStrictEqual(known.channel, camera.channel))
      return (await own.change(camera.id, () => camera)) !== undefined
    try {
      const before = known ?? (await own.byId(camera.id))
      if (before !== undefined && (await isCopied(before))) await own.remove(before.id)
      if (await own.add(camera)) return true
      // Another process may have entered it meanwhile.
      if (isDeepStrictEqual(await own.byId(camera.id), camera)) return true
    } catch (error) {
      log('warn', 'registry.camera-refused', { cameraId: camera.id, error: String(error) })
      return false
    }
    log('warn', 'registry.camera-refused', { cameraId: camera.id, error: 'its id is that of another camera' })
    return false
  }

  const isCopied = async ({ id, accountId }: Camera): Promise<boolean> =>
    (await copies.get(accountId))?.value.ids.includes(id) === true

  /** Of several calls at once one asks. */
  async function renew(account: AccountId): Promise<boolean> {
    const mine = running.get(account) ?? renewed(account).finally(() => running.delete(account))
    running.set(account, mine)
    return mine
  }

  return {
    ...own,
    async list(account) {
      await renew(account)
      return own.list(account)
    },
    async find(account, id) {
      // Side by side: somebody waits for a view.
      const [isOther, found] = await Promise.all([renew(account), own.find(account, id)])
      return isOther ? own.find(account, id) : found
    },
  }
}
