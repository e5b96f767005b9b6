/** Many cameras in one request of the operator: each is made what is said of it, and has a result of its own. */
import { isDeepStrictEqual } from 'node:util'
import { BridgeError, toBridgeError, type ErrorCode } from 'transom-core/errors'
import type { AccountId, Camera } from 'transom-core/ports'
import {
  batchCamera,
  cameraChange,
  type BatchCamera,
  type BatchResult,
  type CameraChange,
  type CameraOwner,
} from 'transom-core/wire/registration'
import { faultsOf } from 'transom-core/wire/faults'
import type { CameraRecords } from './camera-records.ts'

/** How many cameras of a batch are worked on at the same time. */
const sideBySide = 10
/** What says nothing of a camera: the whole batch fails, and may be sent again. */
const notOfTheItem: ReadonlySet<ErrorCode> = new Set(['internal', 'store_failed', 'no_room', 'rate_limited'])

/**
 * Makes each camera what its item says: a field that is left out is removed or gets its default. The same item again
 * changes nothing. `dryRun`: only says what would be done. Returns the results in the order of the items. Rejects, when all
 * have been tried, with the first error that is no fault of its item: what was done then is found unchanged the next time.
 */
export async function enterCameras(
  items: readonly unknown[],
  {
    records,
    ownerOf,
    dryRun,
  }: {
    readonly records: CameraRecords
    /** Throws `BridgeError` when there is nobody of that name. */
    readonly ownerOf: (owner: CameraOwner) => Promise<AccountId>
    readonly dryRun: boolean
  },
): Promise<readonly BatchResult[]> {
  const owners = new Map<string, Promise<AccountId>>()
  const ids = new Set<string>()
  const channels = new Set<string>()

  /** Each owner is looked up once for the whole batch. */
  const ownerOnce = async ({ owner, account }: BatchCamera): Promise<AccountId> => {
    const named = { ...(owner !== undefined && { owner }), ...(account !== undefined && { account }) }
    const key = JSON.stringify(named)
    const found = owners.get(key) ?? ownerOf(named)
    owners.set(key, found)
    return found
  }

  /** Two items for one camera or channel would run side by side: the first of them counts. */
  const readOnce = (item: unknown): BatchCamera => {
    const parsed = batchCamera.safeParse(item)
    if (!parsed.success) throw new BridgeError('invalid_request', faultsOf(parsed.error))
    const { id, channelName = id } = parsed.data
    if (ids.has(id)) throw new BridgeError('invalid_request', `the camera ${id} is twice in this batch`)
    if (channels.has(channelName))
      throw new BridgeError('invalid_request', `the channel ${channelName} is twice in this batch`)
    ids.add(id)
    channels.add(channelName)
    return parsed.data
  }

  const resultOf = async (item: unknown): Promise<BatchResult> => {
    try {
      const camera = readOnce(item)
      return await enter(records, camera, await ownerOnce(camera), dryRun)
    } catch (thrown) {
      const { code, message } = toBridgeError(thrown)
      if (notOfTheItem.has(code)) throw thrown
      return { ...idOf(item), result: 'refused', error: code, message }
    }
  }

  const settled: PromiseSettledResult<BatchResult>[] = []
  for (let start = 0; start < items.length; start += sideBySide)
    settled.push(...(await Promise.allSettled(items.slice(start, start + sideBySide).map(resultOf))))
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason
    return one.value
  })
}

async function enter(
  records: CameraRecords,
  { owner: _owner, account: _account, channelName, ...camera }: BatchCamera,
  accountId: AccountId,
  dryRun: boolean,
): Promise<BatchResult> {
  const { id } = camera
  const wanted = { ...camera, accountId, channelName: channelName ?? id }
  if (camera.record !== undefined) await records.assertRecordable(id)
  const before = await records.find(id)
  if (before !== undefined) return correct(records, before, wanted, dryRun)
  if (dryRun) {
    await records.assertFree(wanted.channelName, id)
    return { cameraId: id, result: 'created' }
  }
  try {
    const access = await records.add(camera, accountId, channelName)
    return { cameraId: id, result: 'created', access }
  } catch (error) {
    // Somebody added it meanwhile, perhaps the same request, sent again.
    const meanwhile = await records.find(id)
    if (meanwhile === undefined) throw error
    return correct(records, meanwhile, wanted, dryRun)
  }
}

type Wanted = Omit<BatchCamera, 'owner' | 'account'> & {
  readonly accountId: AccountId
  readonly channelName: string
}

async function correct(records: CameraRecords, camera: Camera, wanted: Wanted, dryRun: boolean): Promise<BatchResult> {
  const { id } = wanted
  const fixed = [
    ['owner', camera.accountId, wanted.accountId],
    ['kind', camera.kind, wanted.kind],
    ['channelName', camera.channel.channelName, wanted.channelName],
    ['road', camera.channel.road, wanted.road],
  ] as const
  const other = fixed.filter(([, is, given]) => is !== given).map(([name]) => name)
  if (other.length > 0)
    throw new BridgeError(
      'invalid_request',
      `${other.join(', ')}: cannot be changed: remove the camera ${id} and add it again`,
    )
  const change = differenceOf(camera, wanted)
  if (Object.keys(change).length === 0) return { cameraId: id, result: 'unchanged' }
  if (!dryRun) await records.change(id, change)
  return { cameraId: id, result: 'changed' }
}

/** What makes the camera the wanted one; null takes away what is not said any more. */
function differenceOf(camera: Camera, wanted: Wanted): CameraChange {
  const [is, given] = [camera, wanted].map((one) => new Map<string, unknown>(Object.entries(one)))
  const changes = Object.keys(cameraChange.shape)
    .filter((name) => !isDeepStrictEqual(is?.get(name), given?.get(name)))
    .map((name) => [name, given?.get(name) ?? null])
  return cameraChange.parse(Object.fromEntries(changes))
}

const named = batchCamera.pick({ id: true }).strip()

/** The id of an item that is refused, where it has one. */
function idOf(item: unknown): { readonly cameraId?: string } {
  const parsed = named.safeParse(item)
  return parsed.success ? { cameraId: parsed.data.id } : {}
}
