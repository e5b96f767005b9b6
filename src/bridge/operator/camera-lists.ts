/** The operator's lists of cameras: those of an account, or of all accounts, by pages. */
import * as z from 'zod'
import { BridgeError } from 'transom-core/errors'
import { accountId, type AccountId } from 'transom-core/ports'
import type { CameraListQuery, CameraOwner } from 'transom-core/wire/registration'
import type { Users } from '../oauth/people/users.ts'
import { parseJson } from '../http.ts'
import type { CameraRecords, ListedCamera } from './camera-records.ts'

/** Cameras on a page, where nobody says how many. */
const usualLimit = 100
/** A page looks into so many accounts at most: many may have no camera. */
const mostAccounts = 50

/** `cursor`: where the next page goes on; absent on the last one. */
export interface ListPage {
  readonly cameras: readonly ListedCamera[]
  readonly cursor?: string
}

/** Behind this camera of the account, or behind all of its cameras. */
const place = z.strictObject({
  account: z.string().min(1).max(256),
  camera: z.string().min(1).max(256).exactOptional(),
})
type Place = z.infer<typeof place>

/**
 * Makes the function that answers `GET /operator/cameras`. `people`: whose cameras are all cameras; absent where another
 * server has the accounts. Throws `BridgeError` `invalid_request` for what cannot be listed, and for a cursor that is none.
 */
export function createCameraLists(deps: {
  readonly records: Pick<CameraRecords, 'list'>
  readonly ownerOf: (named: CameraOwner) => Promise<AccountId>
  readonly people?: Pick<Users, 'list'>
}): (query: CameraListQuery) => Promise<ListPage> {
  const { records, ownerOf, people } = deps

  async function ofAccount(owner: AccountId, limit: number, from: Place | undefined): Promise<ListPage> {
    if (from !== undefined && from.account !== owner) throw wrongCursor()
    const after = from?.camera !== undefined && { after: from.camera }
    const cameras = await records.list(owner, { limit, ...after })
    return pageOf(cameras, cameras.length === limit ? behind(cameras) : undefined)
  }

  async function ofAll({ list }: Pick<Users, 'list'>, limit: number, from: Place | undefined): Promise<ListPage> {
    const cameras: ListedCamera[] = []
    let at = from
    if (at?.camera !== undefined) {
      cameras.push(...(await records.list(accountId(at.account), { limit, after: at.camera })))
      if (cameras.length === limit) return pageOf(cameras, behind(cameras))
      at = { account: at.account }
    }
    const accounts = await list({ limit: mostAccounts, after: at?.account })
    const found = await Promise.all(accounts.map(async ({ accountId: owner }) => records.list(owner, { limit })))
    for (const own of found) {
      cameras.push(...own)
      if (cameras.length >= limit) return pageOf(cameras.slice(0, limit), behind(cameras.slice(0, limit)))
    }
    const last = accounts.at(-1)
    return pageOf(cameras, last && { account: last.accountId })
  }

  return async ({ all, limit, cursor, ...named }) => {
    const from = cursor === undefined ? undefined : readCursor(cursor)
    if (all === undefined) {
      const owner = await ownerOf(named)
      if (limit === undefined && from === undefined) return { cameras: await records.list(owner) }
      return ofAccount(owner, limit ?? usualLimit, from)
    }
    if (Object.keys(named).length > 0)
      throw new BridgeError('invalid_request', 'all and owner or account exclude one another: give one')
    if (people === undefined)
      throw new BridgeError('invalid_request', 'accounts are those of another server: name the account id')
    return ofAll(people, limit ?? usualLimit, from)
  }
}

function behind(cameras: readonly ListedCamera[]): Place | undefined {
  const last = cameras.at(-1)
  return last && { account: last.accountId, camera: last.cameraId }
}

const pageOf = (cameras: readonly ListedCamera[], next: Place | undefined): ListPage => ({
  cameras,
  ...(next && { cursor: Buffer.from(JSON.stringify(next)).toString('base64url') }),
})

const wrongCursor = () =>
  new BridgeError('invalid_request', 'cursor: must be that of the page before, of the same list')

function readCursor(cursor: string): Place {
  const parsed = place.safeParse(parseJson(Buffer.from(cursor, 'base64url')))
  if (!parsed.success) throw wrongCursor()
  return parsed.data
}
