/** What each Lambda function loads: told by the bundler from the entries themselves. */
import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { build, type Metafile } from 'esbuild'
import { bundleOf, functions } from '../../src/bridge/aws/bundles.ts'

const bundled = async (name: (typeof functions)[number]): Promise<Metafile> =>
  (await build({ ...bundleOf(name), outdir: 'dist/lambda', write: false, logLevel: 'silent' })).metafile

/** What would be loaded by these functions when they start, without what is imported only when needed. */
async function loadedBy(name: (typeof functions)[number]) {
  const metafile = await bundled(name)
  const outputs = eager(metafile, `src/bridge/aws/${name}.ts`).map((path) => metafile.outputs[path]!)
  const modules = outputs.flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  )
  return { modules, kB: outputs.reduce((sum, { bytes }) => sum + bytes, 0) / 1000 }
}

/** The entry's file and those that it imports statically. */
function eager({ outputs }: Metafile, entryPoint: string): readonly string[] {
  const [entry] = Object.entries(outputs).find(([, output]) => output.entryPoint === entryPoint)!
  const seen = new Set([entry])
  for (const path of seen)
    for (const { path: target, kind } of outputs[path]!.imports)
      if (kind === 'import-statement' && target in outputs) seen.add(target)
  return [...seen]
}

const isForOthers = (module: string): boolean =>
  /node_modules\/(oidc-provider|koa|express|serverless-http|actions-on-google|google-auth-library|oauth4webapi|@simplewebauthn|@zxcvbn-ts)\//.test(
    module,
  ) ||
  /^src\/bridge\/(google|web|doors\/http|oauth\/(pages|server|provider\/provider)|operator|outbox\/outbox)\b/.test(
    module,
  )

test('the function of the skill loads no page, no authorization server and no Google', async () => {
  const { modules, kB } = await loadedBy('alexa')
  expect(modules).toContain('src/bridge/alexa/handler.ts')
  expect(modules.filter(isForOthers)).toEqual([])
  // A cold start is paid for by whoever asked to see the door; add to this only what a directive needs.
  expect(kB).toBeLessThan(800)
})

test('the function behind API Gateway has all of it', async () => {
  const { modules } = await loadedBy('http')
  const missing = ['oidc-provider', 'express', 'actions-on-google', 'serverless-http'].filter(
    (name) => !modules.some((module) => module.includes(`node_modules/${name}/`)),
  )
  expect(missing).toEqual([])
})

const services: Readonly<Record<string, string>> = {
  'dynamodb-toolbox': 'dynamodb',
  '@aws-sdk/client-dynamodb': 'dynamodb',
  '@aws-sdk/lib-dynamodb': 'dynamodb',
  '@aws-sdk/client-kinesis-video': 'kinesisvideo',
  '@aws-sdk/client-kinesis-video-signaling': 'kinesisvideo',
}
/** The IAM actions that a module of ours needs: those of the commands that it imports, and of what it signs by itself. */
function actionsOf(path: string): readonly string[] {
  const source = readFileSync(path, 'utf8')
  const commands = [...source.matchAll(/import\s*\{([^}]+)\}\s*from '(@aws-sdk\/[^']+|dynamodb-toolbox)'/g)].flatMap(
    ([, names = '', from = '']) =>
      [...names.matchAll(/\b(\w+)Command\b/g)].map(([, command]) => `${services[from] ?? from}:${command}`),
  )
  const targets = [...source.matchAll(/'(AmazonSSM|secretsmanager)\.(\w+)'/g)].map(
    ([, service = '', target]) => `${service.replace('AmazonSSM', 'ssm')}:${target}`,
  )
  const sockets = source.includes("'X-Amz-ChannelARN'") ? ['kinesisvideo:ConnectAsViewer'] : []
  return [...commands, ...targets, ...sockets]
}

test.each(functions)('the role allows what the function %s can ask of AWS, and nothing else', async (name) => {
  const { inputs } = await bundled(name)
  const needed = Object.keys(inputs)
    .filter((path) => path.startsWith('src/'))
    .flatMap(actionsOf)
  const allowed = readFileSync('serverless.yml', 'utf8').match(/\b[a-z]+:[A-Z][a-z]\w+/g) ?? []
  expect(needed.length).toBeGreaterThan(0)
  expect([...new Set(allowed)].sort()).toEqual([...new Set(needed)].sort())
})
