/** `npm run bundle`: what serverless.yml packages: the Lambda entries in one file, and the table as CloudFormation. */
import { mkdir, writeFile } from 'node:fs/promises'
import { build } from 'esbuild'
import { dynamoTable } from '../store/dynamo-table.ts'

await build({
  entryPoints: { lambda: 'src/bridge/aws/lambda.ts' },
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  minify: true,
  keepNames: true,
  sourcemap: 'linked',
  // Packages that are still CommonJS inside call require.
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  logLevel: 'info',
})

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
