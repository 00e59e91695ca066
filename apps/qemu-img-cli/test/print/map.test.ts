// Proves how extents are merged and written in both forms of map.

import type { MapExtent } from '@blocklayer/qemu-img'
import { describe, expect, test } from 'vitest'
import { humanMap, jsonMap } from '../../src/print/map.ts'

const data: MapExtent = {
  start: 131072,
  bytes: 65536,
  depth: 0,
  present: true,
  zero: false,
  data: true,
  compressed: false,
  hostOffset: 327680,
  filename: 'a',
}
const hole: MapExtent = { ...data, zero: true, data: false, hostOffset: undefined }

describe('for people', () => {
  test('data is shown, zeroes are not', () => {
    expect(humanMap.head() + humanMap.extent(data) + humanMap.extent(hole) + humanMap.tail()).toBe(
      'Offset          Length          Mapped to       File\n' + '0x20000         0x10000         0x50000         a\n',
    )
    expect(humanMap.extent({ ...data, start: 0 })).toBe('0               0x10000         0x50000         a\n')
  })

  test('data without a place in a file cannot be shown', () => {
    expect(() => humanMap.extent({ ...data, hostOffset: undefined })).toThrow(
      'File contains external, encrypted or compressed clusters.',
    )
  })

  test('neighbours merge where place, layer and file go on', () => {
    const next = { ...data, start: data.start + data.bytes, hostOffset: 327680 + 65536 }
    expect(humanMap.continues(data, next)).toBe(true)
    expect(humanMap.continues(data, { ...next, depth: 1 })).toBe(false)
    expect(humanMap.continues(data, { ...next, filename: 'b' })).toBe(false)
    expect(humanMap.continues(data, { ...next, hostOffset: 0 })).toBe(false)
  })
})

describe('for programs', () => {
  test('one object per line, the offset only where there is one', () => {
    const printer = jsonMap()
    expect(printer.head() + printer.extent(data) + printer.extent(hole) + printer.tail()).toBe(
      '[{ "start": 131072, "length": 65536, "depth": 0, "present": true, "zero": false, "data": true, "offset": 327680},\n' +
        '{ "start": 131072, "length": 65536, "depth": 0, "present": true, "zero": true, "data": false}]\n',
    )
  })

  test('kinds of zeroes are kept apart', () => {
    expect(jsonMap().continues(hole, { ...hole, present: false })).toBe(false)
    expect(jsonMap().continues(hole, hole)).toBe(true)
    expect(jsonMap().continues(hole, data)).toBe(false)
  })
})
