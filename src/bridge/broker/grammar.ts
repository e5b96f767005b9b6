/** What a line of a session description may be: the RFCs' grammar, and what displays and cameras forgive one another. */

/**
 * By attribute; a value that misses its grammar is as good as absent (RFC 8866, 5576, 8830, 8841, 8842). ICE names and
 * passwords may hold `-`, `_`, `=` and `#`, which RFC 8839 section 5.4 does not allow and every browser accepts.
 * `holdconn` is no DTLS role (RFC 8842 section 5.2).
 */
const grammar: ReadonlyMap<string, RegExp> = new Map([
  ['ice-ufrag', /^[\w+/=#-]{4,256}$/],
  ['ice-pwd', /^[\w+/=#-]{22,256}$/],
  ['setup', /^(active|passive|actpass)$/i],
  // A token, RFC 5888 section 4.
  ['mid', /^[\w!#$%&'*+.^`{|}~-]{1,256}$/],
  ['ssrc', /^\d{1,10} \S.*$/],
  ['ssrc-group', /^[A-Z-]{1,16}( \d{1,10})+$/],
  ['msid', /^\S{1,64}( \S{1,64})?$/],
  ['extmap', /^\d{1,3}(\/\w+)? \S+( \S+)*$/],
  ['sctp-port', /^\d{1,5}$/],
  ['max-message-size', /^\d{1,16}$/],
  ['sctpmap', /^\d{1,5} \S+( \d{1,5})?$/],
])

const bandwidthGrammar = /^[A-Z][\w-]{0,15}:\d{1,10}$/

/** RFC 8122: lengths of the hashes in bytes. */
const fingerprintBytes: ReadonlyMap<string, number> = new Map([
  ['sha-1', 20],
  ['sha-224', 28],
  ['sha-256', 32],
  ['sha-384', 48],
  ['sha-512', 64],
])

/** False for a value that its attribute cannot have. `name` in lower case. */
export function isWellFormed(name: string, value: string): boolean {
  return grammar.get(name)?.test(value) !== false
}

/** True for the value of a `b=` line (RFC 8866 section 5.8). */
export function isBandwidth(value: string): boolean {
  return bandwidthGrammar.test(value)
}

/** A fingerprint as RFC 8122 section 5 writes it (hash in lower case, bytes in upper case); undefined when it is none. */
export function mendFingerprint(value: string): string | undefined {
  const [hash = '', bytes = ''] = value.split(/ +/)
  const length = fingerprintBytes.get(hash.toLowerCase())
  if (length === undefined || bytes.length !== length * 3 - 1 || !/^[0-9A-F]{2}(:[0-9A-F]{2})*$/i.test(bytes))
    return undefined
  return `${hash.toLowerCase()} ${bytes.toUpperCase()}`
}
