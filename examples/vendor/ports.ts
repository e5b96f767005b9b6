/** What all functions of the vendor plug in. */
import type { Ports } from 'transom-bridge/aws/ground'
import { createVendorRegistry, type Device } from './registry.ts'

const service = process.env['DEVICE_SERVICE_URL'] ?? ''

export const ports: Ports = {
  registry: createVendorRegistry(async (user, signal) => {
    const response = await fetch(`${service}/users/${encodeURIComponent(user)}/devices`, { signal })
    if (!response.ok) throw new Error(`the device service answers ${response.status}`)
    return (await response.json()) as readonly Device[]
  }),
}
