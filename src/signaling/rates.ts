/** How often something may be done here: the house's token buckets, with AWS's word for an empty one. */
import * as admission from 'transom-core/admission'
import type { Clock } from 'transom-core/ports'
import { ServiceError } from './service-error.ts'

export { createBucket, type Rate } from 'transom-core/admission'

export interface Rates extends admission.Rates {
  /** Takes one token of the bucket of this name. Throws `ClientLimitExceededException` when it is empty. */
  take(name: string, rate: admission.Rate): void
}

export function createRates(clock: Clock): Rates {
  const rates = admission.createRates(clock)
  return {
    ...rates,
    take(name, rate) {
      if (rates.tryTake(name, rate)) return
      throw new ServiceError('ClientLimitExceededException', `Rate exceeded: ${rate.perSecond} a second.`)
    },
  }
}
