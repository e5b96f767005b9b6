/** The DynamoDB store: the contract on dynalite in this process, and on a real table when one is given. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createServer, request, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb'
import dynalite from 'dynalite'
import type { Clock } from '../../src/core/ports.ts'
import { createDynamoStore } from '../../src/bridge/store/dynamo.ts'
import { dynamoTable } from '../../src/bridge/store/dynamo-table.ts'
import { storeContract } from './contract.ts'

const tableName = 'transom'
const hour = 3_600_000

describe('on dynalite', () => {
  let server: Server
  let client: DynamoDBDocumentClient

  beforeAll(async () => {
    server = dynalite({ createTableMs: 0 }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    client = clientOf(server)
    await client.send(new CreateTableCommand(dynamoTable(tableName)))
  })
  afterAll(async () => {
    client.destroy()
    await closed(server)
  })

  const open = (clock: Clock) => createDynamoStore({ client, tableName, clock })

  describe('the store contract', () => {
    storeContract(async (clock) => open(clock), 25)
  })

  test('time to live is in whole seconds, rounded up, an hour after the record has gone', async () => {
    const records = open(() => 1_000).collection('ttl')
    await records.put('expires', 1, { expiresAt: 5_001 })
    await records.put('stays', 1)
    await records.put('taken', 1, { group: 'all' })
    await records.take('taken')
    const { Items = [] } = await client.send(
      new ScanCommand({
        TableName: tableName,
        FilterExpression: 'sk = :kind',
        ExpressionAttributeValues: { ':kind': 'ttl' },
      }),
    )
    const byId = new Map(Items.map((item) => [item['pk'], item]))
    expect(byId.get('expires')).toMatchObject({ exp: 5_001, ttl: 3_606 })
    expect(byId.get('stays')).not.toHaveProperty('ttl')
    expect(byId.get('taken')).toEqual({ pk: 'taken', sk: 'ttl', ver: 1, exp: 1_000, ttl: 1 + hour / 1000 })
  })

  test('a list walks over pages of expired records with few requests', async () => {
    let now = 0
    const records = open(() => now).collection('pages')
    for (let n = 0; n < 60; n += 1) await records.put(`a${n}`, n, { group: 'all', expiresAt: 10 })
    await records.put('b', 'live', { group: 'all' })
    now = 10
    const counted = countRequests(client)
    expect(await records.list('all', { limit: 1 })).toEqual([{ id: 'b', value: 'live', version: 1 }])
    expect(counted()).toBeLessThanOrEqual(3)
  })

  test('every verb is one request, whether its condition holds or not', async () => {
    const records = open(() => 0).collection('requests')
    const counted = countRequests(client)
    await records.put('id', 1, { onlyIf: 'absent', group: 'all' })
    await records.put('id', 1, { onlyIf: 'absent' })
    await records.get('id')
    await records.list('all')
    await records.take('id')
    await records.take('id')
    expect(counted()).toBe(6)
  })

  describe('behind a network that loses replies', () => {
    let lossy: Server
    let losing = 0
    let lossyClient: DynamoDBDocumentClient

    beforeAll(async () => {
      lossy = createServer((incoming, outgoing) => {
        const { port } = server.address() as AddressInfo
        const { method, url, headers } = incoming
        const forwarded = request({ port, method, path: url, headers }, (reply) => {
          if (losing > 0) {
            losing -= 1
            reply.resume().on('end', () => outgoing.destroy())
          } else {
            outgoing.writeHead(reply.statusCode ?? 500, reply.headers)
            reply.pipe(outgoing)
          }
        })
        incoming.pipe(forwarded)
      }).listen(0, '127.0.0.1')
      await once(lossy, 'listening')
      lossyClient = clientOf(lossy)
    })
    afterAll(async () => {
      lossyClient.destroy()
      await closed(lossy)
    })

    const records = () => createDynamoStore({ client: lossyClient, tableName, clock: Date.now }).collection('lossy')

    test('a conditional put that the SDK had to repeat still says that it wrote', async () => {
      losing = 1
      expect(await records().put('absent', 'mine', { onlyIf: 'absent' })).toBe(1)
      losing = 1
      expect(await records().put('absent', 'mine', { onlyIf: { version: 1 } })).toBe(2)
      expect(losing).toBe(0)
    })

    test('a conditional put that the SDK had to repeat does not claim the write of another', async () => {
      await records().put('theirs', 'the same', { onlyIf: 'absent' })
      losing = 1
      expect(await records().put('theirs', 'the same', { onlyIf: 'absent' })).toBeUndefined()
      expect(await records().get('theirs')).toMatchObject({ version: 1 })
    })

    test('a take whose reply was lost gives the record to nobody', async () => {
      await records().put('ticket', 1)
      losing = 1
      expect(await records().take('ticket')).toBeUndefined()
      expect(await records().get('ticket')).toBeUndefined()
    })
  })

  test('a DynamoDB that fails is an internal error with the cause', async () => {
    const records = createDynamoStore({ client, tableName: 'missing', clock: Date.now }).collection('any')
    await expect(records.get('id')).rejects.toMatchObject({
      code: 'internal',
      cause: { name: 'ResourceNotFoundException' },
    })
    await expect(records.put('id', 1, { onlyIf: 'absent' })).rejects.toMatchObject({ code: 'internal' })
  })
})

const realTable = process.env['TRANSOM_TEST_DYNAMODB_TABLE']
if (realTable !== undefined) {
  // A table of its own, made as dynamoTable() says; region and credentials as the AWS SDK finds them. What is written stays.
  describe(`on the real DynamoDB table ${realTable}`, () => {
    const client = DynamoDBDocumentClient.from(new DynamoDBClient())
    storeContract(async (clock) => createDynamoStore({ client, tableName: realTable, clock }), 5)
    afterAll(async () => {
      const { $metadata } = await client.send(new ScanCommand({ TableName: realTable, Limit: 1 }))
      process.stderr.write(`The store contract ran on DynamoDB, table ${realTable} (request ${$metadata.requestId})\n`)
      client.destroy()
    })
  })
}

function clientOf(server: Server): DynamoDBDocumentClient {
  const { port } = server.address() as AddressInfo
  return DynamoDBDocumentClient.from(
    new DynamoDBClient({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    }),
  )
}

/** Counts what a client sends from now on. */
function countRequests(client: DynamoDBDocumentClient): () => number {
  let requests = 0
  client.middlewareStack.add(
    (next) => (args) => {
      requests += 1
      return next(args)
    },
    { step: 'finalizeRequest', name: 'count' },
  )
  return () => {
    client.middlewareStack.remove('count')
    return requests
  }
}

async function closed(server: Server): Promise<void> {
  const done = new Promise<void>((resolve, reject) => {
    server.close((error) => (error === undefined || error === null ? resolve() : reject(error)))
  })
  server.closeAllConnections()
  await done
}
