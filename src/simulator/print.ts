/** A call report for people: the timeline with one line for each step, and a summary of what was received. */

import type { CallReport } from './report.ts'
import type { Step } from './timeline.ts'

/** The whole report, without a final line end. */
export function printReport(report: CallReport): string {
  const { display, cameraId, ok, cause, video, audioIn, audioOut, timeline, bridgeTimeline } = report
  const heard =
    audioOut.heardByCamera === null
      ? 'how many were heard nobody says'
      : `${audioOut.heardByCamera} heard by the camera`
  const lines = [
    `${display} ${ok ? 'showed' : 'could not show'} ${cameraId ?? 'a camera'}`,
    '',
    '      ms  display',
    ...timeline.map(line),
    ...(bridgeTimeline.length === 0
      ? []
      : ['', '      ms  bridge (since it received the offer)', ...bridgeTimeline.map(line)]),
    '',
    ...(report.ring === null
      ? []
      : [
          row('ring', `${column(report.ring.announcedMs).trim()} ms from press to event`),
          row('', `${column(report.ring.firstFrameMs).trim()} ms from press to first frame`),
        ]),
    row('answer', milliseconds(report.answerMs)),
    row('connected', milliseconds(report.connectedMs)),
    row('first frame', milliseconds(report.firstFrameMs)),
    row(
      'video in',
      video.packets === 0
        ? 'nothing'
        : `${video.codec} ${video.profileLevelId ?? ''}, ${video.packets} packets, ${video.frames} frames` +
            (video.decoded === null ? '' : `, ${video.decoded} decoded`),
    ),
    ...(video.reason === null ? [] : [row('', video.reason)]),
    ...(video.remark === null ? [] : [row('', video.remark)]),
    row('audio in', audioIn.packets === 0 ? 'nothing' : `${audioIn.codec}, ${audioIn.packets} packets`),
    row(
      'audio out',
      audioOut.packets === 0
        ? `nothing${audioOut.reason === null ? '' : `: ${audioOut.reason}`}`
        : `${audioOut.codec}, ${audioOut.packets} packets, ${heard}`,
    ),
    '',
    cause === null ? 'ok' : `failed: ${cause.code}: ${cause.message}`,
  ]
  return lines.join('\n')
}

/** The report in one line, for many calls in a row. */
export function printLine(
  number: number,
  { ok, cause, answerMs, connectedMs, firstFrameMs, video, audioIn, audioOut }: CallReport,
): string {
  const times = `answer ${column(answerMs)}  connected ${column(connectedMs)}  first frame ${column(firstFrameMs)} ms`
  const counts = `${video.frames} frames, ${audioIn.packets} in, ${audioOut.packets} out, ${audioOut.heardByCamera ?? '?'} heard`
  return `${String(number).padStart(4)}  ${ok ? 'ok    ' : 'failed'}  ${times}  ${counts}${cause === null ? '' : `  ${cause.code}: ${cause.message}`}`
}

export interface Percentiles {
  readonly p50: number
  readonly p95: number
  readonly max: number
}

export interface Summary {
  readonly calls: number
  readonly failed: number
  /** null when no call came so far. */
  readonly answerMs: Percentiles | null
  readonly connectedMs: Percentiles | null
  readonly firstFrameMs: Percentiles | null
}

/** What many calls have in common. */
export function summarize(reports: readonly CallReport[]): Summary {
  const over = (pick: (report: CallReport) => number | null): Percentiles | null =>
    percentiles(reports.map(pick).filter((value) => value !== null))
  return {
    calls: reports.length,
    failed: reports.filter(({ ok }) => !ok).length,
    answerMs: over(({ answerMs }) => answerMs),
    connectedMs: over(({ connectedMs }) => connectedMs),
    firstFrameMs: over(({ firstFrameMs }) => firstFrameMs),
  }
}

/** The summary of many calls, without a final line end. */
export function printSummary(summary: Summary): string {
  return [
    '',
    `${summary.calls} calls, ${summary.failed} failed`,
    times('answer', summary.answerMs),
    times('connected', summary.connectedMs),
    times('first frame', summary.firstFrameMs),
  ].join('\n')
}

const times = (name: string, values: Percentiles | null): string =>
  row(
    name,
    values === null ? '-' : `p50 ${column(values.p50)}   p95 ${column(values.p95)}   max ${column(values.max)} ms`,
  )

/** By nearest rank. */
function percentiles(values: readonly number[]): Percentiles | null {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
  return sorted.length === 0 ? null : { p50: at(0.5), p95: at(0.95), max: at(1) }
}

const line = ({ step, atMs, detail }: Step): string =>
  `${column(atMs)}  ${detail === undefined ? step : `${step.padEnd(28)} ${detail}`}`

const row = (name: string, value: string): string => `${name.padEnd(12)} ${value}`

const column = (value: number | null): string => (value === null ? '-' : value.toFixed(1)).padStart(8)

const milliseconds = (value: number | null): string => (value === null ? '-' : `${value.toFixed(1)} ms after the offer`)
