/**
 * The file of one recording: its fragments one after the other, each sealed by itself (AES-256-GCM), so that it is only ever
 * written at its end, and a crash spoils the last fragment at most.
 *
 * A fragment is a head of 20 bytes (octets of what is sealed, number, instant, duration; big-endian), a nonce of 12, what is
 * sealed, and a tag of 16. The tag covers the head and which recording it is, so that no fragment can be swapped, in this
 * file or between two.
 */
import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import type { Fragment, ReadFragment } from 'transom-core/ports'

const headBytes = 20
const nonceBytes = 12
const tagBytes = 16
const aroundBytes = headBytes + nonceBytes + tagBytes
/** Of one fragment. A camera of 20 Mbit/s with a key frame every ten seconds stays below it. */
export const mostBytes = 32 * 1_024 * 1_024

/** What seals a recording: the key of its camera's day, and its own name. */
export interface Sealing {
  readonly key: KeyObject
  /** Not hidden, but must be the same when it is read. */
  readonly context: string
}

/** Where a fragment lies, as its head says it. */
export interface Place extends Omit<Fragment, 'data'> {
  /** Of its head, from the start of the file. */
  readonly offset: number
  readonly sealedBytes: number
  /** Its head has another number than its place in the file. */
  readonly isMisplaced: boolean
}

/** A file that is being written. */
export interface SealedWriter {
  /** Bytes on the disk. */
  size(): number
  /** Appends, and resolves when it would survive a crash. After a failure the file is as it was before. */
  append(fragment: Fragment): Promise<void>
  close(): Promise<void>
}

/** Goes on writing at `size`; what lies behind it is cut off. */
export async function openWriter(path: string, sealing: Sealing, size: number): Promise<SealedWriter> {
  const file = await open(path, size === 0 ? 'w' : 'r+', 0o600)
  let end = size
  return {
    size: () => end,
    async append(fragment) {
      const bytes = sealFragment(sealing, fragment)
      try {
        await writeAll(file, bytes, end)
        await file.datasync()
      } catch (error) {
        await file.truncate(end).catch(() => undefined)
        throw error
      }
      end += bytes.length
    },
    close: () => file.close(),
  }
}

/** One `write` may take less than it is given, on a disk that is nearly full. */
async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

/** Where each fragment lies, as far as the file is whole. Reads heads alone, and trusts none of them. */
export async function* placesIn(file: FileHandle): AsyncGenerator<Place> {
  const { size } = await file.stat()
  const head = Buffer.alloc(headBytes)
  for (let offset = 0, number = 0; offset + aroundBytes <= size; number += 1) {
    await file.read(head, 0, headBytes, offset)
    const sealedBytes = head.readUInt32BE(0)
    if (sealedBytes > mostBytes || offset + aroundBytes + sealedBytes > size) return
    const isMisplaced = head.readUInt32BE(4) !== number
    yield { offset, sealedBytes, isMisplaced, number, at: head.readDoubleBE(8), durationMs: head.readUInt32BE(16) }
    offset += aroundBytes + sealedBytes
  }
}

/** The end of a fragment, from the start of the file. */
export const endOf = ({ offset, sealedBytes }: Place): number => offset + aroundBytes + sealedBytes

/** Reads a fragment, or says that it was damaged, changed, swapped, or sealed by another key. */
export async function readAt(file: FileHandle, sealing: Sealing, place: Place): Promise<ReadFragment> {
  const { number, at, durationMs, offset, sealedBytes, isMisplaced } = place
  if (isMisplaced) return { kind: 'lost', number, at, durationMs, fault: 'another fragment stands in its place' }
  const bytes = Buffer.alloc(aroundBytes + sealedBytes)
  const { bytesRead } = await file.read(bytes, 0, bytes.length, offset)
  const data = bytesRead === bytes.length ? openFragment(sealing, bytes) : undefined
  return data
    ? { kind: 'whole', number, at, durationMs, data }
    : { kind: 'lost', number, at, durationMs, fault: 'it is damaged, or not of this key' }
}

function sealFragment({ key, context }: Sealing, { number, at, durationMs, data }: Fragment): Buffer {
  const head = Buffer.alloc(headBytes)
  head.writeUInt32BE(data.length, 0)
  head.writeUInt32BE(number, 4)
  head.writeDoubleBE(at, 8)
  head.writeUInt32BE(Math.round(durationMs), 16)
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  cipher.setAAD(Buffer.concat([head, Buffer.from(context)]))
  return Buffer.concat([head, nonce, cipher.update(data), cipher.final(), cipher.getAuthTag()])
}

function openFragment({ key, context }: Sealing, bytes: Buffer): Buffer | undefined {
  const head = bytes.subarray(0, headBytes)
  const nonce = bytes.subarray(headBytes, headBytes + nonceBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  decipher.setAAD(Buffer.concat([head, Buffer.from(context)])).setAuthTag(bytes.subarray(-tagBytes))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(headBytes + nonceBytes, -tagBytes)), decipher.final()])
  } catch {
    return undefined
  }
}
