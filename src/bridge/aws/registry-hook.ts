/** Asks a vendor's registry of cameras: by HTTP, signed with a shared secret, or as a Lambda function, signed by the role. */
import { Sha256 } from '@aws-crypto/sha256-js'
import { defaultProvider } from '@aws-sdk/credential-provider-node'
import { SignatureV4 } from '@smithy/signature-v4'
import { boundedFetch } from 'transom-core/fetch'
import { cameraId, type CameraRegistry, type Clock } from 'transom-core/ports'
import { faultsOf } from 'transom-core/wire/faults'
import { registryAnswer, type RegistryAnswer, type RegistryQuestion } from 'transom-core/wire/registry'
import { parseJson } from '../http.ts'
import { sign, signatureField, timestampField } from '../signature.ts'
import type { RegistryPlace } from './registry-place.ts'

/** Of one question; whoever asks usually gives up before. */
const askMs = 5_000
/** For a thousand cameras. */
const maxBytes = 1_048_576

/** Sends the question, which is JSON, and resolves with the answer's text. */
type Ask = (question: string, signal: AbortSignal) => Promise<string>

/** `lambdaUrl`: another endpoint of Lambda than AWS's own, for tests. */
export function createRegistryHook(
  place: RegistryPlace,
  { clock, lambdaUrl }: { readonly clock: Clock; readonly lambdaUrl?: string | undefined },
): CameraRegistry {
  const ask = place.kind === 'http' ? askByHttp(place, clock) : askLambda(place, lambdaUrl)
  return {
    async camerasOf(account, signal) {
      const answer = await ask(JSON.stringify({ account } satisfies RegistryQuestion), signal)
      const parsed = registryAnswer.safeParse(parseJson(answer))
      if (!parsed.success) throw new Error(faultsOf(parsed.error))
      return parsed.data.cameras.map(toCamera)
    },
  }
}

const toCamera = ({ id, road, channelName = id, ...described }: RegistryAnswer['cameras'][number]) => ({
  ...described,
  id: cameraId(id),
  channel: { channelName, road },
})

function askByHttp({ url, secret }: Extract<RegistryPlace, { readonly kind: 'http' }>, clock: Clock): Ask {
  const send = boundedFetch({ ms: askMs, maxBytes })
  return async (body, signal) => {
    const timestamp = String(Math.floor(clock() / 1_000))
    const headers = {
      'content-type': 'application/json',
      [timestampField]: timestamp,
      [signatureField]: sign(secret, timestamp, body),
    }
    return textOf(await send(url, { method: 'POST', headers, body, signal }))
  }
}

/** By Lambda's `Invoke`. Its client of the SDK would make the package of each function larger. */
function askLambda({ arn, region }: Extract<RegistryPlace, { readonly kind: 'lambda' }>, lambdaUrl?: string): Ask {
  const send = boundedFetch({ ms: askMs, maxBytes })
  const signer = new SignatureV4({ service: 'lambda', region, credentials: defaultProvider(), sha256: Sha256 })
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
  const origin = new URL(lambdaUrl ?? `https://lambda.${region}.${domain}`)
  const path = `/2015-03-31/functions/${encodeURIComponent(arn)}/invocations`
  return async (body, signal) => {
    const { protocol, hostname, host } = origin
    const headers = { host, 'content-type': 'application/json' }
    const signed = await signer.sign({ method: 'POST', protocol, hostname, path, headers, body })
    const { host: _, ...sent } = signed.headers
    const response = await send(new URL(path, origin), { method: 'POST', headers: sent, body, signal })
    const failure = response.headers.get('x-amz-function-error')
    if (failure !== null) throw new Error(`the function failed: ${failure}`)
    return textOf(response)
  }
}

async function textOf(response: Response): Promise<string> {
  if (!response.ok) throw new Error(`the answer is ${response.status}`)
  return response.text()
}
