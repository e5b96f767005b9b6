/** The place of a camera master on its KVS signaling channel: kept while its source is good, taken again after each loss. */
import { pause } from 'transom-core/deadline'
import type { IceServer, Log } from 'transom-core/ports'
import type { Kvs } from 'transom-kvs/access'
import { openChannel, type ChannelConnection } from 'transom-kvs/channel'
import type { ChannelMessage } from 'transom-kvs/message'
import { fetchIceServers, findChannel, type ChannelResources } from 'transom-kvs/resources'
import type { Audience, Call } from './audience.ts'
import type { RelayAtHand } from './relay-at-hand.ts'
import { keepTrying } from './retry.ts'
import type { SharedSource } from './source.ts'
import { causeOf, type Cause } from './viewing.ts'

/** After a closed connection as a C SDK camera does; a connection that lasted was a good one. */
const retries = { firstMs: 200, lastMs: 15_000, lastingMs: 10_000 }
/** TURN credentials are fetched anew before they end, never while an offer waits. */
const iceRefreshShare = 0.7
const iceRetryMs = 10_000
const mostAnswers = 64

/** Whose channel it is, and who answers what comes on it. */
export interface MasterOptions {
  readonly kvs: Kvs
  readonly channelName: string
  readonly source: Pick<SharedSource, 'state' | 'changed' | 'fault'>
  readonly audience: Pick<Audience, 'receive' | 'addCandidate'>
  /** Where one is kept while the camera is on its channel. */
  readonly relay: Pick<RelayAtHand, 'use'> | undefined
  /** Called when it is on its channel, has failed to get there, or will not try since there are no pictures. */
  readonly onTried: () => void
  readonly log: Log
}

/** What outlasts one connection. */
interface Place {
  /** The latest one: a viewer's later messages leave by it, whichever its offer came by. */
  line?: Line
  iceServers: readonly IceServer[]
}

/** A connection, and how to end the attempts whose answers it carried: by correlation id, the latest ones. */
interface Line {
  readonly connection: ChannelConnection
  readonly answers: Map<string, (cause: Cause) => void>
}

/** On its channel while there are pictures to be had, until the signal aborts. Never rejects. */
export async function keepMaster(options: MasterOptions, signal: AbortSignal): Promise<void> {
  const { source, onTried, log } = options
  const place: Place = { iceServers: [] }
  while (!signal.aborted) {
    const state = source.state()
    if (state?.kind === 'good') {
      const faulty = new AbortController()
      const online = stayOnline(options, place, AbortSignal.any([signal, faulty.signal]))
      for (let now = source.state(); now?.kind === 'good' && !signal.aborted; now = source.state())
        await source.changed(now, signal)
      faulty.abort()
      await online
      if (!signal.aborted) log('warn', 'gateway.camera-offline', { error: source.fault()?.message })
    } else {
      if (state) onTried()
      await source.changed(state, signal)
    }
  }
}

/** Connects to the channel, again and again. */
async function stayOnline(options: MasterOptions, place: Place, signal: AbortSignal): Promise<void> {
  const { onTried, log } = options
  const attempt = async (holds: () => void) => {
    try {
      await serve(options, place, signal, () => {
        holds()
        onTried()
      })
      if (!signal.aborted) log('info', 'gateway.camera-offline', { error: 'the connection was closed' })
    } catch (error) {
      if (!signal.aborted) log('warn', 'gateway.camera-offline', { error: messageOf(error) })
      onTried()
    }
  }
  await keepTrying(attempt, retries, signal)
}

/** One connection to the channel, from its opening to its end or to that of the pictures. Running viewers do not need it. */
async function serve(options: MasterOptions, place: Place, signal: AbortSignal, onOpen: () => void): Promise<void> {
  const { kvs, channelName, relay, log } = options
  const channel = await findChannel(kvs, channelName, 'MASTER', signal)
  const fetchIce = (bounds: AbortSignal) => fetchServers(options, channel, place, bounds)
  const [connection, refreshMs] = await Promise.all([
    openChannel(kvs, channel, { role: 'MASTER' }, signal),
    fetchIce(signal),
  ])
  const ended = new AbortController()
  const bounds = AbortSignal.any([signal, ended.signal])
  const refreshing = keepFresh(fetchIce, refreshMs, bounds)
  place.line = { connection, answers: new Map() }
  log('info', 'gateway.camera-online')
  onOpen()
  try {
    for await (const message of connection.messages) {
      // GO_AWAY announces the end of this connection within a minute; a new one is made at once.
      if (message.kind === 'go-away') break
      if (message.kind === 'reconnect-ice-server') void fetchIce(signal)
      else receive(message, options, place)
    }
  } finally {
    ended.abort()
    connection.close()
    await refreshing
    relay?.use([])
  }
}

/** Returns after how long to fetch again. Never rejects: without servers a camera still serves its own network. */
async function fetchServers(
  { kvs, relay, log }: MasterOptions,
  channel: ChannelResources,
  place: Place,
  signal: AbortSignal,
): Promise<number> {
  try {
    const { servers, ttlMs } = await fetchIceServers(kvs, channel, signal)
    place.iceServers = servers
    if (!signal.aborted) relay?.use(servers)
    return ttlMs * iceRefreshShare
  } catch (error) {
    if (!signal.aborted) log('warn', 'gateway.ice-servers-missing', { error: messageOf(error) })
    return iceRetryMs
  }
}

async function keepFresh(
  fetchIce: (signal: AbortSignal) => Promise<number>,
  firstMs: number,
  signal: AbortSignal,
): Promise<void> {
  let refreshMs = firstMs
  while (await pause(refreshMs, signal)) refreshMs = await fetchIce(signal)
}

function receive(message: ChannelMessage, { source, audience, log }: MasterOptions, place: Place): void {
  const { kind } = message
  if (kind === 'status') {
    const { errorType, correlationId = '', statusCode = '', description = '' } = message
    log('warn', 'gateway.message-refused', { errorType, correlationId })
    // The display would wait for it until its deadline.
    const why = [errorType, statusCode, description].filter(Boolean).join(' ')
    place.line?.answers.get(correlationId)?.(causeOf('signaling_failed', `the answer was refused: ${why}`))
  } else if (kind === 'garbled') {
    log('warn', 'gateway.message-garbled', { what: message.what })
  } else if (kind === 'offer' && message.senderClientId !== undefined) {
    const viewerId = message.senderClientId
    const state = source.state()
    // Without pictures it is about to leave its channel.
    if (state?.kind !== 'good') return
    const send: Call['send'] = (outgoing) => {
      const { line } = place
      const correlationId = line?.connection.send(outgoing, viewerId)
      if (outgoing.kind !== 'answer') return
      if (line && correlationId !== undefined) remember(line, correlationId, fail)
      else fail(causeOf('signaling_failed', 'the signaling connection ended before the answer'))
    }
    const fail = audience.receive({
      viewerId,
      offer: message.sdp,
      media: state.info,
      iceServers: place.iceServers,
      send,
    })
  } else if (kind === 'candidate' && message.senderClientId !== undefined) {
    const { senderClientId, candidate, sdpMid, sdpMLineIndex } = message
    audience.addCandidate(senderClientId, candidate, sdpMid, sdpMLineIndex)
  }
}

/** The service answers only what it refuses: older ones were accepted. */
function remember({ answers }: Line, correlationId: string, fail: (cause: Cause) => void): void {
  answers.set(correlationId, fail)
  for (const id of answers.keys()) {
    if (answers.size <= mostAnswers) break
    answers.delete(id)
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
