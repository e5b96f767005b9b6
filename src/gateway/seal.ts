/**
 * Seals RTP packets with the keys that DTLS agreed: AEAD_AES_128_GCM (RFC 7714) or AES128_CM_HMAC_SHA1_80 (RFC 3711).
 * werift makes seven objects for each packet; here a packet is one copy, one cipher and nothing that outlives it.
 */
import { createCipheriv, createHmac, createSecretKey } from 'node:crypto'
import type { SrtpSession } from 'werift'

/**
 * Returns the sealed packet. `header`: the complete RTP header, whose sequence number is `index` modulo 2^16. `index`: the
 * packet's index (RFC 3711 section 3.3.1), which may be used again for the same packet only.
 */
export type Seal = (header: Buffer, payload: Buffer, index: number) => Buffer

type SessionKeys = Pick<
  SrtpSession['localContext'],
  'profile' | 'srtpSessionKey' | 'srtpSessionSalt' | 'srtpSessionAuthTag'
>

/** SRTPProtectionProfile of AEAD_AES_128_GCM (RFC 7714 section 14.2). */
const aeadAes128Gcm = 7
const gcmTagLength = 16
/** HMAC-SHA1 is cut to 80 bits (RFC 3711 section 5.2). */
const hmacTagLength = 10

/** `keys`: the sending side of a session that is established. */
export function createSeal(keys: SessionKeys): Seal {
  // Node takes a key object as it is; of a Buffer it makes one for each packet.
  const key = createSecretKey(keys.srtpSessionKey)
  return keys.profile === aeadAes128Gcm
    ? sealGcm(key, createNonce(keys.srtpSessionSalt.subarray(0, 12), 12, 2))
    : sealCounterMode(key, createSecretKey(keys.srtpSessionAuthTag), createNonce(keys.srtpSessionSalt, 16, 4))
}

type Key = ReturnType<typeof createSecretKey>
type Nonce = (header: Buffer, index: number) => Buffer

function sealGcm(key: Key, nonce: Nonce): Seal {
  return (header, payload, index) => {
    const cipher = createCipheriv('aes-128-gcm', key, nonce(header, index)).setAAD(header)
    const sealed = cipher.update(payload)
    cipher.final()
    return join(header, sealed, cipher.getAuthTag(), gcmTagLength)
  }
}

function sealCounterMode(key: Key, authKey: Key, nonce: Nonce): Seal {
  const rollover = Buffer.alloc(4)
  return (header, payload, index) => {
    const sealed = createCipheriv('aes-128-ctr', key, nonce(header, index)).update(payload)
    rollover.writeUInt32BE(Math.floor(index / 0x1_0000))
    const tag = createHmac('sha1', authKey).update(header).update(sealed).update(rollover).digest()
    return join(header, sealed, tag, hmacTagLength)
  }
}

/** `Buffer.concat` of these costs twice as much. */
function join(header: Buffer, sealed: Buffer, tag: Buffer, tagLength: number): Buffer {
  const packet = Buffer.allocUnsafe(header.length + sealed.length + tagLength)
  packet.set(header)
  packet.set(sealed, header.length)
  tag.copy(packet, header.length + sealed.length, 0, tagLength)
  return packet
}

/** The salt, exclusive-ored with SSRC and index side by side (RFC 3711 section 4.1.1, RFC 7714 section 8.1): always the same Buffer. */
function createNonce(salt: Buffer, length: number, at: number): Nonce {
  const nonce = Buffer.alloc(length)
  salt.copy(nonce)
  const [saltOfSsrc, saltOfRollover] = [salt.readUInt32BE(at), salt.readUInt32BE(at + 4)]
  const saltOfSequence = salt.readUInt16BE(at + 8)
  return (header, index) => {
    nonce.writeUInt32BE((saltOfSsrc ^ header.readUInt32BE(8)) >>> 0, at)
    nonce.writeUInt32BE((saltOfRollover ^ Math.floor(index / 0x1_0000)) >>> 0, at + 4)
    nonce.writeUInt16BE(saltOfSequence ^ (index & 0xffff), at + 8)
    return nonce
  }
}
