/** `npm run bundle`: what serverless.yml packages: the Lambda functions, each with what it needs alone, and the rest of the stack as CloudFormation. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { build } from 'esbuild'
import { bundleOf, functions } from './bundles.ts'
import { stackResources } from './resources.ts'

/** Each function is packaged as the folder of its name. */
await rm('dist/lambda', { recursive: true, force: true })
for (const name of functions) await build({ ...bundleOf(name), outdir: `dist/lambda/${name}`, logLevel: 'info' })

await mkdir('dist', { recursive: true })
await writeFile('dist/resources.json', `${JSON.stringify({ Resources: stackResources() }, undefined, 2)}\n`)
