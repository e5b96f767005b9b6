/** One Lambda execution environment: a packaged function, which gets one event after the other from the process that began it. */
import { createInterface } from 'node:readline'

const [file, name] = process.argv.slice(2) as [string, string]

interface Invoked {
  readonly event: unknown
  readonly remainingMs: number
}

const loaded: Readonly<Record<string, (event: unknown, context: object) => Promise<unknown>>> = await import(file)

// Events come by standard input and replies go by the channel: standard output is the function's log.
for await (const line of createInterface({ input: process.stdin })) {
  const { event, remainingMs }: Invoked = JSON.parse(line)
  const endsAt = Date.now() + remainingMs
  const context = { getRemainingTimeInMillis: () => Math.max(0, endsAt - Date.now()) }
  const reply = await loaded[name]!(event, context).catch((error: unknown) => ({ error: String(error) }))
  process.send!({ reply: reply ?? null })
}
