/** Where a vendor's registry of cameras is, as the settings say. */

/** A URL with the secret that signs, or a Lambda function. */
export type RegistryPlace =
  | { readonly kind: 'http'; readonly url: string; readonly secret: string }
  | { readonly kind: 'lambda'; readonly arn: string; readonly region: string }

/** An ARN of a function, also with a version or an alias: group 1 is its region. */
const functionArn = /^arn:aws[\w-]*:lambda:([a-z0-9-]+):\d{12}:function:[\w-]{1,64}(?::[\w$-]{1,128})?$/

/** Whether a setting names a registry at all. */
export const isRegistryPlace = (place: string): boolean =>
  functionArn.test(place) || (URL.canParse(place) && new URL(place).protocol === 'https:')

/** Throws an `Error` for a URL without its secret. */
export function readRegistryPlace(place: string | undefined, secret: string | undefined): RegistryPlace | undefined {
  if (place === undefined) return undefined
  const [arn, region] = functionArn.exec(place) ?? []
  if (arn !== undefined && region !== undefined) return { kind: 'lambda', arn, region }
  if (secret === undefined)
    throw new Error('TRANSOM_REGISTRY_SECRET: is missing: it signs what TRANSOM_REGISTRY is asked')
  return { kind: 'http', url: place, secret }
}
