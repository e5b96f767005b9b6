/**
 * The gateway beside FFmpeg's own RTSP client: the time from an offer to the first picture, CPU of its process, and the delay
 * of talk-back beside its limit. Run with `npm run bench:gateway`; TRANSOM_BENCH_SECONDS (10) is the length of each talk and
 * of each measurement of CPU, and below 10 there is one round of pictures instead of five.
 */
import { measureCpu } from './gateway/cpu.ts'
import { measureFirstPictures } from './gateway/first-picture.ts'
import { measureTalk } from './gateway/talk.ts'

const seconds = Number(process.env['TRANSOM_BENCH_SECONDS'] ?? 10)

await measureTalk(seconds)
await measureFirstPictures(seconds < 10 ? 1 : 5)
await measureCpu(seconds)
// What a library still has running keeps nobody here.
process.exit(0)
