/** Where a camera sends its events that has no pull point: an address of ours that nobody else knows (WS-BaseNotification). */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { isIPv6, type AddressInfo } from 'node:net'
import { SourceError } from '../media.ts'
import { childrenOf, find, parseXml, type Element } from './xml.ts'

const maxBytes = 65_536
const requestMs = 10_000
const maxConnections = 8

export interface Listener {
  /** `http://192.168.1.2:40123/…`: what the camera is told. */
  readonly url: string
  close(): Promise<void>
}

/**
 * Listens at the address of ours from which the camera's is reached, at any free port, until it is closed. Each message of a
 * `wsnt:Notify` is handed over; what `onMessage` throws goes to `onFault`. Throws `SourceError` where no network leads there.
 */
export async function openListener(
  camera: string,
  onMessage: (message: Element) => void,
  onFault: (error: unknown) => void,
): Promise<Listener> {
  const address = await ownAddress(camera.replace(/^\[|\]$/g, ''))
  const path = `/${randomBytes(16).toString('base64url')}`
  const server = createServer({ requestTimeout: requestMs, headersTimeout: requestMs }, (request, response) => {
    response.setHeader('connection', 'close')
    if (request.method !== 'POST' || request.url !== path) return void response.writeHead(404).end()
    read(request)
      .then(
        (messages) => {
          // One-way: there is nothing to say (SOAP 1.2 part 2, section 7.5.1).
          response.writeHead(202).end()
          for (const message of messages) onMessage(message)
        },
        () => void response.writeHead(400).end(),
      )
      .catch(onFault)
  })
  server.maxConnections = maxConnections
  server.listen(0, address)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${isIPv6(address) ? `[${address}]` : address}:${port}${path}`,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** A UDP socket that is connected has an address, and has sent nothing. */
async function ownAddress(camera: string): Promise<string> {
  const socket = createSocket(isIPv6(camera) ? 'udp6' : 'udp4')
  try {
    socket.connect(9, camera)
    await once(socket, 'connect')
    return socket.address().address
  } catch (cause) {
    throw new SourceError('source_unreachable', `no network of this machine leads to ${camera}`, { cause })
  } finally {
    socket.close()
  }
}

async function read(request: IncomingMessage): Promise<readonly Element[]> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new Error('it is too large')
    chunks.push(chunk)
  }
  const notify = find(parseXml(Buffer.concat(chunks).toString()), 'Body', 'Notify')
  return childrenOf(notify, 'NotificationMessage')
}
