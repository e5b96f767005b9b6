/** Records what a camera sends, as the gateway does. */
import type { CameraId, Recordings } from '../../src/core/ports.ts'
import { createSegmenter, type Segment } from '../../src/gateway/record/segmenter.ts'
import { send, stream } from '../gateway/record/stream.ts'

/** So many groups of pictures; the recording is over then. */
export async function recordStream(
  recordings: Pick<Recordings, 'begin' | 'append' | 'end'>,
  camera: CameraId,
  from: number,
  groups: number,
  hasSound = true,
): Promise<void> {
  const segments: Segment[] = []
  const sent = [...stream(from, groups)]
  const [first] = sent
  if (first === undefined || !('unit' in first)) throw new Error('the stream begins with a key frame')
  const segmenter = createSegmenter(first.unit, hasSound, (one) => segments.push(one))
  for (const one of sent) send(segmenter, one)
  await segmenter.finish()
  const [init, ...fragments] = segments
  if (init === undefined) throw new Error('the first segment is the initialization segment')
  await recordings.begin(camera, from, segmenter.codecs, init.data)
  for (const fragment of fragments) await recordings.append(camera, from, fragment)
  await recordings.end(camera, from)
}
