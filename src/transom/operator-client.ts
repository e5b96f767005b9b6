/** What the operator's command lines have in common: they find the running bridge and ask it. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import * as z from 'zod'
import { advice, isSourceFault } from 'transom-core/errors'
import { dataDirectoryOf } from 'transom-core/setting-shapes'
import { operatorAccess, type OperatorAccess } from 'transom-bridge/operator/operator'

/** A client with many links takes a while to be removed. */
const requestMs = 30_000
/** A long recording over a slow line. */
const fileMs = 15 * 60_000
const problem = z.union([
  z.object({ error_description: z.string() }).transform(({ error_description: text }) => text),
  // What is wrong at a camera is for the operator to put right; other advice is for owners of a failed view.
  z
    .object({ error: z.string(), message: z.string() })
    .transform(({ error, message }) => (isSourceFault(error) ? `${message}\n${advice[error]}` : message)),
  z.object({ error: z.string() }).transform(({ error: text }) => text),
])

type Environment = Readonly<Record<string, string | undefined>>

/** What the bridge refuses, in its words, with the status and, where it says so, when to come back. */
export class OperatorRefusal extends Error {
  override readonly name = 'OperatorRefusal'
  readonly status: number
  readonly retryAfterMs: number | undefined

  constructor(message: string, status: number, retryAfterMs?: number) {
    super(message)
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

/** The bridge's API for cameras. Throws an `Error` that says what to do. */
export const findOperator = (env: Environment): Promise<OperatorAccess> => findBridge(env, '', '/operator')

/** Its API for people, clients, keys, links and shares. */
export const findAdmin = (env: Environment): Promise<OperatorAccess> => findBridge(env, '/admin', '/oauth/admin')

/** The bridge that runs on the data directory; else one that runs elsewhere, by its address and its operator key. */
async function findBridge(env: Environment, pathHere: string, pathElsewhere: string): Promise<OperatorAccess> {
  const { TRANSOM_PUBLIC_URL: publicUrl, TRANSOM_OPERATOR_KEY: token } = env
  const directory = resolve(dataDirectoryOf(env))
  const path = join(directory, 'operator.json')
  if (!existsSync(path) && publicUrl && token) return { url: `${publicUrl.replace(/\/+$/, '')}${pathElsewhere}`, token }
  try {
    const { url, token: tokenHere } = operatorAccess.parse(JSON.parse(await readFile(path, 'utf8')))
    return { url: `${url}${pathHere}`, token: tokenHere }
  } catch (cause) {
    throw new Error(
      `no bridge runs on ${directory}: start it (npm start), set TRANSOM_DATA, or of one elsewhere TRANSOM_PUBLIC_URL and TRANSOM_OPERATOR_KEY`,
      {
        cause,
      },
    )
  }
}

/** Returns the answer's JSON. Throws an `Error` with what the bridge says, or that it does not answer within `ms`. */
export async function callOperator(
  access: OperatorAccess,
  method: string,
  path: string,
  body?: object,
  ms: number = requestMs,
): Promise<unknown> {
  const response = await ask(access, method, path, ms, body)
  if (response.status === 204) return undefined
  const answer = parse(await response.text())
  if (answer === undefined) throw new Error(`the bridge at ${access.url} answers ${response.status}`)
  return answer
}

/** Returns the bytes of a file of the bridge, as they come. Throws as `callOperator` does. */
export async function readFromOperator(access: OperatorAccess, path: string): Promise<ReadableStream<Uint8Array>> {
  const { body } = await ask(access, 'GET', path, fileMs)
  if (body === null) throw new Error(`the bridge at ${access.url} sends nothing`)
  return body
}

async function ask(
  { url, token }: OperatorAccess,
  method: string,
  path: string,
  limitMs: number,
  body?: object,
): Promise<Response> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(limitMs),
  }).catch((cause: unknown) => {
    throw new Error(`the bridge at ${url} does not answer: is it running?`, { cause })
  })
  if (response.ok) return response
  const said = problem.safeParse(parse(await response.text()))
  const message = said.success ? said.data : `the bridge at ${url} answers ${response.status}`
  const retryAfter = response.headers.get('retry-after') ?? ''
  throw new OperatorRefusal(
    message,
    response.status,
    /^\d{1,4}$/.test(retryAfter) ? Number(retryAfter) * 1_000 : undefined,
  )
}

const parse = (text: string): unknown => (text.startsWith('{') ? JSON.parse(text) : undefined)
