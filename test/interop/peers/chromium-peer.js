/* In a page of Chromium, as a display or as a camera: the same words as aiortc_peer.py. */
const pc = new RTCPeerConnection({ iceServers: globalThis.iceServers })
pc.ontrack = ({ track }) => {
  // What nobody plays is not decoded.
  const element = document.createElement(track.kind)
  element.srcObject = new MediaStream([track])
  element.autoplay = true
  element.muted = true
  document.body.append(element)
}

async function complete(description) {
  await pc.setLocalDescription(description)
  while (pc.iceGatheringState !== 'complete') await new Promise((resolve) => setTimeout(resolve, 10))
  return pc.localDescription.sdp
}

globalThis.peer = {
  async offer() {
    const [voice] = (await navigator.mediaDevices.getUserMedia({ audio: true })).getTracks()
    pc.addTransceiver(voice, { direction: 'sendrecv' })
    pc.addTransceiver('video', { direction: 'recvonly' })
    return complete(await pc.createOffer())
  },
  accept: (sdp) => pc.setRemoteDescription({ type: 'answer', sdp }),
  async answer(sdp) {
    await pc.setRemoteDescription({ type: 'offer', sdp })
    const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } })
    for (const track of media.getTracks()) pc.addTrack(track, media)
    return complete(await pc.createAnswer())
  },
  async seen() {
    const seen = { connected: pc.connectionState === 'connected', pictures: 0, sounds: 0 }
    for (const report of (await pc.getStats()).values()) {
      if (report.type !== 'inbound-rtp') continue
      if (report.kind === 'video') seen.pictures += report.framesDecoded ?? 0
      else seen.sounds += report.packetsReceived ?? 0
    }
    return seen
  },
}
