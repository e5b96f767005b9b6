/** The certificate in use, and the files that it is kept in. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { readIfThere, writeWhole } from 'transom-core/private-file'
import { belongTogether, type Pair } from 'transom-signaling/make-certificate'

/** The folder of everything about HTTPS, below the data directory. */
export const httpsDirectory = (dataDir: string): string => join(dataDir, 'https')

/** When it is to be renewed, in epoch milliseconds: with a third of its lifetime left, as Let's Encrypt advises. */
export function renewAt({ cert }: Pair): number {
  const { validFromDate, validToDate } = new X509Certificate(cert)
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()]
  return to - (to - from) / 3
}

/** Whether it is for all these names and addresses, by its alternative names alone (RFC 9525). */
export function isFor({ cert }: Pair, names: readonly string[]): boolean {
  const parsed = new X509Certificate(cert)
  const isNamed = (name: string) => (isIP(name) ? parsed.checkIP(name) : parsed.checkHost(name, { subject: 'never' }))
  return names.every((name) => isNamed(name) !== undefined)
}

/** A pair of files below the directory of HTTPS: `own.pem` with `own-key.pem`. */
export function createPairFile(directory: string, name: string) {
  const [certPath, keyPath] = [join(directory, `${name}.pem`), join(directory, `${name}-key.pem`)]
  return {
    /** What is kept, if it is whole. */
    async read(): Promise<Pair | undefined> {
      const [cert, key] = await Promise.all([readIfThere(certPath), readIfThere(keyPath)])
      if (cert === undefined || key === undefined) return undefined
      return belongTogether({ cert, key }, () => true) ? { cert, key } : undefined
    },
    /** The key first: a crash in between leaves a pair that does not match, which is made again. */
    async write({ cert, key }: Pair): Promise<void> {
      await writeWhole(keyPath, key)
      await writeWhole(certPath, cert, 0o644)
    },
  }
}
