// What one sector may hold: every subset of what was written to it, in every order; and how long the disk may be.
import { expect, test } from 'vitest'
import type { DiskChange } from '../../../src/testing/crash/journal.ts'
import { choicesAt } from '../../../src/testing/crash/sector-choices.ts'
import { filled } from '../../../src/testing/patterns.ts'

const write = (offset: number, value: number, bytes = 512): DiskChange => ({
  kind: 'write',
  disk: 0,
  offset,
  data: filled(value, bytes),
})

function choices(durable: Uint8Array, doubtful: DiskChange[], keep = true): string[] {
  const found = choicesAt({ number: 0, position: 0, durable: [durable], doubtful }, () => keep)
  return [
    ...found.sectors.map(({ offset, old, outcomes }) => {
      const show = (bytes: Uint8Array): string => `${bytes[0]}${bytes[250]}${bytes[400]}`
      return `${offset}: ${show(old)} or ${outcomes.map(show).join(' ')}`
    }),
    ...found.lengths.map(({ cut, lengths }) => `cut ${cut}, length ${lengths.join(' or ')}`),
  ]
}

test('a request is torn into sectors, and what changes nothing is no choice', () => {
  const durable = filled(0, 2048)
  durable.fill(1, 512, 1024)
  expect(choices(durable, [write(0, 1, 1536)])).toEqual(['0: 000 or 111', '1024: 000 or 111', 'cut 2048, length 2048'])
})

test('overlapping requests may arrive in any order, the last outcome is that of their own', () => {
  expect(choices(filled(9, 512), [write(0, 1), write(0, 2)])).toEqual(['0: 999 or 111 222', 'cut 512, length 512'])
  expect(choices(filled(9, 512), [write(0, 1, 300), write(200, 2, 312)])).toEqual([
    // The first alone (its end is 9), the second alone, the second and then the first, the first and then the second.
    '0: 999 or 119 922 112 122',
    'cut 512, length 512',
  ])
  const three = choicesAt(
    {
      number: 0,
      position: 0,
      durable: [filled(9, 512)],
      doubtful: [write(0, 1, 300), write(100, 2, 300), write(50, 3, 400)],
    },
    () => true,
  )
  // 15 arrangements; four of them leave what another one leaves.
  expect(three.sectors[0]?.outcomes.length).toBeGreaterThan(9)
})

function outcomeCount(doubtful: DiskChange[]): number | undefined {
  return choicesAt({ number: 0, position: 0, durable: [filled(0, 512)], doubtful }, () => true).sectors[0]?.outcomes
    .length
}

const parts = (count: number): DiskChange[] =>
  Array.from({ length: count }, (_, index) => write(64 * index, index + 1, 64))

test('all subsets of many requests to one sector are tried, in every order, while there are at most 4096 of them', () => {
  expect(outcomeCount(parts(5))).toBe(2 ** 5 - 1)
  expect(outcomeCount(parts(6))).toBe(2 ** 6 - 1)
  // Seven places in every order are 13699 lists: each alone, all but each, each prefix and each suffix instead.
  expect(outcomeCount(parts(7))).toBe(7 + 7 + 4 + 4 + 1)
})

test('of requests that cover the same bytes, only the last to arrive counts', () => {
  const twenty = Array.from({ length: 20 }, (_, index) => write(0, index + 1))
  expect(outcomeCount(twenty)).toBe(20)
  // 20 of the whole, 6 of the first half, in either order: a half is visible where it came last.
  const halves = Array.from({ length: 6 }, (_, index) => write(0, 100 + index, 256))
  expect(outcomeCount([...twenty, ...halves])).toBe(20 + 6 + 20 * 6)
})

test('zeroes behind the end change the length only; a discard does not even that', () => {
  expect(choices(filled(1, 512), [{ kind: 'zero', disk: 0, offset: 512, bytes: 1024 }])).toEqual([
    'cut 512, length 512 or 1536',
  ])
  expect(choices(filled(0, 512), [{ kind: 'discard', disk: 0, offset: 0, bytes: 512 }])).toEqual([
    'cut 512, length 512',
  ])
})

test('a shorter disk loses what lies behind its end, also what was written there before', () => {
  const doubtful: DiskChange[] = [write(512, 2), { kind: 'resize', disk: 0, length: 256 }, write(512, 3)]
  expect(choices(filled(1, 1024), doubtful)).toEqual(['512: 000 or 333', 'cut 256, length 256'])
  expect(choices(filled(1, 1024), doubtful, false)).toEqual(['512: 111 or 222 333', 'cut 1024, length 1024'])
})

test('a disk without changes has no choices', () => {
  expect(choicesAt({ number: 0, position: 0, durable: [filled(1, 512)], doubtful: [] }, () => true)).toEqual({
    lengths: [],
    sectors: [],
  })
})
