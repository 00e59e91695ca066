/** What a mirror has to copy at its start. */

import { assert, type BlockNode, chainAllocation, type DirtyBitmap } from '@blocklayer/block-core'
import type { BlockJob } from '../block-job.ts'

/** Longest run asked for at once: a multiple of every granularity. */
const stepMax: number = 2 ** 30

/**
 * Marks what is allocated in `top` or between it and `base`. Writes of the guest meanwhile mark themselves.
 *
 * @param base - exclusive; `undefined`: the whole chain counts
 * @throws BlockError where the images' mapping cannot be read
 * @see spec/jobs.md, section 17.4
 */
export async function markAllocated(
  job: BlockJob,
  bitmap: DirtyBitmap,
  top: BlockNode,
  base: BlockNode | undefined,
): Promise<void> {
  const { length } = top
  for (let at = 0; at < length && !job.isForceCancelled; ) {
    if (job.sliceOver) await job.sleep(0)
    else if (job.shouldPause) await job.pausePoint()
    const { bytes, allocated } = await chainAllocation(top, base, at, Math.min(length - at, stepMax), false)
    assert(bytes > 0, `node '${top.nodeName}' has a run of no length`)
    if (allocated) bitmap.markDirty(at, bytes)
    at += bytes
  }
}
