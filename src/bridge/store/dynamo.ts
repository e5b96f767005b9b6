/** The store in one DynamoDB table: single-item conditional writes only, so it costs one round trip for each verb. */
import { randomUUID } from 'node:crypto'
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { $add, $remove, type FormattedItem, GetItemCommand, QueryCommand, UpdateItemCommand } from 'dynamodb-toolbox'
import { BridgeError } from 'transom-core/errors'
import type { BasicCollection, Clock, Collection, PutOptions, Store, Stored } from 'transom-core/ports'
import { recordEntity } from './dynamo-table.ts'
import {
  checkKind,
  checkPage,
  checkPut,
  isGroup,
  isId,
  lastInstant,
  toStored,
  versionMemoryMs,
} from 'transom-core/store/record'
import { createTurns, withVerbs } from 'transom-core/store/verbs'

/** No call takes longer, the SDK's own retries included. */
const callMs = 5_000
/** The least that a further page asks for, once a page held records that have expired. */
const minPage = 50

/** A toolbox command that is ready to go. */
interface Command<R> {
  send(options: { readonly abortSignal: AbortSignal }): Promise<R>
}

/**
 * Opens the store in a table made as `dynamoTable` says. The client stays the caller's, to configure and to destroy.
 * `get` is consistent; `list` reads an index and may be a moment behind (global indexes have no consistent reads).
 * A `take` whose reply is lost on the network gives the record to nobody. Throws `BridgeError` `internal`, with the
 * SDK's error as cause, when DynamoDB refuses or does not answer within five seconds.
 */
export function createDynamoStore(options: {
  readonly client: DynamoDBDocumentClient
  readonly tableName: string
  readonly clock: Clock
}): Store {
  const { clock } = options
  const inTurn = createTurns()
  let isOpen = true
  const items = createItems(recordEntity(options.client, options.tableName), () => isOpen)

  return {
    collection<T>(kind: string): Collection<T> {
      checkKind(kind)
      const basic: BasicCollection<T> = {
        async get(id) {
          if (!isId(id)) return undefined
          return toLive<T>(await items.read(kind, id), clock())
        },
        async put(id, value, given = {}) {
          return items.write({ kind, id, text: checkPut(kind, id, value, given) }, given, clock())
        },
        async take(id) {
          if (!isId(id)) return undefined
          const now = clock()
          return toLive<T>(await items.erase(kind, id, now), now)
        },
        async remove(id) {
          if (isId(id)) await items.erase(kind, id, clock())
        },
        async list(group, page = {}) {
          const wanted = checkPage(page)
          return isGroup(group) ? items.list<T>(groupKey(kind, group), wanted, clock()) : []
        },
      }
      return withVerbs(kind, basic, inTurn)
    },
    async close() {
      isOpen = false
    },
  }
}

