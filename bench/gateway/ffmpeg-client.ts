/** FFmpeg's RTSP client in a process of its own: says when its first key frame is there, and reads on until it is ended. */
import { loadFfmpeg } from '../../src/gateway/ffmpeg.ts'

const ffmpeg = await loadFfmpeg()
const startedAt = performance.now()
await using demuxer = await ffmpeg.Demuxer.open(process.argv[2] ?? '', { options: { rtsp_transport: 'tcp' } })
let isShown = false
for await (const packet of demuxer.packets()) {
  if (packet?.isKeyframe && !isShown) {
    isShown = true
    process.stdout.write(`${performance.now() - startedAt}\n`)
  }
  packet?.free()
}
