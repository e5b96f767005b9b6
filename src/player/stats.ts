/** What flows, read from the browser's own statistics (W3C webrtc-stats). */

/** Figures of a view: sizes in pixels, times in milliseconds, `loss` and `audioEnergy` from 0 to 1, the rest counts. */
export interface PlayerStats {
  readonly codec?: string
  readonly width?: number
  readonly height?: number
  readonly framesPerSecond?: number
  /** Complete pictures that arrived, whether they could be decoded or not. */
  readonly framesReceived: number
  readonly framesDecoded: number
  /** Milliseconds from the beginning of the connection to the first picture shown. */
  readonly firstFrameMs?: number
  readonly roundTripMs?: number
  /** Of the packets of picture and sound so far: 0 to 1. */
  readonly loss: number
  readonly route?: 'direct' | 'relay'
  readonly bytesReceived: number
  /** Grows while there is sound that is not silent. */
  readonly audioEnergy: number
  readonly bytesSent: number
}

/** The fields that we read; browsers leave out what they do not know. */
interface Report {
  readonly id: string
  readonly type: string
  readonly kind?: string
  readonly codecId?: string
  readonly mimeType?: string
  readonly frameWidth?: number
  readonly frameHeight?: number
  readonly framesPerSecond?: number
  readonly framesReceived?: number
  readonly framesDecoded?: number
  readonly packetsLost?: number
  readonly packetsReceived?: number
  readonly bytesReceived?: number
  readonly bytesSent?: number
  readonly totalAudioEnergy?: number
  readonly selectedCandidatePairId?: string
  readonly nominated?: boolean
  readonly state?: string
  readonly currentRoundTripTime?: number
  readonly localCandidateId?: string
  readonly remoteCandidateId?: string
  readonly candidateType?: string
}

export async function readStats(
  peer: Pick<RTCPeerConnection, 'getStats'>,
  firstFrameMs?: number,
): Promise<PlayerStats> {
  const all = new Map<string, Report>()
  for (const [id, report] of await peer.getStats()) all.set(id, report as Report)
  const find = (is: (report: Report) => boolean): Report | undefined => [...all.values()].find(is)
  const inbound = (kind: string): Report | undefined => find((one) => one.type === 'inbound-rtp' && one.kind === kind)
  const [video, audio] = [inbound('video'), inbound('audio')]
  const sent = find(({ type, kind }) => type === 'outbound-rtp' && kind === 'audio')
  const selected = find(({ type }) => type === 'transport')?.selectedCandidatePairId
  const pair =
    // Firefox has no transport report.
    all.get(selected ?? '') ??
    find(({ type, nominated, state }) => type === 'candidate-pair' && nominated === true && state === 'succeeded')
  const ends = [pair?.localCandidateId, pair?.remoteCandidateId].map((id) => all.get(id ?? ''))
  const lost = (video?.packetsLost ?? 0) + (audio?.packetsLost ?? 0)
  const received = (video?.packetsReceived ?? 0) + (audio?.packetsReceived ?? 0)
  const roundTrip = pair?.currentRoundTripTime
  const codec = all.get(video?.codecId ?? '')?.mimeType?.replace('video/', '')
  return {
    ...(codec !== undefined && { codec }),
    ...(video?.frameWidth !== undefined && { width: video.frameWidth }),
    ...(video?.frameHeight !== undefined && { height: video.frameHeight }),
    ...(video?.framesPerSecond !== undefined && { framesPerSecond: video.framesPerSecond }),
    framesReceived: video?.framesReceived ?? 0,
    framesDecoded: video?.framesDecoded ?? 0,
    ...(firstFrameMs !== undefined && { firstFrameMs }),
    ...(roundTrip !== undefined && { roundTripMs: roundTrip * 1000 }),
    loss: lost > 0 ? lost / (lost + received) : 0,
    ...(pair !== undefined && { route: ends.some((end) => end?.candidateType === 'relay') ? 'relay' : 'direct' }),
    bytesReceived: (video?.bytesReceived ?? 0) + (audio?.bytesReceived ?? 0),
    audioEnergy: audio?.totalAudioEnergy ?? 0,
    bytesSent: sent?.bytesSent ?? 0,
  }
}
