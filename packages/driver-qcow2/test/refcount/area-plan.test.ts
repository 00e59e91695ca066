/** Proves the arithmetic of a larger refcount table, with the reference's own layouts as examples. */

import { expect, test } from 'vitest'
import { makeGeometry } from '../../src/format/geometry.ts'
import { planRefcountArea, refcountMetadataFor } from '../../src/refcount/area-plan.ts'
import { failureOf } from '../helpers/open-on.ts'

const small = makeGeometry({ clusterBits: 9, extendedL2: false, refcountOrder: 6 })
const usual = makeGeometry({ clusterBits: 16, extendedL2: false, refcountOrder: 4 })

test("the reference's example: table full at 2 MiB with 512-byte clusters and 64-bit refcounts", () => {
  // Observed: blocks at 0x208000 and 0x208200, the table at 0x208400, two clusters long.
  const plan = planRefcountArea(small, 0x200400 / 512 + 1, (index) => index < 64)
  expect(plan.blocks.map(({ index, cluster, isNew }) => [index, cluster * 512, isNew])).toEqual([
    [65, 0x208000, true],
    [66, 0x208200, true],
  ])
  expect([plan.tableFirst * 512, plan.tableClusters]).toEqual([0x208400, 2])
  expect(plan.blocks.map(({ countFirst, countEnd }) => [countFirst * 512, countEnd * 512])).toEqual([
    [0x208000, 0x208800],
    [0x210000, 0x208800],
  ])
})

test('blocks that exist are kept and count the area too', () => {
  const plan = planRefcountArea(small, 4161, (index) => index === 66)
  expect(plan.blocks[0]).toMatchObject({ index: 66, isNew: false, countFirst: 66 * 64 })
})

test.each([small, usual])('metadata counts what it is for, and itself', (geometry) => {
  for (const clusters of [1, 63, 64, 65, 4000, 123457, 10_000_000]) {
    for (const generous of [false, true]) {
      const { blocks, tableClusters } = refcountMetadataFor(geometry, clusters, generous)
      expect(blocks * geometry.refblockEntries).toBeGreaterThanOrEqual(clusters + blocks + tableClusters)
      expect(tableClusters * geometry.entriesPerCluster).toBeGreaterThanOrEqual(blocks)
    }
  }
})

test('a table that could not be opened again is refused', async () => {
  const clusters = 1024 * 1024 * 64
  expect(await failureOf(() => planRefcountArea(small, clusters, () => false))).toBe('EFBIG File too large')
})
