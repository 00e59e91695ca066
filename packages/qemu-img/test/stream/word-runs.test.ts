/** Proves that packed words come back, and that tables of pointers take little room. */

import { random, seeds } from '@blocklayer/block-core/testing'
import { expect, test } from 'vitest'
import { packWords, unpackWords } from '../../src/stream/word-runs.ts'

function table(words: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 8)
  const view = new DataView(bytes.buffer)
  for (const [i, [high, low]] of words.entries()) {
    view.setUint32(i * 8, high)
    view.setUint32(i * 8 + 4, low)
  }
  return bytes
}

function back(bytes: Uint8Array, runsMax = 1000): { readonly runs: number; readonly same: boolean } {
  const runs = packWords(bytes, runsMax) ?? new Float64Array(0)
  const unpacked = new Uint8Array(bytes.length).fill(0xee)
  unpackWords(runs, unpacked)
  return { runs: runs.length / 4, same: Buffer.compare(bytes, unpacked) === 0 }
}

test('zeroes, and pointers that go up over four gibibytes, are one run each', () => {
  expect(back(new Uint8Array(65536))).toEqual({ runs: 1, same: true })
  const up = Array.from({ length: 512 }, (_, i): [number, number] => {
    const offset = 0xffff0000 + i * 65536
    return [0x80000000 + Math.floor(offset / 2 ** 32), offset % 2 ** 32]
  })
  expect(back(table(up))).toEqual({ runs: 1, same: true })
  const down = table(up.toReversed())
  expect(back(down)).toEqual({ runs: 1, same: true })
})

test('words far apart are runs of their own', () => {
  expect(
    back(
      table([
        [0, 0],
        [0x80000000, 5],
        [0, 0],
        [0xffffffff, 0xffffffff],
        [1, 1],
      ]),
    ),
  ).toMatchObject({ same: true })
})

test('what needs more runs than it may is not packed', () => {
  const words = table([
    [1, 5],
    [9, 0],
    [3, 3],
    [77, 1],
  ])
  expect(packWords(words, 3)).toBeUndefined()
  expect(packWords(words, 4)).toBeDefined()
})

test.each(seeds(1, 2, 3))('random words (seed %i)', (seed) => {
  const choose = random(seed)
  const words = Array.from({ length: 2000 }, (): [number, number] => [
    choose.pick([0, 0, 0x80000000, choose.below(2 ** 31)]),
    choose.pick([0, 0, 65536, choose.below(2 ** 31) * 2 + 1]),
  ])
  expect(back(table(words), 2000).same).toBe(true)
})
