/** What a bridge signs and seals with; whoever starts it keeps them. The first of a list is in use, the others are still accepted. */
import type { JWK } from 'jose'

export interface Keys {
  /** ES256 private keys that sign access tokens. */
  readonly signing: readonly JWK[]
  readonly cookies: readonly string[]
  /** 32 bytes in base64; seals the tokens that Alexa grants us, what cameras sign with, and the signing keys of a rotation. */
  readonly sealing: string
}
