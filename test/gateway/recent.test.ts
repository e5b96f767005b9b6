/** The latest pictures of cameras, kept in a memory that they share. */
import { expect, test } from '@jest/globals'
import { createPictureMemory } from '../../src/gateway/picture-memory.ts'
import { createRecent } from '../../src/gateway/recent.ts'
import { readGatewaySettings } from '../../src/gateway/settings.ts'

const unit = (at: number, bytes: number, isKey = false) => ({ at, isKey, payloads: [Buffer.alloc(bytes)] })

test('the group that began first is dropped when all cameras together keep too much', () => {
  const memory = createPictureMemory(1_000)
  const [porch, garage, gate] = [createRecent(memory), createRecent(memory), createRecent(memory)]
  porch.keep(unit(1, 300, true))
  garage.keep(unit(2, 300, true))
  porch.keep(unit(3, 100))
  gate.keep(unit(4, 300, true))
  expect([porch, garage, gate].map((each) => each.units().length)).toEqual([2, 1, 1])
  gate.keep(unit(5, 100))
  expect([porch, garage, gate].map((each) => each.units().length)).toEqual([0, 1, 2])
  // The other cameras are not in the way: it is kept from its next key frame on.
  porch.keep(unit(6, 50))
  porch.keep(unit(7, 200, true))
  expect([porch, garage, gate].map((each) => each.units().length)).toEqual([1, 1, 2])
})

test('a new group of the same camera counts as young, and what it replaces is free', () => {
  const memory = createPictureMemory(1_000)
  const [porch, garage] = [createRecent(memory), createRecent(memory)]
  porch.keep(unit(1, 400, true))
  garage.keep(unit(2, 400, true))
  porch.keep(unit(3, 500, true))
  expect([porch, garage].map((each) => each.units().length)).toEqual([1, 1])
  porch.keep(unit(4, 200))
  expect([porch, garage].map((each) => each.units().length)).toEqual([2, 0])
})

test('a picture that is larger than the whole memory is not kept, and neither is any without one', () => {
  const recent = createRecent(createPictureMemory(1_000))
  recent.keep(unit(1, 1_001, true))
  expect(recent.units()).toEqual([])
  const nothing = createRecent(createPictureMemory(0))
  nothing.keep(unit(1, 10, true))
  expect(nothing.units()).toEqual([])
})

test('what was forgotten leaves its room to others', () => {
  const memory = createPictureMemory(1_000)
  const [porch, garage] = [createRecent(memory), createRecent(memory)]
  for (let round = 0; round < 50; round += 1) {
    porch.keep(unit(round, 900, true))
    porch.forget()
  }
  garage.keep(unit(1, 900, true))
  expect(garage.units()).toHaveLength(1)
})

test('the setting is in MB, and a bad one is named', () => {
  expect(readGatewaySettings({ TRANSOM_PICTURE_MEMORY_MB: '2' })).toEqual({ pictureBytes: 2_097_152 })
  expect(readGatewaySettings({}).pictureBytes).toBe(134_217_728)
  // The gateway inside a bridge inherits all of its environment.
  expect(readGatewaySettings({ TRANSOM_PORT: '0', TRANSOM_GATEWAY_KEY: 'k' }).pictureBytes).toBe(134_217_728)
  expect(() => readGatewaySettings({ TRANSOM_PICTURE_MEMORY_MB: 'much' })).toThrow('TRANSOM_PICTURE_MEMORY_MB')
})
