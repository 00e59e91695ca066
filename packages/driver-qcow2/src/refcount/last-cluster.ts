/** Where the used part of the file ends. */

import { refblockIndex } from '../format/geometry.ts'
import { getRefcount } from '../format/refcount-bits.ts'
import type { Refblocks } from './refblock.ts'

/**
 * Number of the last cluster below `clusterCount` that is in use; -1 where none is.
 *
 * @throws BlockError where a refcount block cannot be read
 * @see QEMU 7.2 block/qcow2-refcount.c: qcow2_get_last_cluster
 */
export async function lastUsedCluster(refblocks: Refblocks, clusterCount: number): Promise<number> {
  const { refblockEntries, refcountOrder } = refblocks.geometry
  for (let end = clusterCount; end > 0; ) {
    const count = refblockIndex(refblocks.geometry, end - 1) + 1
    const block = await refblocks.load(end - 1)
    if (block !== undefined) {
      for (let index = count - 1; index >= 0; index--) {
        if (getRefcount(block, refcountOrder, index) > 0) return end - count + index
      }
    }
    end -= Math.min(count, refblockEntries)
  }
  return -1
}
