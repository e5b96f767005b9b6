/** Serves the built page: `/`, its assets and the player's module, compressed and with the headers that keep it to itself. */
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { Router, type Request, type Response } from 'express'

export interface PageOptions {
  /** Where the build has left `index.html`, `transom-player.js` and `assets/`. */
  readonly directory: string
  /** The origin by which browsers reach the bridge, without a slash at the end. */
  readonly publicUrl: string
  /** What the operator has set; without it each reader's own. */
  readonly language?: string | undefined
  /** What to show while there is no page. */
  readonly missing: () => string
}

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
}

/** Nothing but ourselves: no other origin, no inline script or style, no frame around us. */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "font-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "worker-src 'self'",
].join('; ')

const pageHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': contentPolicy,
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'microphone=(self), fullscreen=(self), autoplay=(self), camera=(), geolocation=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** What makes the page an app on a phone, and shows notifications there. Their names stay: a new build is asked for. */
const appFiles = ['manifest.webmanifest', 'icon-192.png', 'icon-512.png', 'service-worker.js']

/** As the build names them; nothing else below `assets` is given out. */
const assetName = /^[\w.-]+-[\w-]{8,}\.[a-z0-9]+$/
const yearS = 365 * 24 * 3600

export function createPage({ directory, publicUrl, language, missing }: PageOptions): Router {
  const router = Router()
  const load = createLoader((html) => (language === undefined ? html : markLanguage(html, language)))

  router.get('/', async (request, response) => {
    response.set(pageHeaders)
    const elsewhere = otherLoopbackName(request, publicUrl)
    // Signing in ends at the public URL, and what a browser keeps it keeps for one name.
    if (elsewhere !== undefined) return response.redirect(302, elsewhere)
    const index = await load(join(directory, 'index.html'))
    if (index === undefined) return void response.status(503).type('text/plain').send(missing())
    send(request, response.set('cache-control', 'no-cache'), index)
  })

  router.get('/assets/:name', async (request, response, next) => {
    const { name } = request.params
    const asset = assetName.test(name) ? await load(join(directory, 'assets', name)) : undefined
    if (asset === undefined) return next()
    response.set({ ...pageHeaders, 'cache-control': `public, max-age=${yearS}, immutable` })
    send(request, response, asset)
  })

  for (const name of appFiles) {
    router.get(`/${name}`, async (request, response, next) => {
      const file = await load(join(directory, name))
      if (file === undefined) return next()
      send(request, response.set({ ...pageHeaders, 'cache-control': 'no-cache' }), file)
    })
  }

  // A vendor's app may import it from here, whatever its origin.
  router.get('/transom-player.js', async (request, response, next) => {
    const player = await load(join(directory, 'transom-player.js'))
    if (player === undefined) return next()
    response.set({
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'cache-control': 'public, max-age=60, must-revalidate',
      'x-content-type-options': 'nosniff',
    })
    send(request, response, player)
  })

  return router
}

interface File {
  readonly type: string
  readonly etag: string
  readonly plain: Buffer
  readonly br: Buffer
  readonly gzip: Buffer
}

const compressWithBrotli = promisify(brotliCompress)
const compressWithGzip = promisify(gzip)

/** Reads and compresses each file once, and again when a new build has changed it. */
/** `edit` has the last word on HTML. */
function createLoader(edit: (html: string) => string): (path: string) => Promise<File | undefined> {
  const files = new Map<string, { readonly changedAt: number; readonly file: Promise<File> }>()
  return async (path) => {
    const found = await stat(path).catch(() => undefined)
    if (found?.isFile() !== true) return undefined
    const known = files.get(path)
    if (known?.changedAt === found.mtimeMs) return known.file
    const file = read(path, edit)
    files.set(path, { changedAt: found.mtimeMs, file })
    file.catch(() => files.delete(path))
    return file
  }
}

/** The page reads it: `src/console/language/language.ts`. */
const markLanguage = (html: string, language: string): string =>
  html.replace(/<html lang="\w+"/, `<html lang="${language}" data-language="${language}"`)

async function read(path: string, edit: (html: string) => string): Promise<File> {
  const stored = await readFile(path)
  const plain = extname(path) === '.html' ? Buffer.from(edit(stored.toString('utf8'))) : stored
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } }
  const [br, gz] = await Promise.all([compressWithBrotli(plain, quality), compressWithGzip(plain, { level: 9 })])
  const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`
  return { type: types[extname(path)] ?? 'application/octet-stream', etag, plain, br, gzip: gz }
}

function send(request: Request, response: Response, file: File): void {
  const { type, etag, plain } = file
  response.set({ etag, vary: 'Accept-Encoding' })
  if (request.get('if-none-match')?.includes(etag)) return void response.status(304).end()
  // Not what the browser names first: what is smallest.
  const coding = request.acceptsEncodings('br') || request.acceptsEncodings('gzip')
  const packed = coding === 'br' || coding === 'gzip' ? file[coding] : plain
  const isSmaller = packed.length < plain.length
  if (isSmaller) response.set('content-encoding', String(coding))
  response.set('content-type', type).send(isSmaller ? packed : plain)
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/** The same page under the name that it goes by, for who came by another name of this machine. */
function otherLoopbackName(request: Request, publicUrl: string): string | undefined {
  const wanted = new URL(publicUrl)
  const came = URL.parse(`${wanted.protocol}//${request.headers.host ?? ''}`)
  if (came === null || came.hostname === wanted.hostname || came.port !== wanted.port) return undefined
  return loopback.has(came.hostname) && loopback.has(wanted.hostname) ? `${publicUrl}/` : undefined
}