/** The requests to the table, one for each verb. */
function createItems(record: ReturnType<typeof recordEntity>, isOpen: () => boolean) {
  async function send<R>(command: Command<R>, abortSignal = AbortSignal.timeout(callMs)): Promise<R> {
    if (!isOpen()) throw new BridgeError('internal', 'the store is closed')
    try {
      return await command.send({ abortSignal })
    } catch (cause) {
      throw new BridgeError('internal', 'DynamoDB failed or did not answer in time', { cause })
    }
  }

  /** Sends a command with a condition; that it did not hold is an outcome, not a failure. */
  async function sendIf<R>(command: Command<R>): Promise<R | ConditionalCheckFailedException> {
    try {
      return await send(command)
    } catch (error) {
      if (error instanceof BridgeError && error.cause instanceof ConditionalCheckFailedException) return error.cause
      throw error
    }
  }

  async function read(kind: string, id: string) {
    const command = record.build(GetItemCommand).key({ kind, id }).options({ consistent: true })
    return (await send(command)).Item
  }

  /** Resolves with the new version, or `undefined` when the condition did not hold. */
  async function write(
    { kind, id, text }: { readonly kind: string; readonly id: string; readonly text: string },
    put: PutOptions,
    now: number,
  ): Promise<number | undefined> {
    const expiresAt = lastInstant(put, now)
    const mark = randomUUID()
    const command = record
      .build(UpdateItemCommand)
      .item({
        kind,
        id,
        group: put.group === undefined ? $remove() : groupKey(kind, put.group),
        version: $add(1),
        expiresAt: expiresAt ?? $remove(),
        ttl: expiresAt === undefined ? $remove() : ttlOf(expiresAt),
        value: text,
        write: mark,
      })
      .options({ ...conditionOf(put.onlyIf, now), returnValues: 'UPDATED_NEW' })
    const outcome = await sendIf(command)
    if (!(outcome instanceof ConditionalCheckFailedException)) return outcome.Attributes?.version
    // The SDK repeats a request whose reply was lost, and then the condition may have failed on our own write.
    if ((outcome.$metadata.attempts ?? 1) === 1) return undefined
    const found = await read(kind, id)
    return found?.write === mark ? found.version : undefined
  }

  /** Removes the live record and returns it, in one step. What stays is a tombstone that remembers its version. */
  async function erase(kind: string, id: string, now: number) {
    const command = record
      .build(UpdateItemCommand)
      .item({ kind, id, group: $remove(), value: $remove(), write: $remove(), expiresAt: now, ttl: ttlOf(now) })
      .options({ condition: isLive(now), returnValues: 'ALL_OLD' })
    const outcome = await sendIf(command)
    return outcome instanceof ConditionalCheckFailedException ? undefined : outcome.Attributes
  }

  /** What has expired is still in the index, so as many pages are read as it takes. */
  async function list<T>(partition: string, { limit, after }: ReturnType<typeof checkPage>, now: number) {
    const deadline = AbortSignal.timeout(callMs)
    const found: Stored<T>[] = []
    let from: Record<string, unknown> | undefined
    do {
      const command = record.table
        .build(QueryCommand)
        .entities(record)
        .query({ index: 'byGroup', partition, ...(after === undefined ? {} : { range: { gt: after } }) })
        .options({
          limit: from === undefined ? limit : Math.max(limit - found.length, minPage),
          ...(from === undefined ? {} : { exclusiveStartKey: from }),
        })
      const answer = await send(command, deadline)
      for (const each of answer.Items ?? []) {
        const live = toLive<T>(each, now)
        if (live !== undefined) found.push(live)
      }
      from = answer.LastEvaluatedKey
    } while (from !== undefined && found.length < limit)
    return found.slice(0, limit)
  }

  return { read, write, erase, list }
}

function conditionOf(onlyIf: PutOptions['onlyIf'], now: number) {
  if (onlyIf === undefined) return {}
  if (onlyIf === 'absent') return { condition: isGone(now) }
  return { condition: { and: [{ attr: 'version' as const, eq: onlyIf.version }, isLive(now)] } }
}

/** Time to live may lag by days, so what has expired is told from what lives by every reader and every condition. */
function isGone(now: number) {
  return {
    or: [
      { attr: 'value' as const, exists: false },
      { attr: 'expiresAt' as const, lte: now },
    ],
  }
}

function isLive(now: number) {
  return { not: isGone(now) }
}

function toLive<T>(read: RecordItem | undefined, now: number): Stored<T> | undefined {
  if (read?.value === undefined || (read.expiresAt !== undefined && read.expiresAt <= now)) return undefined
  return toStored<T>(read.id, read.value, read.version, read.expiresAt)
}

/** Kinds have no `#`, so no two pairs share a key. */
function groupKey(kind: string, group: string): string {
  return `${kind}#${group}`
}

/** When DynamoDB may delete the item, in epoch seconds: rounded up, and not before its version may be forgotten. */
function ttlOf(expiresAt: number): number {
  return Math.ceil((expiresAt + versionMemoryMs) / 1000)
}

type RecordItem = FormattedItem<ReturnType<typeof recordEntity>>
