/** `npm run bundle`: what serverless.yml packages: the Lambda functions, each with what it needs alone, and the table as CloudFormation. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { build } from 'esbuild'
import { dynamoTable } from '../store/dynamo-table.ts'
import { bundleOf, functions } from './bundles.ts'

/** Each function is packaged as the folder of its name. */
await rm('dist/lambda', { recursive: true, force: true })
for (const name of functions) await build({ ...bundleOf(name), outdir: `dist/lambda/${name}`, logLevel: 'info' })

// CloudFormation sets the name, switches expiry on, and keeps the table when the stack goes.
const { TableName: _, ...table } = dynamoTable('named by serverless.yml')
const resources = {
  Resources: {
    Table: {
      Type: 'AWS::DynamoDB::Table',
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        TableName: '${self:service}-${sls:stage}',
        ...table,
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
    },
  },
}
await mkdir('dist', { recursive: true })
await writeFile('dist/resources.json', `${JSON.stringify(resources, undefined, 2)}\n`)
