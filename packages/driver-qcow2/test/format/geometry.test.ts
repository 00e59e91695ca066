/** Derived constants and index arithmetic hold for every cluster size and width, also past 2^32. */

import { describe, expect, test } from 'vitest'
import {
  clusterIndex,
  clusterOffset,
  clusterStart,
  clustersFor,
  guestOffset,
  hostOffset,
  isClusterAligned,
  l1Clusters,
  l1EntriesFor,
  l1Index,
  l2Index,
  makeGeometry,
  offsetInCluster,
  refblockIndex,
  refcountTableIndex,
} from '../../src/format/geometry.ts'

const KiB = 1024
const GiB = 2 ** 30

describe('constants', () => {
  test('default image', () => {
    const geometry = makeGeometry({ clusterBits: 16, extendedL2: false, refcountOrder: 4 })
    expect(geometry).toMatchObject({
      clusterSize: 65536,
      l2Entries: 8192,
      l2Coverage: 512 * 2 ** 20,
      entriesPerCluster: 8192,
      refcountBits: 16,
      refcountMax: 65535,
      refblockEntries: 32768,
      compressedShift: 54,
      compressedSectorsMax: 255,
      compressedOffsetLimit: 2 ** 54,
    })
  })

  // The table of the specification, column by column.
  test.each([
    [9, 61, 1],
    [12, 58, 4],
    [16, 54, 8],
    [21, 49, 13],
  ])('compressed entries with 2^%i clusters', (clusterBits, shift, countBits) => {
    const geometry = makeGeometry({ clusterBits, extendedL2: false, refcountOrder: 4 })
    expect(geometry.compressedShift).toBe(shift)
    expect(geometry.compressedSectorsMax).toBe(2 ** countBits - 1)
  })

  test('extended L2 entries halve the table and cut the cluster in 32', () => {
    const geometry = makeGeometry({ clusterBits: 16, extendedL2: true, refcountOrder: 4 })
    expect(geometry).toMatchObject({ l2EntrySize: 16, l2Entries: 4096, subclusterSize: 2 * KiB })
  })

  test.each([0, 1, 2, 3, 4, 5, 6])('refcount order %i', (refcountOrder) => {
    const geometry = makeGeometry({ clusterBits: 9, extendedL2: false, refcountOrder })
    expect(geometry.refblockEntries * geometry.refcountBits).toBe(512 * 8)
    expect(geometry.refcountMax).toBe(refcountOrder === 6 ? Number.MAX_SAFE_INTEGER : 2 ** (2 ** refcountOrder) - 1)
  })
})

describe('indices', () => {
  const geometry = makeGeometry({ clusterBits: 16, extendedL2: false, refcountOrder: 4 })
  const far = guestOffset(5 * 1024 * GiB + 3 * 65536 + 17)

  test('guest offsets past 2^32', () => {
    expect(l1Index(geometry, far)).toBe(10240)
    expect(l2Index(geometry, far)).toBe(3)
    expect(offsetInCluster(geometry, far)).toBe(17)
    expect(clusterStart(geometry, far)).toBe(far - 17)
    expect(isClusterAligned(geometry, far)).toBe(false)
    expect(isClusterAligned(geometry, far - 17)).toBe(true)
  })

  test('host clusters and their refcounts', () => {
    const cluster = clusterIndex(geometry, hostOffset(2 ** 40 + 5))
    expect(cluster).toBe(2 ** 24)
    expect(clusterOffset(geometry, cluster)).toBe(2 ** 40)
    expect(refcountTableIndex(geometry, cluster + 7)).toBe(512)
    expect(refblockIndex(geometry, cluster + 7)).toBe(7)
    expect(clustersFor(geometry, 65537)).toBe(2)
  })

  test('L1 sizes', () => {
    expect(l1EntriesFor(geometry, 0)).toBe(0)
    expect(l1EntriesFor(geometry, 1)).toBe(1)
    expect(l1EntriesFor(geometry, 1024 * GiB)).toBe(2048)
    expect(l1Clusters(geometry, 8193)).toBe(2)
  })
})
