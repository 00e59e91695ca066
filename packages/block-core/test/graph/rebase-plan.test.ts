// What a rebase must look at: exactly the ranges that show the old backing file, and of those only what the new one may
// show differently; and where two buffers differ.
import { beforeEach, describe, expect, test } from 'vitest'
import type { BlockNode } from '../../src/driver.ts'
import { type ByteRun, differingRuns, rebaseRuns } from '../../src/graph/rebase-plan.ts'
import { random, seeds } from '../../src/testing/seed.ts'
import { type World, world } from '../helpers/world.ts'

const KiB = 1024
let at: World
beforeEach(async () => {
  at = world()
  await at.graph.create('toy', 'base', { size: 64 * KiB })
  await at.graph.create('toy', 'mid', { size: 48 * KiB, backing: { filename: 'base', format: 'toy' } })
  await at.graph.create('toy', 'top', { size: 64 * KiB, backing: { filename: 'mid', format: 'toy' } })
  await write('mid', 8)
  await write('mid', 40)
  await write('top', 4)
  return () => at.graph.close()
})

async function write(name: string, offset: number): Promise<void> {
  await using disk = await at.graph.open(name)
  await disk.write(offset * KiB, new Uint8Array(4 * KiB).fill(1))
}

async function runs(options: Parameters<typeof rebaseRuns>[1] = {}): Promise<[number, number][]> {
  const { root } = await at.graph.open('top', { readOnly: true })
  return inKiB(rebaseRuns(root, options))
}

async function inKiB(found: AsyncGenerator<ByteRun>): Promise<[number, number][]> {
  const list: [number, number][] = []
  for await (const { offset, bytes } of found) list.push([offset / KiB, bytes / KiB])
  return list
}

test('a stranger, or none: all that the overlay does not hold', async () => {
  expect(await runs()).toEqual([
    [0, 4],
    [8, 56],
  ])
})

test('in steps', async () => {
  expect(await runs({ maxBytes: 32 * KiB })).toEqual([
    [0, 4],
    [8, 32],
    [40, 24],
  ])
})

test('an image of the old chain: only what lies above it, and what lies past the old end', async () => {
  const { root } = await at.graph.open('top', { readOnly: true })
  const kept = root.backing?.backing as BlockNode
  expect(await inKiB(rebaseRuns(root, { kept }))).toEqual([
    [8, 4],
    [40, 4],
    [48, 16],
  ])
})

test('an image without a backing file shows zeroes, which the new one may not', async () => {
  const { root } = await at.graph.open('base', { readOnly: true })
  expect(await inKiB(rebaseRuns(root))).toEqual([[0, 64]])
})

describe('differing runs', () => {
  const list = (a: number[], b: number[], unit: number) =>
    [...differingRuns(Uint8Array.from(a), Uint8Array.from(b), unit)].map(({ offset, bytes }) => [offset, bytes])

  test('whole units, the last one shorter', () => {
    expect(list([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], 2)).toEqual([])
    expect(list([1, 2, 3, 4, 5], [1, 0, 0, 4, 5], 2)).toEqual([[0, 4]])
    expect(list([1, 2, 3, 4, 5], [0, 2, 3, 4, 0], 2)).toEqual([
      [0, 2],
      [4, 1],
    ])
    expect([...differingRuns(new Uint8Array(1024), new Uint8Array(1024).fill(1, 600, 601))]).toEqual([
      { offset: 512, bytes: 512 },
    ])
  })

  test.each(seeds(1))('they cover each difference, and nothing that is equal (seed %i)', (seed) => {
    const choose = random(seed)
    for (let round = 0; round < 200; round++) {
      const a = Uint8Array.from({ length: 64 }, () => choose.below(2))
      const b = Uint8Array.from({ length: 64 }, () => choose.below(2))
      const unit = 1 + choose.below(8)
      const inRun = new Set<number>()
      for (const { offset, bytes } of differingRuns(a, b, unit)) for (let i = 0; i < bytes; i++) inRun.add(offset + i)
      for (let at = 0; at < 64; at += unit) {
        const differs = a.subarray(at, at + unit).some((byte, i) => byte !== b[at + i])
        expect([at, inRun.has(at)]).toEqual([at, differs])
      }
    }
  })
})
