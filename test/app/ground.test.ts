/** What only the AWS deployment reads: each bad setting by its name, with what it must be. */
import { expect, test } from '@jest/globals'
import { groundOnAws } from '../../src/bridge/aws/ground.ts'

const good = {
  AWS_REGION: 'eu-west-1',
  TRANSOM_TABLE: 'transom',
  TRANSOM_PUBLIC_URL: 'https://bridge.example',
  TRANSOM_KEYS: JSON.stringify({
    signing: [{ kty: 'EC' }],
    cookies: ['c'.repeat(32)],
    sealing: Buffer.alloc(32).toString('base64'),
  }),
  TRANSOM_CLIENTS: '[]',
}

test.each([
  ['no JSON', { TRANSOM_KEYS: 'secret' }, 'TRANSOM_KEYS: must be JSON; docs/aws.md shows how it is made'],
  ['a field that is missing', { TRANSOM_KEYS: '{"signing":[{"kty":"EC"}],"cookies":[]}' }, 'sealing: is missing'],
  ['a field of another type', { TRANSOM_CLIENTS: '{}' }, 'TRANSOM_CLIENTS: in its JSON, input: must be an array'],
  ['no setting at all', { TRANSOM_TABLE: undefined }, 'TRANSOM_TABLE: is missing'],
])('%s is refused with the name of the field and what it must be', (_, change, message) => {
  const open = () => groundOnAws({ ...good, ...change }, Date.now, () => {})
  expect(open).toThrow(message)
  expect(open).not.toThrow('secret')
})
