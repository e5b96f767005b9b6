/** What an operation of the service is: its name, the check of its input by the service model, and the work. */
import * as z from 'zod'
import { faultsOf } from 'transom-core/wire/faults'
import { channelKey, channelNameOf, type ChannelKey } from './channel-records.ts'
import type { Scope } from './credentials.ts'
import { idPattern } from './message.ts'
import { ServiceError } from './service-error.ts'

export interface Operation {
  /** The name of the operation, which is also that of the IAM action. */
  readonly action: string
  /** Checks the input. Throws `InvalidArgumentException`. */
  read(body: unknown): Call
}

/** An operation with its input, to be run once it is known that the caller may. */
export interface Call {
  /** The channel it is about; undefined for an operation on all of them. */
  readonly channelName: string | undefined
  /** Does it and returns the answer's body. Throws `ServiceError`. */
  run(caller: Caller): Promise<object>
}

/** Who waits for the answer. */
export interface Caller {
  /** By which `host[:port]` they reached the service: the Host header, which is signed. */
  readonly host: string
  /** What their key opens. */
  readonly scope: Scope
  /** Aborted when they hang up. */
  readonly signal: AbortSignal
}

export const channelNameSchema = z.string().regex(/^[a-zA-Z0-9_.-]{1,256}$/)
export const arn = z
  .string()
  .max(1_024)
  .refine((value) => channelNameOf(value) !== undefined, 'is not the ARN of a channel')
export const clientId = z.string().regex(idPattern)
export const byNameOrArn = z
  .object({ ChannelName: channelNameSchema.optional(), ChannelARN: arn.optional() })
  .refine(({ ChannelName, ChannelARN }) => ChannelName ?? ChannelARN, 'ChannelName or ChannelARN is required')
/** The channel that such an input names. */
export const keyOf = ({ ChannelName: name, ChannelARN = '' }: z.infer<typeof byNameOrArn>): ChannelKey =>
  name === undefined ? channelKey(ChannelARN) : { name }

/** Joins the parts of an operation, whose input has one type in all of them. */
export function operation<Input>(parts: {
  action: string
  input: z.ZodType<Input>
  channel?: (input: Input) => ChannelKey
  run: (input: Input, channel: ChannelKey, caller: Caller) => Promise<object>
}): Operation {
  return {
    action: parts.action,
    read(body) {
      const parsed = parts.input.safeParse(body)
      if (!parsed.success) {
        throw new ServiceError('InvalidArgumentException', faultsOf(parsed.error).slice(0, 1_024))
      }
      const key = parts.channel?.(parsed.data)
      return {
        channelName: key?.name,
        run: (caller) => parts.run(parsed.data, key ?? { name: '' }, caller),
      }
    },
  }
}
