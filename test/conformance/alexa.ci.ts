/**
 * Holds everything we send to Alexa to Amazon's own message schema, which its licence keeps out of this repository:
 * `CONFORMANCE_DIR` names the folder that holds `alexa/alexa_smart_home_message_schema.json`.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import Ajv2020 from 'ajv/dist/2020.js'
import draft04 from 'ajv-draft-04'
import { sampleMessages } from '../alexa/samples.ts'

const folder = process.env['CONFORMANCE_DIR']
if (folder === undefined) throw new Error('CONFORMANCE_DIR is not set')
const schema: object = JSON.parse(await readFile(join(folder, 'alexa', 'alexa_smart_home_message_schema.json'), 'utf8'))
// Not strict: the schema has misspelled keywords (`type:`), formats such as `int32`, and escapes that `u` expressions forbid.
const validate = new draft04.default({ strict: false, validateFormats: false, unicodeRegExp: false }).compile(schema)
const samples = await sampleMessages()

/** What Amazon documents and its schema does not know; these are held to our own schema alone. */
const unknownMessages = ['GetSnapshot', 'ObjectDetection', 'DeleteReport', 'SetObjectDetectionClasses']
const own: object = JSON.parse(await readFile(join(import.meta.dirname, '../../schemas/alexa.json'), 'utf8'))
const ajv = new Ajv2020.default({ strict: false, validateFormats: false }).addSchema(own, 'own')
const isAnswer = ajv.compile({ $ref: 'own#/$defs/alexaEvent' })
const isEvent = ajv.compile({ $ref: 'own#/$defs/proactiveEvent' })

describe("Amazon's message schema accepts", () => {
  test.each([...samples].filter(([name]) => !unknownMessages.includes(name)))('%s', (_name, message) => {
    expect(faultsOf(withoutGaps(message))).toEqual([])
  })

  test.each(unknownMessages)('not %s, which is why our own schema must', (name) => {
    expect(faultsOf(samples.get(name))).not.toEqual([])
  })
})

test.each([...samples])('our own schema accepts %s', (_name, message) => {
  const sent: unknown = JSON.parse(JSON.stringify(message))
  expect(isAnswer(sent) || isEvent(sent)).toBe(true)
})

describe('the check itself notices', () => {
  test.each([
    ['a fraction in the time of a press', 'DoorbellPress', (text: string) => text.replace('00Z"', '00.000Z"')],
    [
      'an error in the namespace of sessions',
      'refused: camera_offline',
      swap('"Alexa"', '"Alexa.RTCSessionController"'),
    ],
    ['an error type of our own', 'refused: camera_offline', swap('ENDPOINT_UNREACHABLE', 'CAMERA_OFFLINE')],
    ['the session id beside the answer', 'InitiateSessionWithOffer', swap('"answer":', '"sessionId":"x","answer":')],
    ['an endpoint id with a dot', 'Discover', swap('"endpointId":"front-door"', '"endpointId":"front.door"')],
    ['an unknown interface', 'Discover', swap('Alexa.EndpointHealth', 'Alexa.DataController')],
    ['a message id with an underscore', 'SessionConnected', (text: string) => text.replace(/"messageId":"/, '$&_')],
    ['a display category of our own', 'Discover', swap('"DOORBELL"', '"GONG"')],
  ])('%s', (_fault, name, change) => {
    const broken = change(JSON.stringify(samples.get(name)))
    expect(faultsOf(JSON.parse(broken))).not.toEqual([])
  })
})

/** What the schema leaves open and the documentation does not. */
describe('beyond the schema', () => {
  test('a doorbell is a CAMERA before it is a DOORBELL', () => {
    const text = JSON.stringify(samples.get('Discover'))
    expect(text).toContain('["CAMERA","DOORBELL"]')
    expect(text).not.toContain('["DOORBELL","CAMERA"')
  })

  test('no interface is declared that Amazon has withdrawn', () => {
    const text = JSON.stringify([...samples.values()])
    for (const gone of ['EventDetectionSensor', 'MediaMetadata', 'CustomIntent']) expect(text).not.toContain(gone)
  })

  test('every sample has a fresh message id', () => {
    const ids = [...JSON.stringify([...samples.values()]).matchAll(/"messageId":"([^"]+)"/g)].map(([, id]) => id)
    expect(ids.length).toBe(samples.size)
    expect(new Set(ids).size).toBe(ids.length)
  })
})

/** The message without the interfaces and streams that the schema does not know: one of them fails it as a whole. */
function withoutGaps(message: unknown): unknown {
  const text = JSON.stringify(message, (_key, value: unknown) =>
    Array.isArray(value)
      ? value.filter((each) => !/^{[^{]*"Alexa\.SmartVision|"HLS"/.test(JSON.stringify(each)))
      : value,
  )
  return JSON.parse(text)
}

function swap(from: string, to: string) {
  return (text: string) => text.replace(from, to)
}

/** The message goes through JSON first: what is validated is what would be on the wire. */
function faultsOf(message: unknown): unknown[] {
  validate(JSON.parse(JSON.stringify(message)))
  return validate.errors ?? []
}
