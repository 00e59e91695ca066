/** Sizes and places of a larger refcount table and of the blocks that count it: pure arithmetic. */

import { BlockError } from '@blocklayer/block-core/driver'
import { limits } from '../format/constants.ts'
import type { Geometry } from '../format/geometry.ts'

/** How much room refcounts take. */
export interface RefcountMetadata {
  readonly blocks: number
  readonly tableClusters: number
}

/**
 * Refcount blocks and table clusters that count `clusters` clusters and themselves.
 *
 * @param generous - with room for the table to grow by half before it is full again
 * @see QEMU 7.2 block/qcow2-refcount.c: qcow2_refcount_metadata_size
 */
export function refcountMetadataFor(geometry: Geometry, clusters: number, generous: boolean): RefcountMetadata {
  let wanted = clusters
  let spare = generous
  let blocks = 0
  let tableClusters = 0
  for (;;) {
    const newBlocks = Math.ceil((wanted + tableClusters + blocks) / geometry.refblockEntries)
    const newTable = Math.ceil(newBlocks / geometry.entriesPerCluster)
    const stable = newBlocks === blocks && newTable === tableClusters
    blocks = newBlocks
    tableClusters = newTable
    if (!stable) continue
    if (!spare) return { blocks, tableClusters }
    wanted += Math.ceil(tableClusters / 2)
    spare = false
  }
}

/** A refcount block of the area. */
export interface AreaBlock {
  /** Its entry in the refcount table. */
  readonly index: number
  /** Number of the cluster it lies in, where it is new. */
  readonly cluster: number
  /** `false`: the block exists already. */
  readonly isNew: boolean
  /** Clusters of the area that it counts, as half-open range of cluster numbers; empty where it counts none. */
  readonly countFirst: number
  readonly countEnd: number
}

/** The area: new blocks, then the table behind them. */
export interface AreaPlan {
  readonly blocks: readonly AreaBlock[]
  /** Cluster number of the table. */
  readonly tableFirst: number
  readonly tableClusters: number
}

/**
 * Lays out a larger refcount table behind everything that exists.
 *
 * @param firstCluster - first cluster that may be used; the area begins with the next range that is one block's own
 * @param hasBlock - whether the table has a block for this index already
 * @throws BlockError `EFBIG` where the table would have more entries than the reference accepts
 */
export function planRefcountArea(
  geometry: Geometry,
  firstCluster: number,
  hasBlock: (index: number) => boolean,
): AreaPlan {
  const { refblockEntries } = geometry
  const firstIndex = Math.ceil(firstCluster / refblockEntries)
  const start = firstIndex * refblockEntries
  const { blocks: blockCount } = refcountMetadataFor(geometry, start, true)
  const entryCount = blockCount + Math.ceil(blockCount / 2)
  // The reference compares entries with a limit of bytes; a table that it could not open again is no use to anyone.
  const tableClusters = Math.ceil(entryCount / geometry.entriesPerCluster)
  if (tableClusters * geometry.clusterSize > limits.refcountTableBytes) throw BlockError.fromErrno('EFBIG')
  let next = start
  const places: { index: number; cluster: number; isNew: boolean }[] = []
  for (let index = firstIndex; index < blockCount; index++) {
    const isNew = !hasBlock(index)
    places.push({ index, cluster: isNew ? next++ : 0, isNew })
  }
  const end = next + tableClusters
  const blocks = places.map((place) => ({
    ...place,
    countFirst: Math.max(start, place.index * refblockEntries),
    countEnd: Math.max(start, Math.min(end, (place.index + 1) * refblockEntries)),
  }))
  return { blocks, tableFirst: next, tableClusters }
}
