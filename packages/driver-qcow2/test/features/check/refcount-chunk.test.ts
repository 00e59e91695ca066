// A chunk holds what is put into it, whether its counts are bits or have the image's width, and finds what is used.
import { random } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { RefcountChunk } from '../../../src/features/check/refcount-chunk.ts'
import { getRefcount } from '../../../src/format/refcount-bits.ts'

const clusters = 128

describe.each([0, 1, 2, 3, 4, 5, 6])('order %i', (order) => {
  const largest = Math.min(2 ** (2 ** order) - 1, 1000)

  // Against a list of numbers, after each change.
  test('counts come and go', () => {
    const choose = random(20 + order)
    for (let round = 0; round < 20; round++) {
      const chunk = new RefcountChunk(clusters, order)
      const plain = Array.from({ length: clusters }, () => 0)
      for (let step = 0; step < 30; step++) {
        const index = choose.below(clusters)
        // Half of the rounds never leave bits.
        const most = round % 2 === 0 ? 1 : largest
        const count = choose.below(most + 1)
        if (choose.below(3) > 0) {
          chunk.set(index, count)
          plain[index] = count
        } else {
          expect(chunk.increment(index, most)).toBe(plain[index]! < most)
          plain[index] = Math.min(most, plain[index]! + 1)
        }
        expect(plain.map((_, at) => chunk.get(at))).toEqual(plain)
        const [from, end] = [choose.below(clusters), choose.below(clusters)]
        const isFree = (value: number, at: number) => at >= from && value === 0
        const isUsed = (value: number, at: number) => at >= from && value !== 0
        const free = plain.findIndex(isFree)
        expect(chunk.nextFree(from)).toBe(free < 0 ? clusters : free)
        expect(chunk.nextUsed(from)).toBe(plain.findIndex(isUsed))
        expect(chunk.lastUsed(from, end)).toBe(plain.slice(0, end).findLastIndex(isUsed))
      }
      const blocks = new Uint8Array((clusters * 2 ** order) / 8).fill(0xff)
      chunk.copyTo(blocks)
      expect(plain.map((_, at) => getRefcount(blocks, order, at))).toEqual(plain)
    }
  })
})
