/** Proves that tables lie behind each other, that every cluster in use is counted, and that gaps are not. */

import { expect, test } from 'vitest'
import { planTables } from '../../../src/features/stream-write/table-plan.ts'
import { makeGeometry } from '../../../src/format/geometry.ts'

const geometry = makeGeometry({ clusterBits: 16, extendedL2: false, refcountOrder: 4 })
const TiB = 2 ** 40

test('tables in front of the data', () => {
  const plan = planTables(geometry, { length: TiB, l2Tables: 4, dataClusters: 32_768, tablesStart: 1 })
  expect(plan).toMatchObject({ refcountTableStart: 1, refcountTableClusters: 1, l1Start: 2, l2Start: 3, l1Size: 2048 })
  expect(plan).toMatchObject({ refblocksStart: 7, refblocks: [0, 1], tablesEnd: 9, dataStart: 9, dataEnd: 32_777 })
})

test('tables far behind the data: what lies between has no refcount blocks', () => {
  const needs = { length: TiB, l2Tables: 1, dataClusters: 100, dataStart: 1, tablesStart: 2 ** 24 }
  expect(planTables(geometry, needs).refblocks).toEqual([0, 512])
})

test('small clusters need a refcount table of several, and it keeps the length that was promised', () => {
  const small = makeGeometry({ clusterBits: 9, extendedL2: false, refcountOrder: 6 })
  const needs = { length: 2 ** 26, l2Tables: 2048, dataClusters: 131_072, tablesStart: 1 }
  const plan = planTables(small, needs)
  expect(plan.refblocks.length * small.refblockEntries).toBeGreaterThanOrEqual(plan.dataEnd)
  expect(plan.refcountTableClusters * 64).toBeGreaterThanOrEqual(plan.refblocks.length)
  const longer = planTables(small, { ...needs, refcountTableClustersMin: 1000 })
  expect(longer).toMatchObject({ refcountTableClusters: 1000, l1Start: 1001 })
})

test('a disk that the format cannot hold is refused', () => {
  const small = makeGeometry({ clusterBits: 9, extendedL2: false, refcountOrder: 4 })
  const message = "The image size is too large for file format 'qcow2' (try using a larger cluster size)"
  expect(() => planTables(small, { length: TiB, l2Tables: 0, dataClusters: 0, tablesStart: 1 })).toThrow(message)
  const wide = makeGeometry({ clusterBits: 9, extendedL2: false, refcountOrder: 6 })
  const full = { length: 2 ** 37, l2Tables: 2 ** 22, dataClusters: 2 ** 28, tablesStart: 1 }
  expect(() => planTables(wide, full)).toThrow(message)
})
