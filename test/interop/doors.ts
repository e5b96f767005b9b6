/** The assistants' doors of a running bridge, with linked accounts, for whatever plays their displays. */
import { createAlexa } from '../../src/simulator/alexa.ts'
import type { Assistant } from '../../src/simulator/assistant.ts'
import { createGoogle } from '../../src/simulator/google.ts'
import { linkAccount } from '../../src/simulator/link.ts'
import { settledSession } from '../../src/simulator/sessions.ts'
import { readSettings } from '../../src/simulator/settings.ts'
import type { House } from '../flows/house.ts'

export const assistants = ['alexa', 'google'] as const
export type AssistantName = (typeof assistants)[number]

export interface Door {
  /** A new display of this assistant. */
  open(): Assistant
  /** How many packets the doorbell says that it heard of this display's call. */
  heard(of: Assistant, signal: AbortSignal): Promise<number>
}

export async function openDoor(house: House, name: AssistantName): Promise<Door> {
  const { bridge, clients, user } = readSettings(house.dataDir)
  const options = { assistant: name, bridge, client: clients[name], user }
  const { accessToken } = await linkAccount(options, AbortSignal.timeout(60_000))
  const tools = { bridge, accessToken, note: () => {} }
  return {
    open: () => (name === 'alexa' ? createAlexa(tools) : createGoogle(tools)),
    async heard(of, signal) {
      const matches = (row: { readonly reference: string }) => row.reference === of.reference()
      const session = await settledSession({ bridge, accessToken, matches }, 20, 10_000, signal)
      return session?.heard?.packets ?? 0
    },
  }
}
