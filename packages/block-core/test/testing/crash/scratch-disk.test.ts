// A scratch disk goes back to its base, whatever was done to it.
import { expect, test } from 'vitest'
import { ScratchDisk } from '../../../src/testing/crash/scratch-disk.ts'
import { expectSameBytes, filled } from '../../../src/testing/patterns.ts'
import { random } from '../../../src/testing/seed.ts'

test.each([1, 2, 3])('random changes are taken back, seed %i', (seed) => {
  const base = Uint8Array.from({ length: 3000 }, (_, at) => at % 251)
  const disk = new ScratchDisk(base)
  const choose = random(seed)
  for (let round = 0; round < 50; round++) {
    for (let change = choose.below(4); change > 0; change--) {
      const [offset, bytes] = [choose.below(4000), 1 + choose.below(900)]
      choose.pick([
        () => disk.write(offset, filled(round, bytes)),
        () => disk.zero(offset, bytes),
        () => disk.resize(offset),
        () => disk.discard(Math.min(offset, disk.length), 0),
      ])()
    }
    disk.rewind()
    expectSameBytes(disk.bytes(), base, `round ${round}`)
    expect(disk.touched.size).toBe(0)
  }
})

test('it tells which sectors were touched, and how often', () => {
  const disk = new ScratchDisk(new Uint8Array(4096))
  disk.write(1000, filled(1, 100))
  expect([...disk.touched]).toEqual([1, 2])
  expect(disk.changes).toBe(1)
  disk.flush()
  expect(disk.changes).toBe(1)
})
