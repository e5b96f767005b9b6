/** The tags of channels. */
import * as z from 'zod'
import { channelKey } from './channel-records.ts'
import type { Channels } from './channels.ts'
import { arn, operation, type Operation } from './operation.ts'

const tagText = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u
const tagKey = z.string().min(1).max(128).regex(tagText)
/** A tag, by the service model. */
export const tag = z.object({ Key: tagKey, Value: z.string().max(256).regex(tagText) })

export const toTags = (tags: readonly z.infer<typeof tag>[]) =>
  Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]))

export function tagResource(channels: Channels): Operation {
  return operation({
    action: 'TagResource',
    input: z.object({ ResourceARN: arn, Tags: z.array(tag).min(1).max(50) }),
    channel: ({ ResourceARN }) => channelKey(ResourceARN),
    run: async ({ ResourceARN, Tags }) => {
      await channels.tag(ResourceARN, toTags(Tags))
      return {}
    },
  })
}

export function untagResource(channels: Channels): Operation {
  return operation({
    action: 'UntagResource',
    input: z.object({ ResourceARN: arn, TagKeyList: z.array(tagKey).min(1).max(50) }),
    channel: ({ ResourceARN }) => channelKey(ResourceARN),
    run: async ({ ResourceARN, TagKeyList }) => {
      await channels.untag(ResourceARN, TagKeyList)
      return {}
    },
  })
}

export function listTags(channels: Channels): Operation {
  return operation({
    action: 'ListTagsForResource',
    // All tags fit one page, so nobody holds a token of ours.
    input: z.object({ ResourceARN: arn, NextToken: z.never('is not one of this service').optional() }),
    channel: ({ ResourceARN }) => channelKey(ResourceARN),
    run: async ({ ResourceARN }) => ({ Tags: await channels.tags(ResourceARN) }),
  })
}
