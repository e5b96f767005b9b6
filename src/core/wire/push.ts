/** Notifications on phones and computers by Web Push: which devices of an account get them, and what they are sent. */
import * as z from 'zod'
import { languages } from '../language.ts'
import type { Message } from './api.ts'

/** base64url without padding (RFC 4648 section 5) of so many bytes. */
const bytes = (count: number) =>
  z.string().regex(new RegExp(`^[\\w-]{${Math.ceil((count * 4) / 3)}}$`), `must be ${count} bytes in base64url`)

/** What `PushManager.subscribe()` gives a page (Push API, `PushSubscriptionJSON`). */
export const pushSubscription = z.object({
  endpoint: z.url({ protocol: /^https$/ }).max(2_048),
  keys: z.object({
    p256dh: bytes(65).describe('Its public key: an uncompressed point of P-256 (RFC 8291 section 3.1).'),
    auth: bytes(16).describe('Its authentication secret (RFC 8291 section 3.2).'),
  }),
})
export type PushSubscriptionJson = Message<typeof pushSubscription>

/** `POST /api/devices`: this browser wants notifications. The same subscription again replaces the former. */
export const wantedDevice = z.object({
  name: z.string().trim().min(1).max(60).describe('What its owner calls the device.'),
  language: z.enum(languages).describe('Of its notifications.'),
  subscription: pushSubscription,
})
export type WantedDevice = Message<typeof wantedDevice>

/** A device that gets notifications. */
export const device = z.object({
  id: z.string().describe('SHA-256 of the endpoint of its subscription, in base64url.'),
  name: z.string(),
  addedAt: z.int().nonnegative().describe('Epoch milliseconds.'),
})
export type Device = Message<typeof device>

/** Answers `GET /api/devices`. */
export const devices = z.object({
  publicKey: bytes(65).describe('The `applicationServerKey` to subscribe with (RFC 8292 section 3.2).'),
  devices: z.array(device),
})
export type Devices = Message<typeof devices>

/** What a device is sent when somebody rings: its service worker alone can read it. */
export const pushedPress = z.object({
  cameraId: z.string(),
  name: z.string().describe('Of the camera.'),
  text: z.string().describe('What happened, in the language of the device.'),
  at: z.int().nonnegative().describe('When it was pressed, epoch milliseconds.'),
})
export type PushedPress = Message<typeof pushedPress>
