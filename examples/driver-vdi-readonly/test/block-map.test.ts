// Proves that runs cover what lies together in the file, stop where it does not, and never leave the file.

import { expect, test } from 'vitest'
import { BlockMap } from '../src/block-map.ts'
import { decodeHeader } from '../src/header.ts'
import { header } from './vdi-bytes.ts'

const MiB = 2 ** 20
const none = 0xffffffff
const discarded = 0xfffffffe

function mapOf(entries: readonly number[], blockExtra = 0): BlockMap {
  const count = entries.length
  const decoded = decodeHeader(header({ 0x170: count * MiB, 0x180: count, 0x17c: blockExtra }))
  const stored = new Uint8Array(4 * count)
  entries.forEach((entry, i) => {
    new DataView(stored.buffer).setUint32(4 * i, entry, true)
  })
  return new BlockMap(decoded, stored, 100 * MiB)
}

test('blocks that follow each other in the file are one run', () => {
  const map = mapOf([4, 5, 7])
  expect(map.runAt(0, 3 * MiB)).toEqual({ bytes: 2 * MiB, fileOffset: 1024 + 4 * MiB })
  expect(map.runAt(MiB + 512, 3 * MiB)).toEqual({ bytes: MiB - 512, fileOffset: 1024 + 5 * MiB + 512 })
  expect(map.runAt(2 * MiB, 512)).toEqual({ bytes: 512, fileOffset: 1024 + 7 * MiB })
})

test('blocks without a place are one run, written never or discarded', () => {
  expect(mapOf([none, discarded, 0]).runAt(512, 3 * MiB)).toEqual({ bytes: 2 * MiB - 512, fileOffset: undefined })
})

test('extra bytes before each block keep runs apart', () => {
  const map = mapOf([0, 1], 512)
  expect(map.runAt(0, 2 * MiB)).toEqual({ bytes: MiB, fileOffset: 1024 + 512 })
  expect(map.runAt(MiB, MiB)).toEqual({ bytes: MiB, fileOffset: 1024 + MiB + 512 + 512 })
})

test('an entry beyond the file is refused', () => {
  expect(() => mapOf([0, 5000])).toThrow('VDI block 1 lies beyond the end of the file')
})
