/** Headers decode with the reference's first checks, and encode to the reference's bytes. */

import { describe, expect, test } from 'vitest'
import { viewOf } from '../../src/format/bytes.ts'
import {
  decodeHeader,
  encodedHeaderBytes,
  encodeHeader,
  headerGeometry,
  withUnknownFields,
} from '../../src/format/header.ts'
import { plainHeaderBytes } from '../helpers/header-bytes.ts'

describe('decodeHeader', () => {
  test('the reference’s default image of 1 MiB', () => {
    expect(decodeHeader(plainHeaderBytes())).toMatchObject({
      version: 3,
      clusterBits: 16,
      size: 0x100000,
      l1Size: 1,
      l1TableOffset: 0x30000,
      refcountTableOffset: 0x10000,
      refcountTableClusters: 1,
      refcountOrder: 4,
      headerLength: 112,
      backingFileOffset: 0,
    })
  })

  test('a virtual size is rounded down to 512 bytes', () => {
    const bytes = plainHeaderBytes((view) => view.setUint32(28, 1000001))
    expect(decodeHeader(bytes)).toMatchObject({ size: 999936, sizeRemainder: 65 })
  })

  test('a virtual size past 2^53 is exact', () => {
    const bytes = plainHeaderBytes((view) => view.setUint32(24, 0x00800000))
    expect(decodeHeader(bytes).size).toBe(2 ** 55 + 0x100000)
  })

  test('fields beyond a version 2 header are not interpreted', () => {
    const bytes = plainHeaderBytes((view) => {
      view.setUint32(4, 2)
      view.setUint32(76, 0xffff)
      view.setUint32(96, 0xffff)
    })
    expect(decodeHeader(bytes)).toMatchObject({
      version: 2,
      headerLength: 72,
      refcountOrder: 4,
      incompatibleFeatures: { high: 0, low: 0 },
    })
  })

  test.each<[string, number, number, string]>([
    ['magic', 0, 0x514649fc, 'Image is not in qcow2 format'],
    ['version 1', 4, 1, 'Unsupported qcow2 version 1'],
    ['version 4', 4, 4, 'Unsupported qcow2 version 4'],
    ['small clusters', 20, 8, 'Unsupported cluster size: 2^8'],
    ['large clusters', 20, 22, 'Unsupported cluster size: 2^22'],
    ['short header', 100, 103, 'qcow2 header too short'],
    ['long header', 100, 65537, 'qcow2 header exceeds cluster size'],
    ['backing file', 12, 65537, 'Invalid backing file offset'],
  ])('refuses a bad %s', (_what, offset, value, message) => {
    expect(() => decodeHeader(plainHeaderBytes((view) => view.setUint32(offset, value)))).toThrow(message)
  })

  test('the compression type exists only in headers longer than 104 bytes', () => {
    const bytes = plainHeaderBytes((view) => view.setUint8(104, 1))
    expect(decodeHeader(bytes).compressionType).toBe(1)
    viewOf(bytes).setUint32(100, 104)
    expect(decodeHeader(bytes).compressionType).toBe(0)
  })
})

describe('encodeHeader', () => {
  test('gives back the bytes that were decoded', () => {
    const bytes = plainHeaderBytes()
    const into = new Uint8Array(bytes.length)
    expect(encodeHeader(decodeHeader(bytes), into)).toBe(112)
    expect(into).toEqual(bytes)
  })

  test('keeps unknown fields and grows a header of 104 bytes', () => {
    const cluster = new Uint8Array(65536)
    cluster.set(plainHeaderBytes((view) => view.setUint32(100, 120)))
    cluster.fill(0xaa, 112, 120)
    const header = withUnknownFields(decodeHeader(cluster), cluster)
    const into = new Uint8Array(65536)
    expect(encodeHeader(header, into)).toBe(120)
    expect(into).toEqual(cluster)

    const short = decodeHeader(plainHeaderBytes((view) => view.setUint32(100, 104)))
    expect(withUnknownFields(short, cluster)).toBe(short)
    expect(encodeHeader(short, into)).toBe(112)
    expect(viewOf(into).getUint32(100)).toBe(112)
  })

  test('a version 2 header has 72 bytes', () => {
    const header = decodeHeader(plainHeaderBytes((view) => view.setUint32(4, 2)))
    const into = new Uint8Array(112)
    expect(encodeHeader(header, into)).toBe(72)
    expect(encodedHeaderBytes(header)).toBe(72)
    expect(into.subarray(72).every((byte) => byte === 0)).toBe(true)
  })
})

test('the geometry follows from the header', () => {
  const bytes = plainHeaderBytes((view) => view.setUint32(76, 0x10))
  expect(headerGeometry(decodeHeader(bytes))).toMatchObject({ clusterSize: 65536, extendedL2: true, refcountBits: 16 })
})
