/** Proves what the tables of a small image say, entry by entry. */

import { expect, test } from 'vitest'
import { encodeTables } from '../../../src/features/stream-write/encode-tables.ts'
import { StoredClusters } from '../../../src/features/stream-write/stored-clusters.ts'
import { planTables } from '../../../src/features/stream-write/table-plan.ts'
import { makeGeometry } from '../../../src/format/geometry.ts'
import { getRefcount } from '../../../src/format/refcount-bits.ts'

const entry = (bytes: Uint8Array | undefined, index: number): string =>
  Buffer.from(bytes?.subarray(index * 8, index * 8 + 8) ?? []).toString('hex')

test('refcount table, L1 table, L2 tables and refcount block in front of the data', () => {
  const geometry = makeGeometry({ clusterBits: 9, extendedL2: false, refcountOrder: 4 })
  const stored = new StoredClusters(geometry, true)
  stored.add(1, 100)
  stored.add(2, 0)
  stored.add(64, 500)
  stored.add(65, 20)
  const plan = planTables(geometry, { length: 65_536, l2Tables: 2, dataClusters: 4, tablesStart: 1 })
  const tables = [...encodeTables({ geometry, plan, stored })].map((bytes) => bytes.slice())
  // L2 tables share a buffer, so that each is only good until the next: these were taken one at a time.
  expect(tables.length).toBe(plan.tablesEnd - 1)
  const taken = [...encodeTables({ geometry, plan, stored })]
  expect(taken[2]).toBe(taken[3])
  expect([entry(tables[0], 0), entry(tables[0], 1)]).toEqual(['0000000000000a00', '0000000000000000'])
  expect([entry(tables[1], 0), entry(tables[1], 1)]).toEqual(['8000000000000600', '8000000000000800'])
})

test('L2 entries and counts as they are taken one at a time', () => {
  const geometry = makeGeometry({ clusterBits: 9, extendedL2: false, refcountOrder: 4 })
  const stored = new StoredClusters(geometry, true)
  stored.add(1, 100)
  stored.add(2, 0)
  stored.add(64, 500)
  stored.add(65, 20)
  const plan = planTables(geometry, { length: 65_536, l2Tables: 2, dataClusters: 4, tablesStart: 1 })
  const seen: Uint8Array[] = []
  for (const bytes of encodeTables({ geometry, plan, stored })) seen.push(bytes.slice())
  expect([0, 1, 2].map((index) => entry(seen[2], index))).toEqual([
    '0000000000000000',
    '4000000000000c00',
    '8000000000000e00',
  ])
  // 500 bytes at 0x1000, then 20 from 0x11f4 into the next sector.
  expect([0, 1].map((index) => entry(seen[3], index))).toEqual(['4000000000001000', '60000000000011f4'])
  const counts = Array.from({ length: 11 }, (_, cluster) => getRefcount(seen[4]!, 4, cluster))
  expect(counts).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 0])
})

test('an entry with subclusters says that all are allocated', () => {
  const geometry = makeGeometry({ clusterBits: 14, extendedL2: true, refcountOrder: 4 })
  const stored = new StoredClusters(geometry, false)
  stored.add(3)
  const plan = planTables(geometry, { length: 65_536, l2Tables: 1, dataClusters: 1, tablesStart: 1 })
  const [, , l2] = [...encodeTables({ geometry, plan, stored })]
  expect([entry(l2, 6), entry(l2, 7)]).toEqual(['8000000000014000', '00000000ffffffff'])
})

test('a compressed cluster that reaches into the next refcount block counts in both', () => {
  const geometry = makeGeometry({ clusterBits: 9, extendedL2: false, refcountOrder: 6 })
  const stored = new StoredClusters(geometry, true)
  // 64 clusters to a block; the data begins at cluster 1, and 500 bytes each drift over its end.
  for (let cluster = 0; cluster < 70; cluster++) stored.add(cluster, 500)
  const needs = { length: 70 * 512, l2Tables: 2, dataClusters: 69, dataStart: 1, tablesStart: 70 }
  const plan = planTables(geometry, needs)
  const tables: Uint8Array[] = []
  for (const bytes of encodeTables({ geometry, plan, stored })) tables.push(bytes.slice())
  const [first, second] = tables.slice(-2)
  const [last, next] = [getRefcount(first!, 6, 63), getRefcount(second!, 6, 0)]
  expect([last, next]).toEqual([2, 2])
})
