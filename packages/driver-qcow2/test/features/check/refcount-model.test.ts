/** References are counted by the cluster, with the image's own width, within the file. */

import { random } from '@blocklayer/block-core/testing'
import { describe, expect, test } from 'vitest'
import { Findings } from '../../../src/features/check/findings.ts'
import { RefcountModel } from '../../../src/features/check/refcount-model.ts'
import { makeGeometry } from '../../../src/format/geometry.ts'
import { getRefcount, setRefcount } from '../../../src/format/refcount-bits.ts'

function model(options: { refcountOrder?: number; length?: number } = {}) {
  const geometry = makeGeometry({ clusterBits: 9, extendedL2: false, refcountOrder: options.refcountOrder ?? 4 })
  const findings = new Findings('none')
  const lines: string[] = []
  const file = { length: options.length ?? 10 * 512 }
  const parts = { geometry, findings, fileLength: () => file.length, report: (line: string) => void lines.push(line) }
  return { model: new RefcountModel(parts), findings, lines, file }
}

test('every cluster that a range touches is counted', () => {
  const { model: counts } = model()
  counts.add(500, 600)
  counts.add(1024, 1)
  counts.add(4000, 0)
  expect([0, 1, 2, 3, 7].map((cluster) => counts.get(cluster))).toEqual([1, 1, 2, 0, 0])
  expect(counts.get(1e9)).toBe(0)
})

test('a range may end behind the file by less than a cluster', () => {
  const { model: counts, findings, lines } = model({ length: 10 * 512 })
  counts.add(10 * 512, 511)
  expect(counts.get(10)).toBe(1)
  expect(counts.clusterCount).toBe(11)
  counts.add(10 * 512, 512)
  expect(findings.corruptions).toBe(1)
  const what = 'counting reference for region exceeding the end of the file by one cluster or more'
  expect(lines).toEqual([`ERROR: ${what}: offset 0x1400 size 0x200`])
})

test('a count that is too large for its width is a corruption', () => {
  const { model: counts, findings, lines } = model({ refcountOrder: 0 })
  counts.add(512, 512)
  counts.add(512, 512)
  expect(counts.get(1)).toBe(1)
  expect(findings.corruptions).toBe(1)
  expect(lines).toEqual([
    'ERROR: overflow cluster offset=0x200',
    'Use qemu-img amend to increase the refcount entry width or qemu-img convert to create a clean copy if the image ' +
      'cannot be opened for writing',
  ])
})

test('a file of too many clusters cannot be checked', () => {
  expect(() => model({ length: 2 ** 31 * 512 })).toThrow(expect.objectContaining({ code: 'EFBIG' }))
})

describe.each([0, 1, 2, 3, 4, 5, 6])('order %i', (refcountOrder) => {
  test('used clusters are found one by one', () => {
    const { model: counts } = model({ refcountOrder, length: 5000 * 512 })
    const used = [0, 7, 8, 63, 64, 1000, 4999]
    for (const cluster of used) counts.add(cluster * 512, 512)
    const found: number[] = []
    for (let at = counts.nextUsed(0); at >= 0; at = counts.nextUsed(at + 1)) found.push(at)
    expect(found).toEqual(used)
  })

  test('free clusters are taken from a place on, past the end if need be', () => {
    const { model: counts } = model({ refcountOrder, length: 20 * 512 })
    counts.add(0, 5 * 512)
    counts.add(7 * 512, 512)
    expect(counts.allocate(0)).toBe(5)
    expect(counts.allocate(0, 2)).toBe(8)
    counts.add(0, 20 * 512)
    expect(counts.allocate(0)).toBe(20)
    expect(counts.allocate(1e6)).toBe(1e6)
    expect(counts.get(1e6)).toBe(1)
  })

  // Against the plain way, cluster by cluster, for random counts and random blocks that differ in a few places.
  test('differences and the last used cluster are found by whole bytes', () => {
    const choose = random(7 + refcountOrder)
    for (let round = 0; round < 200; round++) {
      const clusters = 1 + choose.below(300)
      const { model: counts } = model({ refcountOrder, length: clusters * 512 })
      for (let each = choose.below(6); each > 0; each--) counts.add(choose.below(clusters) * 512, 512)
      const block = counts.block(0)
      const entries = Math.min(clusters, (512 * 8) >> refcountOrder)
      for (let each = choose.below(3); each > 0; each--) setRefcount(block, refcountOrder, choose.below(entries), 1)
      const from = choose.below(entries)
      const end = from + 1 + choose.below(entries - from)
      const given = choose.below(5) === 0 ? undefined : block
      const found = counts.firstDifference(given, from, end)
      const theirs = (at: number) => (given === undefined ? 0 : getRefcount(given, refcountOrder, at))
      let first = from
      while (first < end && counts.get(first) === theirs(first)) first++
      // Never past a difference, and always to it where counts are whole bytes.
      expect(found).toBeLessThanOrEqual(first)
      if (refcountOrder >= 3) expect(found).toBe(first)
      if (first === end && from % 8 === 0) expect(found).toBe(end)
      let last = end - 1
      while (last >= from && counts.get(last) === 0) last--
      expect(counts.lastUsed(from, end)).toBe(last < from ? -1 : last)
    }
  })

  test('a slice is a refcount block', () => {
    const { model: counts } = model({ refcountOrder })
    counts.add(0, 512)
    const block = counts.block(0)
    expect(block).toHaveLength(512)
    expect(block.some((byte) => byte !== 0)).toBe(true)
    expect(counts.block(1e6).every((byte) => byte === 0)).toBe(true)
  })
})

test('the end of a long file is reached at once, and takes no memory', () => {
  const { model: counts } = model({ length: 2 ** 31 * 512 - 512 })
  counts.add((2 ** 31 - 2) * 512, 512)
  expect([counts.nextUsed(0), counts.nextUsed(2 ** 31 - 1)]).toEqual([2 ** 31 - 2, -1])
  // Every look stays in its own block: looking back from each to the last used one would never end.
  let last = -1
  for (let first = 0; first < 1e6 * 256; first += 256) last = Math.max(last, counts.lastUsed(first, first + 256))
  expect(last).toBe(-1)
  expect(counts.lastUsed(2 ** 31 - 256, 2 ** 31 - 1)).toBe(2 ** 31 - 2)
  expect(counts.allocate(0, 1e6)).toBe(0)
})

test('the model follows the file', () => {
  const { model: counts, file } = model()
  counts.add(0, 512)
  file.length = 2000 * 512
  counts.followFile()
  expect([counts.clusterCount, counts.get(0)]).toEqual([2000, 1])
  file.length = 100
  counts.clear()
  expect([counts.clusterCount, counts.get(0)]).toEqual([1, 0])
})
