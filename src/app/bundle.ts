/** `npm run bundle`: puts the Lambda entries into one file each, as serverless.yml packages them. */
import { build } from 'esbuild'

await build({
  entryPoints: { lambda: 'src/app/lambda.ts' },
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
