/** How each Lambda function becomes one package of plain JavaScript. */
import type { BuildOptions } from 'esbuild'

/** Each has a file of its name here, which exports its handler under that name. */
export const functions = ['alexa', 'http', 'events', 'sweep', 'reconcile'] as const

/** For esbuild; without `outdir`, and to be run at the top of the repository. */
export function bundleOf(name: (typeof functions)[number]): BuildOptions & { readonly metafile: true } {
  return {
    entryPoints: { index: `src/bridge/aws/${name}.ts` },
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What is imported only when it is needed, such as credentials from elsewhere than the function's role, stays a file of its own.
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    // At run time the skill needs nothing of Amazon's model but its clients of services, which it does not use.
    alias: { 'ask-sdk-model': './src/bridge/aws/no-skill-services.ts' },
    minify: true,
    // The authorization server names its records by its classes.
    keepNames: name !== 'alexa',
    metafile: true,
    // Packages that are still CommonJS inside call require.
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  }
}
