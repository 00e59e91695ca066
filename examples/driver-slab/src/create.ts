/** New slab images: an empty table, and a header in front of it. */

import { alignUp, BlockError, ceilDiv, type CreateContext, type OptionSchema } from '@blocklayer/block-core/driver'
import { capacityMax, checkHeader, dataOffset, encodeHeader, type SlabHeader } from './format.ts'

/** Creation options. */
export interface SlabCreateOptions {
  /** Bytes. The graph passes the size on its own, rounded; this row is what users write. */
  readonly size?: number | bigint
  /** Bytes; a power of two. Default 64 KiB. */
  readonly clusterSize?: number | bigint
  /** Bytes that the disk may grow to. Default: whatever fits the table, which is made in steps of 1024 clusters. */
  readonly maxSize?: number | bigint
}

/** The schema of `SlabCreateOptions`. */
export const slabCreateOptions: OptionSchema<SlabCreateOptions> = {
  size: { name: 'size', type: 'size', help: 'Virtual disk size' },
  clusterSize: { name: 'cluster_size', type: 'size', help: 'slab cluster size', default: '65536' },
  maxSize: { name: 'max_size', type: 'size', help: 'Size that the disk may grow to' },
}

/** Writes a new image into the context's file, which is empty. @throws BlockError as `checkHeader`, or `EFBIG` */
export async function createSlab(context: CreateContext, options: SlabCreateOptions): Promise<void> {
  const clusterBytes = Number(options.clusterSize ?? 65536)
  const size = Number(context.size)
  const wanted = ceilDiv(Math.max(size, Number(options.maxSize ?? 0)), Math.max(clusterBytes, 1))
  if (wanted > capacityMax) {
    throw new BlockError('EFBIG', `A slab image has at most ${capacityMax} clusters; use larger ones`)
  }
  const header: SlabHeader = { size, clusterBytes, capacity: Math.min(capacityMax, alignUp(Math.max(wanted, 1), 1024)) }
  checkHeader(header)
  const file = await context.file()
  // What is added to a file reads as zeroes, and zeroes are an empty table. The header comes last: without it this is no
  // image, so that one that was never finished is not taken for one.
  await file.truncate(dataOffset(header))
  await file.write(0, encodeHeader(header))
}
