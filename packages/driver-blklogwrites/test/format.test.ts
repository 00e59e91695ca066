/** Proves every field of the log on disk, against bytes that the reference wrote, and how damage is told. */

import { describe, expect, test } from 'vitest'
import {
  checkSectorSize,
  decodeEntry,
  decodeSuperblock,
  encodeEntry,
  encodeSuperblock,
  payloadSectors,
} from '../src/format.ts'

/** Little endian words of 8 bytes, as `od -t x8` prints them. */
function words(...values: bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer)
}

// Both as qemu-io left them in a log of 9 entries.
const superblock = words(0x006a736677736872n, 1n, 9n, 0x200n)
const entry = words(8n, 2n, 4n, 0n)

test('a superblock is what the reference wrote', () => {
  expect(decodeSuperblock(superblock)).toEqual({ entryCount: 9, sectorSize: 512 })
  const sector = encodeSuperblock({ entryCount: 9, sectorSize: 512 })
  expect(sector).toHaveLength(512)
  expect(sector.subarray(0, 32)).toEqual(superblock)
  expect(sector.subarray(32).every((byte) => byte === 0)).toBe(true)
})

test('so is an entry', () => {
  expect(decodeEntry(entry, 0)).toEqual({ sector: 8, sectorCount: 2, flags: 4, textBytes: 0 })
  const sector = encodeEntry({ sector: 8, sectorCount: 2, flags: 4 }, 4096)
  expect(sector).toHaveLength(4096)
  expect(sector.subarray(0, 32)).toEqual(entry)
})

test('numbers past 32 bits keep their place', () => {
  const big = { sector: 2 ** 40 + 3, sectorCount: 2 ** 33 + 1, flags: 0 }
  expect(decodeEntry(encodeEntry(big, 512), 0)).toEqual({ ...big, textBytes: 0 })
})

test('data follows all entries but discards', () => {
  expect(payloadSectors({ sector: 0, sectorCount: 7, flags: 0, textBytes: 0 })).toBe(7)
  expect(payloadSectors({ sector: 0, sectorCount: 7, flags: 3, textBytes: 0 })).toBe(7)
  expect(payloadSectors({ sector: 0, sectorCount: 7, flags: 4, textBytes: 0 })).toBe(0)
})

describe('damage', () => {
  test.each([
    [words(0n, 1n, 0n, 512n), 'Invalid log superblock magic'],
    [words(0x006a736677736872n, 2n, 0n, 512n), 'Unsupported log version 2'],
    [words(0x006a736677736872n, 1n, 0n, 768n), 'Invalid log sector size 768'],
    [words(0x006a736677736872n, 1n, 0n, 0n), 'Invalid log sector size 0'],
  ])('superblock %#', (bytes, message) => {
    expect(() => decodeSuperblock(bytes)).toThrow(expect.objectContaining({ code: 'EINVAL', message }))
  })

  test('unknown flags', () => {
    expect(decodeEntry(words(0n, 0n, 15n, 0n), 2).flags).toBe(15)
    expect(() => decodeEntry(words(0n, 0n, 0x101010101010101n, 0n), 2)).toThrow(
      expect.objectContaining({ code: 'EINVAL', message: 'Invalid flags 0x101010101010101 in log entry 2' }),
    )
  })
})

test.each([32, 512, 4096, 2 ** 23, 1024n])('sectors of %s bytes', (size) => {
  expect(checkSectorSize(size)).toBe(Number(size))
})

test.each([0, 16, 31, 33, 768, 2 ** 24, 2n ** 32n + 512n])('no sectors of %s bytes', (size) => {
  expect(() => checkSectorSize(size)).toThrow(
    expect.objectContaining({ code: 'EINVAL', message: `Invalid log sector size ${size}` }),
  )
})
