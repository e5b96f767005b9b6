/** What we tell Google unasked, through Home Graph: somebody rang, a camera came or went. */
import { createPrivateKey, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { z } from 'zod'
import type { Camera, Clock, Log } from '../ports.ts'
import { serviceTokenReply, type ReportRequest } from '../wire/google.ts'

/** The key file of a service account, as the Google Cloud console gives it; fields that we do not use pass unseen. */
export const serviceAccountKey = z.object({
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
  token_uri: z.url().default('https://oauth2.googleapis.com/token'),
})

export interface HomeGraphDeps {
  readonly serviceAccount: z.infer<typeof serviceAccountKey>
  /** Base URL; default Google's. */
  readonly url?: string
  /** Milliseconds for one report in all, token included; default 5000. */
  readonly deadlineMs?: number
  readonly clock: Clock
  readonly log: Log
}

/** What became of a report. Google's yes is not delivery: the user may have announcements off, and only Google's log says so. */
export type ReportResult =
  | { readonly kind: 'accepted' }
  /** Google knows no such user: the link is gone, and reporting for this account must stop. */
  | { readonly kind: 'unlinked' }
  /** `retryable`: the same report may be accepted later. */
  | { readonly kind: 'failed'; readonly retryable: boolean; readonly reason: string }

export interface HomeGraph {
  /** Announces a press at `at` (epoch ms). `eventId` names this press and no other. Never throws; aborting `signal` gives up. */
  doorbellPress(camera: Camera, at: number, eventId: string, signal?: AbortSignal): Promise<ReportResult>
  /** Reports whether a camera can be reached. Never throws; aborting `signal` gives up. */
  reportOnline(camera: Camera, online: boolean, signal?: AbortSignal): Promise<ReportResult>
}

/** Throws if the private key is not one: better at the start than at the first press. */
export function createHomeGraph(deps: HomeGraphDeps): HomeGraph {
  const { url = 'https://homegraph.googleapis.com', deadlineMs = 5000, log } = deps
  const token = createServiceToken(deps, deadlineMs)

  return {
    doorbellPress: (camera, at, eventId, signal) =>
      report('press', signal, {
        requestId: randomUUID(),
        eventId,
        agentUserId: camera.accountId,
        payload: {
          devices: {
            states: { [camera.id]: { online: true } },
            // Google has no word for "pressed". We recognise nobody, so it is somebody.
            notifications: {
              [camera.id]: {
                ObjectDetection: { objects: { unfamiliar: 1 }, priority: 0, detectionTimestamp: Math.round(at) },
              },
            },
          },
        },
      }),
    reportOnline: (camera, online, signal) =>
      report('online', signal, {
        requestId: randomUUID(),
        agentUserId: camera.accountId,
        payload: { devices: { states: { [camera.id]: { online } } } },
      }),
  }

  async function report(what: string, given: AbortSignal | undefined, body: ReportRequest): Promise<ReportResult> {
    const deadline = AbortSignal.timeout(deadlineMs)
    const signal = given ? AbortSignal.any([given, deadline]) : deadline
    const result = await send(body, signal).catch((thrown: unknown): ReportResult => ({
      kind: 'failed',
      retryable: true,
      reason: String(thrown),
    }))
    const line = { what, requestId: body.requestId, accountId: body.agentUserId, ...result }
    log(result.kind === 'accepted' ? 'info' : 'warn', 'google.report', line)
    return result
  }

  async function send(body: ReportRequest, signal: AbortSignal): Promise<ReportResult> {
    let response = await post(body, await token.get(signal), signal)
    if (response.status === 401) {
      // Revoked before its time, or our clock is off: a new token helps, once.
      token.forget()
      response = await post(body, await token.get(signal), signal)
    }
    if (response.ok) return { kind: 'accepted' }
    if (response.status === 404) return { kind: 'unlinked' }
    const retryable = response.status === 401 || response.status === 429 || response.status >= 500
    return { kind: 'failed', retryable, reason: `Home Graph says ${response.status}` }
  }

  /** Reads the reply to its end, so that the connection is free for the next report. */
  async function post(body: ReportRequest, accessToken: string, signal: AbortSignal) {
    const response = await fetch(new URL('/v1/devices:reportStateAndNotification', url), {
      method: 'POST',
      headers: { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    })
    await response.arrayBuffer()
    return { ok: response.ok, status: response.status }
  }
}

const scope = 'https://www.googleapis.com/auth/homegraph'

interface ServiceToken {
  get(signal: AbortSignal): Promise<string>
  forget(): void
}

/** The service account's access token by its signed assertion (RFC 7523 section 2.1), kept until a minute before it ends. */
function createServiceToken({ serviceAccount, clock }: HomeGraphDeps, deadlineMs: number): ServiceToken {
  const key = createPrivateKey(serviceAccount.private_key)
  let kept: { readonly token: string; readonly until: number } | undefined
  let coming: Promise<string> | undefined

  return {
    async get(signal) {
      if (kept !== undefined && clock() < kept.until) return kept.token
      // Reports that go at once share one request, with a deadline of its own: a caller that gives up only stops waiting.
      coming ??= renew().finally(() => (coming = undefined))
      return unlessAborted(coming, signal)
    },
    forget() {
      kept = undefined
    },
  }

  async function renew(): Promise<string> {
    kept = await fetchToken(AbortSignal.timeout(deadlineMs))
    return kept.token
  }

  async function fetchToken(signal: AbortSignal) {
    const { client_email: issuer, token_uri: audience, private_key_id: kid } = serviceAccount
    const now = clock()
    const assertion = await new SignJWT({ scope })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(kid !== undefined && { kid }) })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(Math.floor(now / 1000))
      .setExpirationTime(Math.floor(now / 1000) + 3600)
      .sign(key)
    const response = await fetch(audience, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }),
      signal,
    })
    if (!response.ok) {
      await response.arrayBuffer()
      throw new Error(`the token endpoint says ${response.status}`)
    }
    const { access_token: token, expires_in: seconds } = serviceTokenReply.parse(await response.json())
    return { token, until: now + (seconds - 60) * 1000 }
  }
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  return Promise.race([work, aborted])
}
