/** libdatachannel as a display or as a camera: the same commands as aiortc_peer.py. Its pictures come from FFmpeg by RTP. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import nodeDataChannel, { type Track } from 'node-datachannel'

const pc = new nodeDataChannel.PeerConnection('peer', { iceServers: [], forceMediaTransport: true })
const counts = { pictures: 0, sounds: 0 }
const kept: unknown[] = []
const running: ChildProcess[] = []
const sockets: { close(): unknown }[] = []
const isPicture = (packet: Buffer): boolean => (packet[1]! & 0x80) !== 0 // the marker ends a picture, RFC 6184 section 5.1

function count(track: Track, kind: 'pictures' | 'sounds'): void {
  kept.push(track) // a track that nobody holds is closed with its garbage
  track.onMessage((packet) => {
    // RFC 5761 section 4: payload types 64 to 95 after the mask are RTCP.
    const type = packet[1]! & 0x7f
    if (type >= 64 && type <= 95) return
    if (kind === 'sounds' || isPicture(packet)) counts[kind] += 1
  })
}

async function gathered(): Promise<{ sdp: string }> {
  const giveUpAt = Date.now() + 5000
  while (pc.gatheringState() !== 'complete') {
    if (Date.now() > giveUpAt) throw new Error('gathering did not end in 5 s')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return { sdp: pc.localDescription()?.sdp ?? '' }
}

/** FFmpeg's packets into a track, as libdatachannel's own example of a camera does it. */
async function feed(track: Track, source: readonly string[]): Promise<void> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  sockets.push(socket)
  await once(socket, 'listening')
  socket.on('message', (packet) => {
    if (track.isOpen()) track.sendMessageBinary(packet)
  })
  const target = `rtp://127.0.0.1:${socket.address().port}?pkt_size=1200`
  const args = ['-nostdin', '-loglevel', 'quiet', '-re', '-f', 'lavfi', ...source, '-f', 'rtp', target]
  running.push(spawn('/usr/bin/ffmpeg', args, { stdio: 'ignore' }))
}

/** The payload type of this codec: the one whose parameters say this and packetization mode 1, or else the first. */
function payloadOf(section: string, codec: string, wanted: string): string | undefined {
  const payloads = [...section.matchAll(new RegExp(`a=rtpmap:(\\d+) ${codec}/`, 'gi'))].map(([, payload]) => payload)
  const fits = (payload: string | undefined): boolean => {
    const [, parameters = ''] = new RegExp(`a=fmtp:${payload} (.*)`).exec(section) ?? []
    return parameters.includes(wanted) && parameters.includes('packetization-mode=1')
  }
  return payloads.find(fits) ?? payloads[0]
}

const actions: Record<string, (sdp: string) => Promise<object>> = {
  async version() {
    return { version: nodeDataChannel.getLibraryVersion() }
  },
  async offer() {
    const audio = new nodeDataChannel.Audio('audio', 'SendRecv')
    audio.addOpusCodec(111)
    audio.addSSRC(1001, 'peer', 'stream', 'sound')
    const video = new nodeDataChannel.Video('video', 'RecvOnly')
    video.addH264Codec(96, 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1')
    const sound = pc.addTrack(audio)
    count(sound, 'sounds')
    await feed(sound, [
      '-i',
      'sine=frequency=440',
      '-c:a',
      'libopus',
      '-ac',
      '2',
      '-payload_type',
      '111',
      '-ssrc',
      '1001',
    ])
    const picture = pc.addTrack(video)
    picture.setMediaHandler(new nodeDataChannel.RtcpReceivingSession())
    count(picture, 'pictures')
    pc.setLocalDescription('offer')
    return gathered()
  },
  async accept(sdp) {
    pc.setRemoteDescription(sdp, 'answer')
    return {}
  },
  async answer(sdp) {
    pc.onTrack((track) => kept.push(track))
    for (const [index, section] of sdp.split('\nm=').slice(1).entries()) {
      const kind = section.split(' ')[0]
      const payload = payloadOf(section, kind === 'video' ? 'H264' : 'opus', kind === 'video' ? '42e01f' : '')
      const [, mid] = /a=mid:(\S+)/.exec(section) ?? []
      if (payload === undefined || mid === undefined) continue
      const ssrc = 2001 + index
      if (kind === 'video') {
        const video = new nodeDataChannel.Video(mid, 'SendOnly')
        video.addH264Codec(Number(payload), 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1')
        video.addSSRC(ssrc, 'peer', 'stream', 'picture')
        const encode = '-c:v libx264 -profile:v baseline -tune zerolatency -preset ultrafast -g 15 -pix_fmt yuv420p'
        const out = ['-bsf:v', 'dump_extra', '-payload_type', payload, '-ssrc', String(ssrc)]
        await feed(pc.addTrack(video), ['-i', 'testsrc=size=640x360:rate=15', ...encode.split(' '), ...out])
      } else {
        const audio = new nodeDataChannel.Audio(mid, 'SendRecv')
        audio.addOpusCodec(Number(payload))
        audio.addSSRC(ssrc, 'peer', 'stream', 'sound')
        const track = pc.addTrack(audio)
        count(track, 'sounds')
        const opus = ['-c:a', 'libopus', '-ac', '2', '-payload_type', payload, '-ssrc', String(ssrc)]
        await feed(track, ['-i', 'sine=frequency=440', ...opus])
      }
    }
    pc.setRemoteDescription(sdp, 'offer')
    return gathered()
  },
  async seen() {
    return { connected: pc.state() === 'connected', ...counts }
  },
  async close() {
    for (const process of running) process.kill()
    for (const socket of sockets) socket.close()
    pc.close()
    nodeDataChannel.cleanup()
    return {}
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, sdp = '' } = JSON.parse(line) as { do: string; sdp?: string }
  const reply = await actions[name]!(sdp).catch((error: unknown) => ({ error: String(error) }))
  process.stdout.write(`${JSON.stringify(reply)}\n`)
  if (name === 'close') break
}
process.exit(0)
