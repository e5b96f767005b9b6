/** Certificates as Amazon's for requests of custom skills: a root, an authority, a signing certificate; and what is wrong with them. */
import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

const ec = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const rsa = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
} as const

export interface Issued {
  readonly pem: string
  readonly name: string
  readonly keys: webcrypto.CryptoKeyPair
}

export interface Wish {
  readonly issuer?: Issued
  readonly isAuthority?: boolean
  readonly host?: string
  readonly notBefore?: number
  readonly notAfter?: number
}

let serial = 0

/** A certificate; without an issuer it is its own. Valid for a day around now, unless it is wished otherwise. */
export async function issue(name: string, wish: Wish = {}): Promise<Issued> {
  const { issuer, isAuthority = wish.host === undefined, host } = wish
  const keys = await crypto.subtle.generateKey(host === undefined ? ec : rsa, true, ['sign', 'verify'])
  const hour = 3_600_000
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: `0${++serial}`,
    subject: `CN=${name}`,
    issuer: `CN=${issuer?.name ?? name}`,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: ec,
    notBefore: new Date(wish.notBefore ?? Date.now() - 12 * hour),
    notAfter: new Date(wish.notAfter ?? Date.now() + 12 * hour),
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, undefined, true),
      ...(host === undefined ? [] : [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }])]),
    ],
  })
  return { pem: certificate.toString('pem'), name, keys }
}

/** `Signature-256` of a body. */
export async function signBody({ keys }: Issued, body: string): Promise<string> {
  const signature = await crypto.subtle.sign(rsa.name, keys.privateKey, new TextEncoder().encode(body))
  return Buffer.from(signature).toString('base64')
}
