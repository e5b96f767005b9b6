/** The outbox on DynamoDB: what a process wrote down and did not send is sent by the next, and by one only. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { expect, test } from '@jest/globals'
import dynalite from 'dynalite'
import { createDynamoStore } from '../../src/bridge/store/dynamo.ts'
import { dynamoTable } from '../../src/bridge/store/dynamo-table.ts'
import { createWorld, press, report } from './world.ts'

test('what a process left behind is told once by those that come after it', async () => {
  const server = dynalite({ createTableMs: 0 }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({
      region: 'local',
      endpoint: `http://127.0.0.1:${port}`,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    }),
  )
  try {
    await client.send(new CreateTableCommand(dynamoTable('transom')))
    const store = createDynamoStore({ client, tableName: 'transom', clock: Date.now })
    let isUp = false
    const world = createWorld(store, async () =>
      isUp ? { kind: 'done' } : { kind: 'retry', afterMs: 20_000, reason: 'down' },
    )
    const first = world.boot()
    await first.outbox.add([press({ id: 'rang' }), report('on', { id: 'seen' })])
    await first.outbox.close()
    isUp = true
    world.told.length = 0

    const others = [world.boot().outbox, world.boot().outbox]
    await Promise.all(others.map((outbox) => outbox.start()))
    await Promise.all(others.map((outbox) => outbox.settled()))
    expect(world.told.filter(({ event }) => event.id === 'rang')).toHaveLength(1)
    expect(world.told.map(({ event }) => event.id)).toContain('seen')
    await Promise.all(others.map((outbox) => outbox.close()))
  } finally {
    client.destroy()
    server.close()
  }
})
