// Proves that the model of a killed disk lets pass what a kill may leave, and nothing else.
import { describe, expect, test } from 'vitest'
import { DiskModel, type Found, stampsOf, torn } from '../../scripts/kill-operations/disk-model.ts'
import type { Operation } from '../../scripts/kill-operations/operation.ts'

const found = (sectors: number[], more: Partial<Found> = {}): Found => ({
  sectors: Uint32Array.from(sectors),
  snapshots: new Map(),
  base: undefined,
  ...more,
})
const snapshots = (sectors: Record<string, number[]>): Partial<Found> => ({
  snapshots: new Map(Object.entries(sectors).map(([name, stamps]) => [name, Uint32Array.from(stamps)])),
})
const write = (first: number, count: number, stamp: number): Operation => ({
  kind: 'write',
  runs: [{ first, count }],
  stamp,
})

/** A model of four sectors that has seen the operations; the last one is still under way where `ended` is false. */
function model(
  operations: readonly Operation[],
  ended = true,
  start = found([1, 1, 1, 1]),
): (image: Found) => string[] {
  const made = new DiskModel(start)
  const inFlight = ended ? undefined : operations.at(-1)
  for (const operation of operations) {
    if (operation === inFlight) made.begun(operation)
    else made.done(operation)
  }
  return (image) => made.problems(image, inFlight)
}

describe('writes', () => {
  test('an unflushed one is there or not, sector by sector', () => {
    const problems = model([write(1, 2, 7)])
    expect(problems(found([1, 7, 1, 1]))).toEqual([])
    expect(problems(found([1, 8, 1, 1]))).toEqual(['the disk: sector 1 shows 8, expected 7 or 1'])
    expect(problems(found([7, 1, 1, 1]))).toEqual(['the disk: sector 0 shows 7, expected 1'])
    expect(problems(found([1, torn, torn, 1]))).toEqual(['the disk: sector 1 is torn, expected 7 or 1 (and 1 more)'])
  })

  test('a flushed one is there', () => {
    const problems = model([write(1, 2, 7), { kind: 'flush' }])
    expect(problems(found([1, 7, 7, 1]))).toEqual([])
    expect(problems(found([1, 7, 1, 1]))).toEqual(['the disk: sector 2 shows 1, expected 7'])
  })

  test('one that has not ended may be there, or what any before it left', () => {
    const problems = model([write(0, 1, 5), { kind: 'zero', runs: [{ first: 0, count: 1 }] }], false)
    for (const stamp of [1, 5, 0]) expect(problems(found([stamp, 1, 1, 1]))).toEqual([])
    expect(problems(found([2, 1, 1, 1]))).toHaveLength(1)
  })
})

describe('snapshots', () => {
  const make: Operation = { kind: 'snapshot', name: 's' }

  test('one that was made shows the disk of that moment', () => {
    const problems = model([make, write(0, 1, 5)])
    expect(problems(found([5, 1, 1, 1], snapshots({ s: [1, 1, 1, 1] })))).toEqual([])
    expect(problems(found([5, 1, 1, 1], snapshots({ s: [5, 1, 1, 1] })))).toHaveLength(1)
    expect(problems(found([5, 1, 1, 1]))).toEqual(['snapshot s is gone'])
    expect(problems(found([5, 1, 1, 1], snapshots({ s: [1, 1, 1, 1], t: [1, 1, 1, 1] })))).toEqual([
      'there is a snapshot t',
    ])
  })

  test('going back to one is all or nothing', () => {
    const problems = model([make, write(0, 2, 5), { kind: 'flush' }, { kind: 'apply', name: 's' }], false)
    const kept = snapshots({ s: [1, 1, 1, 1] })
    expect(problems(found([5, 5, 1, 1], kept))).toEqual([])
    expect(problems(found([1, 1, 1, 1], kept))).toEqual([])
    expect(problems(found([1, 5, 1, 1], kept))).toHaveLength(2)
  })

  test('making and deleting may have come to their end', () => {
    expect(model([make], false)(found([1, 1, 1, 1], snapshots({ s: [1, 1, 1, 1] })))).toEqual([])
    expect(model([make], false)(found([1, 1, 1, 1]))).toEqual([])
    expect(model([make, { kind: 'delete', name: 's' }], false)(found([1, 1, 1, 1]))).toEqual([])
  })
})

test('a resize is the old disk or the new one', () => {
  const shrink = model([{ kind: 'resize', sectors: 2 }], false)
  expect(shrink(found([1, 1, 1, 1]))).toEqual([])
  expect(shrink(found([1, 1]))).toEqual([])
  expect(shrink(found([1, 1, 0, 0]))).toHaveLength(1)
  expect(shrink(found([1]))).toEqual(['the disk has 1 sectors, expected 4'])
  const grow = model([{ kind: 'resize', sectors: 5 }])
  expect(grow(found([1, 1, 1, 1, 0]))).toEqual([])
  expect(grow(found([1, 1, 1, 1]))).toHaveLength(1)
})

test('a commit changes the backing file and never what the overlay shows', () => {
  const base = (...stamps: number[]): Partial<Found> => ({ base: Uint32Array.from(stamps) })
  const problems = model([{ kind: 'commit' }], false, found([1, 2, 1, 1], base(9, 9)))
  expect(problems(found([1, 2, 1, 1], base(9, 9)))).toEqual([])
  expect(problems(found([1, 2, 1, 1], base(1, 9, 0, 1)))).toEqual([])
  expect(problems(found([9, 2, 1, 1], base(1, 9, 1, 1)))).toHaveLength(1)
  expect(problems(found([1, 2, 1, 1], base(2, 9)))).toEqual(['the backing file: sector 0 shows 2, expected 9 or 1'])
})

test('emptying shows the old or the backing file, sector by sector', () => {
  const problems = model([{ kind: 'empty' }], false, found([1, 2], { base: Uint32Array.from([9]) }))
  expect(problems(found([9, 2], { base: Uint32Array.from([9]) }))).toEqual([])
  expect(problems(found([1, 0], { base: Uint32Array.from([9]) }))).toEqual([])
  expect(problems(found([0, 0], { base: Uint32Array.from([9]) }))).toHaveLength(1)
})

test('what was found is the new beginning', () => {
  const made = new DiskModel(found([1, 1]))
  made.begun(write(0, 1, 7))
  made.settle(found([7, 1], snapshots({ s: [1, 1] })))
  expect(made.problems(found([1, 1], snapshots({ s: [1, 1] })), undefined)).toHaveLength(1)
  made.settle(found([7, 1]))
  expect(made.problems(found([7, 1]), undefined)).toEqual([])
})

test('sectors that are filled with one number have a stamp', () => {
  const words = new Uint32Array(256).fill(5)
  words[200] = 6
  expect([...stampsOf(new Uint8Array(words.buffer))]).toEqual([5, torn])
})
