#!/usr/bin/env node
/** The gateway as a program: for a bridge here or elsewhere, or by itself on AWS; until it is stopped. */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { askPassword } from 'transom-core/ask-password'
import { createLog } from 'transom-core/log'
import { readableLine } from 'transom-core/readable-log'
import { startGatewayForBridge } from './for-bridge.ts'
import { createPictureMemory } from './picture-memory.ts'
import { readGatewaySettings } from './settings.ts'
import { readAwsSettings, startGatewayOnAws } from './on-aws.ts'

const usage = `
  transom gateway --bridge https://bridge.example.org [--key-file FILE] [--plain-http]
                         reads the cameras that the bridge gives to this gateway
  transom gateway --cameras FILE
                         reads the cameras of this file, on channels of Kinesis Video Streams (docs/gateway.md)

  --bridge URL           the bridge, https unless it runs on this machine
  --key-file FILE        holds the key of this gateway, as "transom gateway add NAME" printed it. Otherwise it is read from
                         TRANSOM_GATEWAY_KEY, or asked for
  --plain-http           accept http to another machine: addresses and passwords of cameras are then readable on the network
  --cameras FILE         JSON; readable for its owner alone, because it holds the passwords of the cameras
`
/** What is not closed by then is abandoned. */
const closeMs = 2_000

const inWords = process.stderr.isTTY ? readableLine : undefined
const log = createLog((line) => process.stderr.write(line), Date.now, { inWords })

try {
  const { values } = parseArgs({
    options: {
      bridge: { type: 'string' },
      'key-file': { type: 'string' },
      'plain-http': { type: 'boolean', default: false },
      cameras: { type: 'string' },
      // How the bridge starts it: the key comes on stdin, whose end is that of the bridge.
      supervised: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const { bridge, cameras, supervised: isSupervised } = values
  const pictures = createPictureMemory(readGatewaySettings(process.env).pictureBytes)
  if (values.help) console.log(usage)
  else if ((bridge === undefined) === (cameras === undefined)) throw new Error(`give --bridge or --cameras${usage}`)
  else if (bridge !== undefined) {
    const url = siteOf(bridge, isSupervised || values['plain-http'])
    const key = isSupervised ? await keyOfParent() : await readKey(values['key-file'])
    if (key === '') throw new Error('the key of this gateway is empty')
    endWith(startGatewayForBridge({ bridge: url, key, pictures, clock: Date.now, log }), isSupervised)
  } else if (cameras !== undefined) {
    const pinsFile = `${cameras.replace(/\.json$/, '')}.certificates.json`
    const { AWS_REGION, AWS_DEFAULT_REGION } = process.env
    const region = AWS_REGION ?? AWS_DEFAULT_REGION
    const settings = readAwsSettings(cameras)
    endWith(await startGatewayOnAws({ settings, pinsFile, region, pictures, clock: Date.now, log }), false)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}

function siteOf(text: string, mayBePlain: boolean): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`)
    throw new Error('--bridge must be an address without a path: https://bridge.example.org')
  const isHere = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(url.hostname)
  if (url.protocol === 'http:' && !isHere && !mayBePlain)
    throw new Error(
      '--bridge is http: passwords of cameras could be read on the network. Use https, or add --plain-http',
    )
  return url.origin
}

async function readKey(file: string | undefined): Promise<string> {
  const { TRANSOM_GATEWAY_KEY: key } = process.env
  // What this process starts need not know it.
  delete process.env['TRANSOM_GATEWAY_KEY']
  const found = file === undefined ? key : readFileSync(file, 'utf8')
  return found === undefined ? askPassword('Key of this gateway: ') : found.trim()
}

/** The first line of stdin. With its last one, also when the bridge is killed, this process ends. */
async function keyOfParent(): Promise<string> {
  const lines = createInterface({ input: process.stdin })
  const { promise, resolve } = Promise.withResolvers<string>()
  lines.once('line', resolve)
  lines.once('close', () => resolve(''))
  return promise
}

function endWith(running: { close(): Promise<void> }, isSupervised: boolean): void {
  const end = () => {
    // What a library still has running keeps nobody here.
    setTimeout(() => process.exit(0), closeMs).unref()
    void running.close().then(() => process.exit(0))
  }
  process.once('SIGTERM', end)
  // Ctrl-C in the terminal of the bridge comes here, too, and its end is still to come.
  if (isSupervised) {
    process.on('SIGINT', () => undefined)
    process.stdin.once('end', end).resume()
  } else process.once('SIGINT', end)
}
