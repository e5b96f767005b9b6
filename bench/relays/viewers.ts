/** The viewers of all engines, libdatachannel in a process of its own. They open each packet and look how long it took. */
import { PeerConnection, Video, type Track } from 'node-datachannel'

export type Ask =
  | { readonly do: 'offer' }
  | { readonly do: 'accept'; readonly id: number; readonly sdp: string }
  | { readonly do: 'answer'; readonly sdp: string }
  | { readonly do: 'read' }

export interface Reply {
  readonly id?: number
  readonly sdp?: string
  readonly packets?: number
  readonly delaysMs?: readonly number[]
}

const viewers = new Map<number, { readonly connection: PeerConnection; readonly tracks: Track[] }>()
let nextId = 0
let packets = 0
let delaysMs: number[] = []

process.on('disconnect', () => process.exit())
process.on('message', (ask: Ask) => void reply(ask).then((said) => process.send?.(said)))

async function reply(ask: Ask): Promise<Reply> {
  switch (ask.do) {
    case 'offer': {
      const video = new Video('video', 'RecvOnly')
      video.addH264Codec(96, 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1')
      return describe((connection, watch) => {
        watch(connection.addTrack(video))
        connection.setLocalDescription('offer')
      })
    }
    case 'answer':
      return describe((connection) => connection.setRemoteDescription(ask.sdp, 'offer'))
    case 'accept':
      return accept(ask.id, ask.sdp)
    case 'read': {
      const said = { packets, delaysMs }
      packets = 0
      delaysMs = []
      return said
    }
  }
}

/** Without an id when libdatachannel has let go of the connection by itself, as it now and then does on a busy machine. */
function accept(id: number, sdp: string): Reply {
  try {
    viewers.get(id)?.connection.setRemoteDescription(sdp, 'answer')
    return { id }
  } catch {
    viewers.delete(id)
    return {}
  }
}

/** Makes a connection; its complete description. */
async function describe(begin: (connection: PeerConnection, watch: (track: Track) => void) => void): Promise<Reply> {
  const connection = new PeerConnection('viewer', { iceServers: [], forceMediaTransport: true })
  const gathered = Promise.withResolvers<void>()
  connection.onGatheringStateChange((state) => state === 'complete' && gathered.resolve())
  // A track that nobody holds is closed with its garbage.
  const tracks: Track[] = []
  const watch = (track: Track) => {
    tracks.push(track)
    track.onMessage(look)
  }
  connection.onTrack(watch)
  const id = (nextId += 1)
  viewers.set(id, { connection, tracks })
  begin(connection, watch)
  await gathered.promise
  return { id, sdp: connection.localDescription()?.sdp ?? '' }
}

/** The payload begins with a byte of H.264 and the instant at which the packet left its source. */
function look(packet: Buffer): void {
  // RTCP comes by the same way (RFC 5761 section 4).
  if (((packet[1] ?? 0) & 0x7f) >= 64 && ((packet[1] ?? 0) & 0x7f) < 96) return
  const hasExtension = ((packet[0] ?? 0) & 0x10) !== 0
  const start = 12 + (hasExtension ? 4 + packet.readUInt16BE(14) * 4 : 0)
  packets += 1
  delaysMs.push(Number(process.hrtime.bigint() - packet.readBigUInt64BE(start + 1)) / 1e6)
}
