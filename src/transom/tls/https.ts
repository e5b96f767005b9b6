/** HTTPS of the bridge itself: its port, which speaks plain HTTP as well, and its certificate, renewed while it runs. */
import type { KeyObject } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { Language } from 'transom-core/language'
import type { Clock, Log } from 'transom-core/ports'
import type { Pair } from 'transom-signaling/make-certificate'
import { createBridgeServer, createFront, createSecureServer, type Front } from '../listener.ts'
import { createAcmeSource } from './acme.ts'
import { httpsDirectory } from './certificate.ts'
import { keepCertificate, type CertificateSource, type Keeper } from './keeper.ts'
import { createOwnAuthority, type OwnAuthority } from './own.ts'
import { createPlainDoor } from './plain-door.ts'
import type { HttpsSettings } from './settings.ts'

export interface HttpsOptions {
  readonly settings: HttpsSettings
  readonly dataDir: string
  /** Seals the key of the bridge's own authority. */
  readonly sealing: KeyObject
  readonly publicUrl: string
  /** What the operator has set for readers; without it each reader's own. */
  readonly language?: Language | undefined
  readonly clock: Clock
  readonly log: Log
}

export interface Https {
  /** Gets the requests that came by TLS. Does not listen itself. */
  readonly secure: SecureServer
  /** What is to listen: TLS and plain HTTP on one port. */
  readonly front: Front
  /** What is to listen where plain HTTP has a port of its own. */
  createPlain(): Server
  /**
   * Begins to look after the certificate. That of the bridge's own authority is there when it resolves, that of a public one
   * perhaps later.
   */
  start(): Promise<void>
  /** As the keeper's. */
  readonly ending: Keeper['ending']
  /** Ends the port and the looking. May be called again. */
  close(): Promise<void>
}

/** Makes the servers, which do not listen yet. */
export async function createHttps(options: HttpsOptions): Promise<Https> {
  const { settings, dataDir, sealing, publicUrl, language, clock, log } = options
  const directory = httpsDirectory(dataDir)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const challenges = new Map<string, string>()
  const { source, authority } = openSource()
  const secure = createSecureServer()
  let isReady = false
  const door = createPlainDoor({
    publicUrl,
    language,
    challenges,
    isReady: () => isReady,
    ...(authority && { authority }),
  })
  const createPlain = () => createBridgeServer().on('request', door)
  const front = createFront(secure, createPlain())
  let keeper: Keeper | undefined
  return {
    secure,
    front,
    createPlain,
    async start() {
      keeper = await keepCertificate({ source, directory, use, clock, log })
      const started = keeper.start()
      // Our own comes at once, and nothing needs to be told of a port without it. A public authority may take its time.
      if (authority) await started
    },
    ending: () => keeper?.ending(),
    async close() {
      await keeper?.close()
      await front.close()
    },
  }

  function openSource(): { source: CertificateSource; authority?: OwnAuthority['certificate'] } {
    if (settings.kind === 'acme') return { source: createAcmeSource({ settings, directory, challenges, clock }) }
    const own = createOwnAuthority({ directory, sealing, names: settings.names, clock, log })
    return { source: own, authority: own.certificate }
  }

  function use({ cert, key }: Pair): void {
    secure.setSecureContext({ cert, key, minVersion: 'TLSv1.2' })
    isReady = true
  }
}
