/** Temporary AWS credentials for a device that has a certificate of AWS IoT, and no access key. */
import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import * as z from 'zod'

const requestMs = 5_000
const mostBytes = 65_536

export interface IotDevice {
  /** Host name of the account's credentials provider: `aws iot describe-endpoint --endpoint-type iot:CredentialProvider`. */
  readonly endpoint: string
  readonly roleAlias: string
  readonly thingName: string
  /** PEM files of the device: its certificate and its private key; and of the authority, where it is not a public one. */
  readonly certificatePath: string
  readonly privateKeyPath: string
  readonly caPath?: string | undefined
}

export interface TemporaryCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** The SDK asks again before that. */
  readonly expiration: Date
}

const answer = z.object({
  credentials: z.object({
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    sessionToken: z.string(),
    expiration: z.iso.datetime({ offset: true }),
  }),
})

/**
 * Asks as "Authorizing direct calls to AWS services using AWS IoT Core credential provider" (AWS IoT Developer Guide)
 * describes: by mutual TLS. The files are read anew each time, since certificates are rotated. Throws an `Error` in words
 * for whoever set the device up; its name lets AWS's SDK count it among failures of credentials.
 */
export async function fetchIotCredentials(device: IotDevice): Promise<TemporaryCredentials> {
  const { endpoint, roleAlias, thingName, certificatePath, privateKeyPath, caPath } = device
  const [cert, key, ca] = await Promise.all([
    readFile(certificatePath),
    readFile(privateKeyPath),
    caPath === undefined ? undefined : readFile(caPath),
  ])
  const { status, text } = await get(`https://${endpoint}/role-aliases/${encodeURIComponent(roleAlias)}/credentials`, {
    headers: { 'x-amzn-iot-thingname': thingName },
    cert,
    key,
    ...(ca && { ca }),
  }).catch((cause: Error) => {
    throw credentialsError(`${endpoint} cannot be reached: ${cause.message}`, cause)
  })
  if (status !== 200) {
    const why = status === 403 ? ': check the role alias, the policy of the certificate, and the name of the thing' : ''
    throw credentialsError(`${endpoint} answers ${status}${why}`)
  }
  const parsed = answer.safeParse(parse(text))
  if (!parsed.success) throw credentialsError(`${endpoint} sends no credentials`)
  const { expiration, ...keys } = parsed.data.credentials
  return { ...keys, expiration: new Date(expiration) }
}

/** `fetch` has no client certificates. */
async function get(url: string, options: object): Promise<{ readonly status: number; readonly text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const sent = request(url, { ...options, signal: AbortSignal.timeout(requestMs) }, (response) => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      text += chunk
      if (text.length > mostBytes) sent.destroy(new Error('the reply is too large'))
    })
    response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
    response.once('error', reject)
  })
  sent.once('error', reject)
  sent.end()
  return promise
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const credentialsError = (message: string, cause?: Error) =>
  Object.assign(new Error(message, { cause }), { name: 'CredentialsProviderError' })
