/** Amazon's three regions: each customer belongs to one, and only its event gateway knows him (send-events.html). */

/** Their names in Amazon's documents. */
export const alexaRegions = ['NA', 'EU', 'FE'] as const
/** One of them. */
export type AlexaRegion = (typeof alexaRegions)[number]

/** The event gateway of each. */
export const gatewayUrls: Readonly<Record<AlexaRegion, string>> = {
  NA: 'https://api.amazonalexa.com/v3/events',
  EU: 'https://api.eu.amazonalexa.com/v3/events',
  FE: 'https://api.fe.amazonalexa.com/v3/events',
}

/** The region whose customers a Lambda in this AWS region serves. */
export function regionOfLambda(awsRegion: string | undefined): AlexaRegion | undefined {
  return awsRegion === undefined
    ? undefined
    : { 'us-east-1': 'NA' as const, 'eu-west-1': 'EU' as const, 'us-west-2': 'FE' as const }[awsRegion]
}
