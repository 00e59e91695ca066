/** Proves that the list answers as a plain search would, whatever is added and taken out. */

import { random } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { SortedOffsets } from '../../src/metadata/sorted-offsets.ts'

test('what it was filled with, zeroes left out', () => {
  const offsets = new SortedOffsets()
  const entries = [0, 300, 100, 0, 200]
  offsets.fill(entries.length, (index) => entries[index]!)
  expect(offsets.count).toBe(3)
  const hits = [
    [0, 100],
    [0, 101],
    [109, 110],
    [110, 200],
    [309, 400],
    [310, 400],
  ].map(([start, end]) => offsets.overlaps(start!, end!, 10))
  expect(hits).toEqual([false, true, true, false, true, false])
})

test.each([1, 2, 3])('a random history, seed %i', (seed) => {
  const choose = random(seed)
  const offsets = new SortedOffsets()
  const model: number[] = []
  for (let step = 0; step < 2000; step++) {
    const offset = choose.below(300) * 10
    if (choose.chance(0.6)) {
      offsets.add(offset)
      model.push(offset)
    } else {
      offsets.remove(offset)
      const at = model.indexOf(offset)
      if (at >= 0) model.splice(at, 1)
    }
    const start = choose.below(3000)
    const end = start + 1 + choose.below(15)
    expect(offsets.overlaps(start, end, 10)).toBe(model.some((table) => table < end && start < table + 10))
  }
  expect(offsets.count).toBe(model.length)
})
