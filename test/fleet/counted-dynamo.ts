/** DynamoDB (dynalite) behind a door that counts its calls and what each costs the index, and throttles a key that has had enough. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import dynalite from 'dynalite'

/** One call, as far as it matters here. */
export interface DynamoCall {
  /** `GetItem`, `UpdateItem`, `Query`. */
  readonly operation: string
  /** Kind and id of the record; for a query, the key of the index. */
  readonly kind: string
  readonly id: string
}

/** What one answered call used, in capacity units as DynamoDB counts them. */
export interface DynamoSpend {
  /** Kind and id of the record; for a query, the key of the index. */
  readonly record: string
  readonly readUnits: number
  /** Of the table. */
  readonly writeUnits: number
  /** The keys of the index that were written, each with `writeUnits` of its own: two when a record changes its list. */
  readonly indexKeys: readonly string[]
}

export type CountedDynamo = Awaited<ReturnType<typeof startCountedDynamo>>

export async function startCountedDynamo() {
  const server = dynalite({ createTableMs: 0 })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const calls: DynamoCall[] = []
  const spent: DynamoSpend[] = []
  /** Writes that each key of the index has had. */
  const indexWrites = new Map<string, number>()
  const groupOf = new Map<string, string | undefined>()
  const script = {
    /** So many writes a key of the index takes in all; more are throttled, as AWS does above 1,000 a second. */
    writesPerKey: Infinity,
    throttled: 0,
    /** The next calls of an operation that are never answered. */
    hang: new Map<string, number>(),
  }

  /** Charges the keys of the index that a write touches; false when one of them has had enough. */
  function charge(body: UpdateItem): boolean {
    const keys = keysOf(body)
    if (keys.some((key) => (indexWrites.get(key) ?? 0) >= script.writesPerKey)) return false
    for (const key of keys) indexWrites.set(key, (indexWrites.get(key) ?? 0) + 1)
    return true
  }

  /** The keys of the index that this write touches. */
  function keysOf(body: UpdateItem): readonly string[] {
    const before = groupOf.get(recordOf(body))
    return [...new Set([before, groupAfter(body, before)])].filter((key) => key !== undefined)
  }

  /** Notes what an answered call used. A write whose condition failed is paid for, and changes no index. */
  function note(operation: string, body: UpdateItem & Query, status: number, reply: Buffer): void {
    if (operation === 'Query') {
      // An answer of nothing is half a unit, too.
      const record = Object.values(body.ExpressionAttributeValues ?? {})[0]?.S ?? ''
      spent.push({ record, readUnits: Math.max(0.5, unitsOf(reply)), writeUnits: 0, indexKeys: [] })
    } else if (operation === 'GetItem') {
      spent.push({ record: recordOf(body), readUnits: unitsOf(reply), writeUnits: 0, indexKeys: [] })
    } else if (operation === 'UpdateItem') {
      const indexKeys = status === 200 ? keysOf(body) : []
      spent.push({ record: recordOf(body), readUnits: 0, writeUnits: Math.max(1, unitsOf(reply)), indexKeys })
      if (status === 200) groupOf.set(recordOf(body), groupAfter(body, groupOf.get(recordOf(body))))
    }
  }

  async function forward(request: IncomingMessage, text: string) {
    const {
      host: _host,
      connection: _connection,
      'content-length': _length,
      expect: _expect,
      ...headers
    } = request.headers
    const response = await fetch(target, { method: 'POST', headers: headers as Record<string, string>, body: text })
    return { status: response.status, body: Buffer.from(await response.arrayBuffer()), type: response.headers }
  }

  const door = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const text = Buffer.concat(chunks).toString()
      const operation = String(request.headers['x-amz-target']).split('.')[1] ?? ''
      const body: UpdateItem & Query = JSON.parse(text)
      if (operation === 'Query')
        calls.push({ operation, kind: Object.values(body.ExpressionAttributeValues ?? {})[0]?.S ?? '', id: '' })
      else if (body.Key) calls.push({ operation, kind: body.Key.sk?.S ?? '', id: body.Key.pk?.S ?? '' })
      const hanging = script.hang.get(operation) ?? 0
      if (hanging > 0) return void script.hang.set(operation, hanging - 1)
      if (operation === 'UpdateItem' && !charge(body)) {
        script.throttled += 1
        const refusal = { __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException' }
        response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(refusal))
        return
      }
      const asked = body.Key || operation === 'Query' ? { ...body, ReturnConsumedCapacity: 'TOTAL' } : body
      const { status, body: reply, type } = await forward(request, JSON.stringify(asked))
      note(operation, body, status, reply)
      const crc = type.get('x-amz-crc32')
      response.writeHead(status, {
        'content-type': 'application/x-amz-json-1.0',
        ...(crc !== null && { 'x-amz-crc32': crc }),
      })
      response.end(reply)
    })().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))

  return {
    endpoint: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
    calls,
    spent,
    indexWrites,
    script,
    async close() {
      door.closeAllConnections()
      await new Promise((resolve) => door.close(resolve))
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

type Values = Readonly<Record<string, { readonly S?: string }>>

interface UpdateItem {
  readonly Key: Values
  readonly UpdateExpression?: string
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>
  readonly ExpressionAttributeValues?: Values
}

interface Query {
  readonly ExpressionAttributeValues?: Values
}

const recordOf = ({ Key }: UpdateItem): string => `${Key.sk?.S} ${Key.pk?.S}`

function unitsOf(reply: Buffer): number {
  const { ConsumedCapacity }: { ConsumedCapacity?: { readonly CapacityUnits: number } } = JSON.parse(reply.toString())
  return ConsumedCapacity?.CapacityUnits ?? 0
}

/** The list in which the record is after this write. */
function groupAfter(body: UpdateItem, before: string | undefined): string | undefined {
  const { UpdateExpression = '', ExpressionAttributeNames = {}, ExpressionAttributeValues = {} } = body
  const [name] = Object.entries(ExpressionAttributeNames).find(([, attribute]) => attribute === 'grp') ?? []
  if (name === undefined) return before
  const set = new RegExp(`${name} = (:\\w+)`).exec(UpdateExpression)?.[1]
  return set === undefined ? undefined : ExpressionAttributeValues[set]?.S
}
