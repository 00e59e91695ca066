/** Proves that the last cluster in use is found, across blocks and where none counts. */

import { expect, test } from 'vitest'
import { lastUsedCluster } from '../../src/refcount/last-cluster.ts'
import { newImage } from '../helpers/disk.ts'
import { MemoryChild } from '../helpers/memory-child.ts'
import { openOn } from '../helpers/open-on.ts'

test('the last cluster that is counted', async () => {
  const { image } = await openOn(new MemoryChild(await newImage(1024 * 1024, { clusterSize: 512, refcountBits: 64 })))
  const { refblocks, refcounts } = image
  // Header, refcount table, refcount block, L1 table of 256 entries in four clusters.
  const used = await lastUsedCluster(refblocks, 1000)
  expect(await refcounts.get(used)).toBe(1)
  expect(await refcounts.get(used + 1)).toBe(0)
  while ((await refcounts.increment(500, 2)) === 'again');
  expect(await lastUsedCluster(refblocks, 1000)).toBeGreaterThanOrEqual(501)
  expect(await lastUsedCluster(refblocks, 501)).toBe(500)
  expect(await lastUsedCluster(refblocks, 64)).toBeLessThan(64)
  expect(await lastUsedCluster(refblocks, 0)).toBe(-1)
})
