/** Proves that clusters come back in guest order with their sizes, and that each is placed where nothing else is. */

import { expect, test } from 'vitest'
import { type PlacedCluster, Placer, StoredClusters } from '../../../src/features/stream-write/stored-clusters.ts'
import { makeGeometry } from '../../../src/format/geometry.ts'

const geometry = makeGeometry({ clusterBits: 9, extendedL2: false, refcountOrder: 1 })

const all = (at: PlacedCluster): number[][] => {
  const found: number[][] = []
  while (at.next()) found.push([at.cluster, at.host, at.compressedBytes])
  return found
}

test('clusters far apart come back in order, and count the tables that they need', () => {
  const stored = new StoredClusters(geometry, false)
  for (const cluster of [0, 1, 63, 64, 65_535, 65_536, 2 ** 33]) stored.add(cluster)
  expect(stored).toMatchObject({ count: 7, tableCount: 5 })
  expect(all(stored.placedFrom(512)).map(([cluster, host]) => [cluster, host])).toEqual([
    [0, 512],
    [1, 1024],
    [63, 1536],
    [64, 2048],
    [65_535, 2560],
    [65_536, 3072],
    [2 ** 33, 3584],
  ])
})

test('a cluster out of order is a mistake of the caller', () => {
  const stored = new StoredClusters(geometry, false)
  stored.add(5)
  expect(() => stored.add(5)).toThrow('clusters are stored in guest order')
})

test('compressed clusters share host clusters, whole ones begin at a boundary', () => {
  const stored = new StoredClusters(geometry, true)
  for (const [cluster, size] of [100, 100, 0, 511, 100].entries()) stored.add(cluster, size)
  expect(all(stored.placedFrom(512))).toEqual([
    [0, 512, 100],
    [1, 612, 100],
    [2, 1024, 0],
    [3, 1536, 511],
    [4, 2047, 100],
  ])
})

test('sizes of more clusters than one piece of the list holds', () => {
  const stored = new StoredClusters(geometry, true)
  for (let cluster = 0; cluster < 70_000; cluster++) stored.add(cluster, (cluster % 500) + 1)
  expect(all(stored.placedFrom(0)).every(([cluster = -1, , size]) => size === (cluster % 500) + 1)).toBe(true)
})

// Two bits count to three: the fourth in a cluster would be one too many, also where the first only reaches into it.
test('no host cluster is shared by more than its refcount can say', () => {
  const placer = new Placer(geometry, 0)
  expect([1, 2, 3, 4].map(() => placer.place(10))).toEqual([0, 10, 20, 512])
  const crossing = new Placer(geometry, 0)
  expect([500, 20, 1, 1, 1].map((bytes) => crossing.place(bytes))).toEqual([0, 500, 520, 521, 1024])
})
