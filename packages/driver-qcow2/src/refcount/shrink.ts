/** Giving back refcount blocks that count nothing any more. */

import { toBlockError } from '@blocklayer/block-core/driver'
import { entryBytes } from '../format/constants.ts'
import { clusterIndex, refblockIndex, refcountTableIndex } from '../format/geometry.ts'
import { getRefcount } from '../format/refcount-bits.ts'
import type { DiscardQueue } from './discard-queue.ts'
import type { Refblocks } from './refblock.ts'
import type { Refcounts } from './refcounts.ts'

/** What shrinking the refcount structures is made of. */
export interface RefcountShrinkParts {
  readonly refblocks: Refblocks
  readonly refcounts: Refcounts
  readonly freed: DiscardQueue
}

/**
 * Unhooks every block whose counts are all zero, its count of itself left out, and gives its cluster back. The table
 * itself stays as long as it is. Nothing waits in the queue of freed clusters: a block must not go while clusters that
 * it counts are held back.
 *
 * @see QEMU 7.2 block/qcow2-refcount.c: qcow2_shrink_reftable
 */
export async function dropEmptyRefblocks({ refblocks, refcounts, freed }: RefcountShrinkParts): Promise<void> {
  const { table, geometry, cache } = refblocks
  const dropped: { readonly index: number; readonly cluster: number }[] = []
  const bytes = table.bytes.slice()
  for (let index = 0; index < table.entryCount; index++) {
    const offset = table.offsetOf(index)
    if (offset === 0) continue
    const cluster = clusterIndex(geometry, offset)
    const own = refcountTableIndex(geometry, cluster) === index ? refblockIndex(geometry, cluster) : -1
    if (!(await isEmptyBlock(refblocks, index, own))) continue
    bytes.fill(0, index * entryBytes, (index + 1) * entryBytes)
    dropped.push({ index, cluster })
  }
  if (dropped.length === 0) return
  // Each entry changes as a whole, and a block that counts nothing may be there or not: no order matters before this.
  try {
    await table.storeAll(bytes)
  } catch (error) {
    const gone = dropped.filter(({ index }) => table.offsetOf(index) === 0)
    holdBack(
      { refblocks, freed },
      gone.map(({ cluster }) => cluster),
    )
    throw toBlockError(error)
  }
  for (const { cluster } of dropped) {
    cache.forget(cluster * geometry.clusterSize)
    if ((await refblocks.offsetFor(cluster)) === 0) await freed.punch(cluster, 1, 'always')
    else await refcounts.update({ first: cluster, clusterCount: 1, delta: -1, discard: 'always', unlinked: 'on-disk' })
  }
}

/** Not all was written, or flushed: what was dropped must not be written any more, nor be used again before a flush. */
function holdBack({ refblocks, freed }: Pick<RefcountShrinkParts, 'refblocks' | 'freed'>, clusters: number[]): void {
  for (const cluster of clusters) {
    refblocks.cache.forget(cluster * refblocks.geometry.clusterSize)
    freed.add(cluster, 1, 'always')
  }
}

/** @param own - number of the block's count of itself, or -1 where another block counts it */
async function isEmptyBlock(refblocks: Refblocks, index: number, own: number): Promise<boolean> {
  const { geometry } = refblocks
  const block = await refblocks.load(index * geometry.refblockEntries)
  if (block === undefined) return false
  for (let entry = 0; entry < geometry.refblockEntries; entry++) {
    const count = getRefcount(block, geometry.refcountOrder, entry)
    if (count !== (entry === own ? 1 : 0)) return false
  }
  return true
}
