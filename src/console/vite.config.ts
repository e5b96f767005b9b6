/** How the page and `transom-player.js` are built: hashed names for what may be kept for ever. The bridge compresses. */
import { join } from 'node:path'
import { defineConfig } from 'vite'

const root = import.meta.dirname

export default defineConfig({
  root,
  base: '/',
  publicDir: join(root, 'public'),
  resolve: { alias: { 'transom-player': join(root, '../player/main.ts') } },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  // For `npm run console`: the page with hot reload, the bridge behind it.
  server: {
    strictPort: true,
    proxy: {
      '^/(api|oauth|simulator|cameras|google|\\.well-known)/': 'http://localhost:8080',
    },
  },
  build: {
    outDir: join(root, '../../dist/console'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // An image as `data:` would need a hole in the Content-Security-Policy.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: {
      // The player is a module of its own, with its own exports, that the page imports as a vendor's app would.
      preserveEntrySignatures: 'strict',
      input: {
        index: join(root, 'index.html'),
        'transom-player': join(root, '../player/main.ts'),
        'service-worker': join(root, 'service-worker.ts'),
      },
      output: {
        entryFileNames: ({ name }) => (name === 'index' ? 'assets/[name]-[hash].js' : '[name].js'),
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
})
