/** The sizes a mirror works with, from what the target is. */

import { type BlockNode, clusterSizeOf } from '@blocklayer/block-core'

/** Memory for copies in bytes. @see QEMU 7.2 block/mirror.c: DEFAULT_MIRROR_BUF_SIZE */
const bufferBytes: number = 16 * 2 ** 20

/** Longest data copy in bytes. @see spec/jobs.md, section 17.1 */
export const copyMax: number = Math.max(bufferBytes / 16, 2 ** 20)

/**
 * Most bytes taken from the dirty bitmap at once. Their block status is asked for as one run, so that a long run costs
 * one question; a cancelled or paused job gets no further than to their end.
 */
export const claimMax: number = 64 * 2 ** 20

const granularityMin = 4096
const granularityMax = 65536

/** Sizes in bytes; all are powers of two but `length`. */
export interface CopyGeometry {
  /** Of the disk. */
  readonly length: number
  /** What one bit of the dirty bitmap stands for. */
  readonly granularity: number
  /** Copies start and end at multiples. */
  readonly unit: number
  /** Zeroing and discarding start and end at multiples. */
  readonly cluster: number
}

/** Pure: what one dirty bit stands for. @param cluster - the target's cluster size; `undefined`: it has none */
export function defaultGranularity(cluster: number | undefined): number {
  return Math.min(Math.max(cluster ?? granularityMax, granularityMin), granularityMax)
}

/** How to copy `length` bytes to `target`. */
export function copyGeometry(target: BlockNode, length: number): CopyGeometry {
  const cluster = clusterSizeOf(target)
  const granularity = defaultGranularity(cluster)
  // Where the backing file is not open the target cannot fill up a cluster that is written in part: write it whole.
  const cannotFill = target.backingReference !== undefined && target.backing === undefined
  const unit = cannotFill ? Math.max(granularity, cluster ?? 0) : granularity
  return { length, granularity, unit, cluster: cluster ?? 1 }
}
