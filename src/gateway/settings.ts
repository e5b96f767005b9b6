/** The settings of a gateway that it reads from its environment; the one inside a bridge inherits those of the bridge. */
import * as z from 'zod'
import { readVariables, setting, wholeNumber } from 'transom-core/setting-shapes'
import { defaultPictureMegabytes } from './picture-memory.ts'

/** Every setting, by the name of its environment variable. */
export const gatewayVariables = {
  TRANSOM_PICTURE_MEMORY_MB: setting(
    'cameras',
    'Memory in MB that a gateway uses for the latest pictures of all its cameras, with which a display starts at once. When it is full, the oldest pictures are dropped first, and the next display of that camera waits for its next key frame.',
    wholeNumber(0, 65_536, defaultPictureMegabytes),
  ),
} as const

/** What they come to. */
export interface GatewaySettings {
  readonly pictureBytes: number
}

/** Reads them, and nothing else: what a bridge in the same environment is set to is its own. Throws an `Error` that names each bad variable. */
export function readGatewaySettings(given: Readonly<Record<string, string | undefined>>): GatewaySettings {
  const own = Object.fromEntries(Object.keys(gatewayVariables).map((name) => [name, given[name]]))
  const { TRANSOM_PICTURE_MEMORY_MB: megabytes } = readVariables(z.object(gatewayVariables), own)
  return { pictureBytes: megabytes * 1_024 * 1_024 }
}
