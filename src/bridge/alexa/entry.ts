/** One Lambda for both capabilities of the skill: smart home directives and requests of the companion skill, told apart by shape. */
import type { Skill } from 'ask-sdk-core'
import type { RequestEnvelope } from 'ask-sdk-model'
import type { AlexaHandler } from './handler.ts'
import type { AlexaRegion } from './region.ts'

/** Rejects only for a custom skill's request that is malformed or meant for another skill; a directive always has its event. */
export function createAlexaEntry(
  handler: AlexaHandler,
  skill: Pick<Skill, 'invoke'>,
): (event: unknown, region?: AlexaRegion) => Promise<unknown> {
  return (event, region) => (isSkillRequest(event) ? skill.invoke(event) : handler(event, region))
}

function isSkillRequest(event: unknown): event is RequestEnvelope {
  return typeof event === 'object' && event !== null && 'request' in event && !('directive' in event)
}
