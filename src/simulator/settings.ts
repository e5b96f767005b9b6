/** What a developer would have typed into the two consoles: where the bridge is, its OAuth clients, and a demo user. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { faultsOf } from 'transom-core/wire/faults'

/** The assistants that are played, by their names in settings and paths. */
export const assistantNames = ['alexa', 'google'] as const
/** One of these names. */
export type AssistantName = (typeof assistantNames)[number]

const client = z.object({ clientId: z.string(), clientSecret: z.string(), redirectUri: z.url() })

const settings = z.object({
  bridge: z.url({ protocol: /^https?$/ }),
  user: z.object({ login: z.string(), password: z.string() }),
  clients: z.object({ alexa: client, google: client }),
  /** Of what the bridge tells the assistants unasked, whose the simulator in the bridge receives, and where to hear it. */
  receivers: z.object({ url: z.url(), plays: z.array(z.enum(assistantNames)) }).optional(),
  /** What the bridge's forwarding Lambda signs directives with, where the bridge accepts no others. */
  forwarderSecret: z.string().optional(),
  /** The keys of cameras, by id: with them their bells can be pressed. */
  cameraKeys: z.record(z.string(), z.string()).optional(),
})

/** What `simulator.json` of a bridge's data directory holds. */
export type Settings = z.infer<typeof settings>
/** An OAuth client as an assistant's console has it. */
export type ClientSettings = z.infer<typeof client>

/** Reads `simulator.json` of the bridge's data directory. Throws an `Error` that says what to do when it cannot. */
export function readSettings(dataDir: string): Settings {
  const path = join(dataDir, 'simulator.json')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`cannot read ${path}: start the bridge once with npm start, it writes this file`, { cause: error })
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new Error(`${path} is not JSON`, { cause: error })
  }
  const result = settings.safeParse(json)
  if (!result.success) throw new Error(`${path} is not valid:\n${faultsOf(result.error)}`)
  return result.data
}
