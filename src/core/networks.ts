/** The networks that something may reach, by their addresses (CIDR notation, RFC 4632 and RFC 4291 section 2.3). */
import { BlockList, isIP } from 'node:net'

const form = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i

/** `192.168.1.0/24`, `fd00::/8`, or one address. */
export const isNetwork = (text: string): boolean => parse(text) !== undefined

/** Whether an address lies in one of the networks. Throws a `RangeError` for one that is none. */
export function createNetworks(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const text of networks) {
    const network = parse(text)
    if (network === undefined) throw new RangeError(`${text} is no network`)
    list.addSubnet(network.address, network.bits, network.family)
  }
  return (address) => {
    const family = familyOf(address)
    return family !== undefined && list.check(address, family)
  }
}

function parse(text: string) {
  const [, address = '', digits] = form.exec(text) ?? []
  const family = familyOf(address)
  if (family === undefined) return undefined
  const most = family === 'ipv4' ? 32 : 128
  const bits = Number(digits ?? most)
  return bits <= most ? { address, bits, family } : undefined
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address)
  if (version === 0) return undefined
  return version === 4 ? 'ipv4' : 'ipv6'
}
