/** The DynamoDB table: what creates it, and the entity that reads and writes its items. The two must agree. */
import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { Entity, item, number, string, Table } from 'dynamodb-toolbox'

/**
 * The table that `createDynamoStore` wants. Switch on time to live for its attribute `ttl` (epoch seconds) as well: that
 * is a call of its own, and without it nothing is wrong but nothing is ever deleted either.
 */
export function dynamoTable(tableName: string) {
  return {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'S' },
      { AttributeName: 'grp', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'byGroup',
        KeySchema: [
          { AttributeName: 'grp', KeyType: 'HASH' },
          { AttributeName: 'pk', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'ALL' },
      },
    ],
  } satisfies CreateTableCommandInput
}

/** The one kind of item: a record, or the tombstone of one (without `value`) that remembers its version until `ttl`. */
export function recordEntity(client: DynamoDBDocumentClient, name: string) {
  const table = new Table({
    documentClient: client,
    name,
    partitionKey: { name: 'pk', type: 'string' },
    sortKey: { name: 'sk', type: 'string' },
    indexes: {
      byGroup: {
        type: 'global',
        partitionKey: { name: 'grp', type: 'string' },
        sortKey: { name: 'pk', type: 'string' },
      },
    },
  })
  return new Entity({
    name: 'record',
    table,
    schema: item({
      id: string().key().savedAs('pk'),
      kind: string().key().savedAs('sk'),
      group: string().optional().savedAs('grp'),
      version: number().savedAs('ver'),
      expiresAt: number().optional().savedAs('exp'),
      ttl: number().optional(),
      value: string().optional().savedAs('val'),
      write: string().optional().savedAs('wid'),
    }),
    entityAttribute: false,
    timestamps: false,
  })
}
