/** Google's token endpoint and Home Graph on loopback, as strict as the documentation: what is not to the letter is refused. */
import { generateKeyPairSync } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { jwtVerify } from 'jose'
import { serviceAccountKey } from '../../src/google/home-graph.ts'
import { reportRequest, type ReportRequest } from '../../src/wire/google.ts'

export async function startFakeGoogle(clock: () => number) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const reports: ReportRequest[] = []
  const complaints: string[] = []
  /** What the next reports are answered with, in order; then 200. `hang` never answers. */
  const script: (number | 'hang')[] = []
  let tokens = 0

  async function token(request: IncomingMessage, body: string) {
    if (request.headers['content-type'] !== 'application/x-www-form-urlencoded;charset=UTF-8')
      throw new Error('no form')
    const form = new URLSearchParams(body)
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') throw new Error('wrong grant_type')
    const { payload, protectedHeader } = await jwtVerify(form.get('assertion') ?? '', publicKey, {
      algorithms: ['RS256'],
      issuer: 'bell@project.iam.gserviceaccount.com',
      audience: `${url()}/token`,
      currentDate: new Date(clock()),
      requiredClaims: ['iat', 'exp'],
    })
    if (protectedHeader.kid !== 'key-1') throw new Error('no key id')
    if (payload['scope'] !== 'https://www.googleapis.com/auth/homegraph') throw new Error('wrong scope')
    if ((payload.exp ?? 0) > (payload.iat ?? 0) + 3600) throw new Error('valid for too long')
    tokens += 1
    return { access_token: `token-${tokens}`, expires_in: 3599, token_type: 'Bearer' }
  }

  function report(request: IncomingMessage, body: string) {
    if (request.headers.authorization !== `Bearer token-${tokens}`) throw new Error('wrong token')
    if (request.headers['content-type'] !== 'application/json') throw new Error('no JSON')
    const given = reportRequest.parse(JSON.parse(body))
    reports.push(given)
    return { requestId: given.requestId }
  }

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const reply = (status: number, json: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json))
    try {
      if (request.method !== 'POST') throw new Error('no POST')
      if (request.url === '/token') return reply(200, await token(request, body))
      if (request.url !== '/v1/devices:reportStateAndNotification') throw new Error('no such path')
      const planned = script.shift() ?? 200
      if (planned === 'hang') return
      if (planned === 200) return reply(200, report(request, body))
      return reply(planned, { error: { code: planned, status: 'AS_PLANNED' } })
    } catch (thrown) {
      complaints.push(String(thrown))
      return reply(400, { error: { code: 400, message: String(thrown) } })
    }
  }

  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    url: url(),
    serviceAccount: serviceAccountKey.parse({
      type: 'service_account',
      client_email: 'bell@project.iam.gserviceaccount.com',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      private_key_id: 'key-1',
      token_uri: `${url()}/token`,
    }),
    reports,
    complaints,
    script,
    tokensIssued: () => tokens,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
