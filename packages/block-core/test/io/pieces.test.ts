// Cutting several buffers into requests: aligned, complete, and copying only what cannot be referred to.
import { expect, test } from 'vitest'
import { cutPieces, joinBelow, joinMax, longestJoin, pieces } from '../../src/io/pieces.ts'
import { bytesIn, joined } from '../../src/io/vectors.ts'
import { stamped } from '../../src/testing/patterns.ts'
import { random } from '../../src/testing/seed.ts'

test('an unaligned request is two blocks of copies around what is referred to', () => {
  expect(cutPieces([1000, 80000, 904], 4096)).toEqual([
    { bytes: 4096, joined: true },
    { bytes: 73728, joined: false },
    { bytes: 4080, joined: true },
  ])
})

test('aligned buffers go one by one, small ones together', () => {
  expect(cutPieces([8192, 4096], 512)).toEqual([
    { bytes: 8192, joined: false },
    { bytes: 4096, joined: false },
  ])
  expect(cutPieces([512, 512, 8192], 512)).toEqual([
    { bytes: 1024, joined: true },
    { bytes: 8192, joined: false },
  ])
  expect(longestJoin([512, 512, 8192], 512)).toBe(1024)
  expect(longestJoin([8192, 4096], 512)).toBe(0)
})

test('many small buffers become requests of bounded length', () => {
  const cuts = cutPieces(new Array(3000).fill(1000), 1)
  expect(cuts.every((cut) => cut.joined && cut.bytes <= joinMax)).toBe(true)
  expect(cuts.reduce((sum, cut) => sum + cut.bytes, 0)).toBe(3_000_000)
})

test('random buffers, seed 31: whole, aligned, and only small or shared parts are joined', () => {
  const choose = random(31)
  const content = stamped(0, 300_000)
  for (let i = 0; i < 300; i++) {
    const alignment = 2 ** choose.below(14)
    const lengths = Array.from({ length: 1 + choose.below(6) }, () => 1 + choose.below(40000))
    const sum = lengths.reduce((a, b) => a + b, 0)
    lengths.push(alignment - (sum % alignment))
    const buffers: Uint8Array[] = []
    let at = 0
    for (const length of lengths) {
      buffers.push(content.subarray(at, at + length))
      at += length
    }
    const parts = pieces(buffers, alignment)
    expect(parts.every((part) => bytesIn(part) % alignment === 0 && bytesIn(part) > 0)).toBe(true)
    expect(joined(parts.flatMap((part) => (part instanceof Uint8Array ? [part] : [...part])))).toEqual(
      content.subarray(0, at),
    )
    for (const part of parts) {
      if (part instanceof Uint8Array) continue
      // No buffer in a join could have gone by itself in whole blocks of a worthwhile length.
      expect(part.every((buffer) => buffer.length < joinBelow + 2 * alignment)).toBe(true)
    }
  }
})
