/** Making a disk longer. */

import { BlockError, type TruncateOptions, toBlockError } from '@blocklayer/block-core/driver'
import type { Writer } from '../../data/write.ts'
import { type Geometry, guestOffset, l1EntriesFor } from '../../format/geometry.ts'
import type { L1Table } from '../../mapping/l1-table.ts'
import type { Zeroizer } from '../../mapping/zeroize.ts'
import type { HeaderStore } from '../../metadata/header-store.ts'
import type { MetadataCaches } from '../../metadata/metadata-caches.ts'
import type { MetadataLock } from '../../metadata/metadata-lock.ts'

/** What resizing is made of. */
export interface ResizeParts {
  readonly geometry: Geometry
  readonly lock: MetadataLock
  readonly header: HeaderStore
  readonly caches: MetadataCaches
  readonly l1: L1Table
  readonly zeroizer: Zeroizer
  readonly writer: Writer
  /** Gives the caches the sizes that go with the disk's; the lock is held. */
  fitCaches(): Promise<void>
}

/**
 * Changes the virtual size. The metadata lock is free on entry.
 *
 * @param length - new size in bytes
 * @throws BlockError with the reference's messages; `ENOTSUP` for what this version does not do: shrinking, and
 *   preallocation of the new part
 * @see QEMU 7.2 block/qcow2.c: qcow2_co_truncate
 */
export async function truncateImage(
  parts: ResizeParts,
  length: number,
  options: Required<TruncateOptions>,
): Promise<void> {
  const { header } = parts.header
  if (length % 512 !== 0) throw new BlockError('EINVAL', 'The new size must be a multiple of 512')
  if (header.nbSnapshots > 0 && header.version < 3) {
    throw new BlockError('ENOTSUP', "Can't resize a v2 image which has snapshots")
  }
  if (length < header.size) {
    throw new BlockError('ENOTSUP', 'Shrinking qcow2 images is not supported by this version of Blocklayer')
  }
  if (options.preallocation !== 'off') {
    throw new BlockError(
      'ENOTSUP',
      'Preallocating a resized qcow2 image is not supported by this version of Blocklayer',
    )
  }
  await grow(parts, length, options.zeroNewArea)
}

async function grow(parts: ResizeParts, length: number, zeroNewArea: boolean): Promise<void> {
  const { geometry, lock, header, caches, l1, writer } = parts
  const oldLength = header.header.size
  await lock.run(async () => {
    await named('Failed to grow the L1 table', () => l1.grow(l1EntriesFor(geometry, length), true))
    if (zeroNewArea) await zeroWholeClusters(parts, oldLength, length)
  })
  if (zeroNewArea) {
    // The rest of the last old cluster may show more of the backing file than was visible until now.
    const end = Math.min(length, Math.ceil(oldLength / geometry.clusterSize) * geometry.clusterSize)
    const gap = new Uint8Array(end - oldLength)
    await named('Failed to zero out the new area', () => writer.write(oldLength, gap))
  }
  await lock.run(async () => {
    // The reference makes the size durable first: after a power cut the backing file shows in the new area.
    if (zeroNewArea) await caches.flush()
    await named('Failed to update the image size', () => header.storeSize(length))
    await parts.fitCaches()
  })
}

async function zeroWholeClusters({ geometry, zeroizer }: ResizeParts, from: number, to: number): Promise<void> {
  const start = Math.ceil(from / geometry.clusterSize) * geometry.clusterSize
  if (start >= to) return
  await named('Failed to zero out new clusters', () =>
    zeroizer.zeroize(guestOffset(start), to - start, { mayUnmap: false }),
  )
}

/** Runs `step`; a failure is reported as `<text>: <text of its code>`. */
async function named(text: string, step: () => Promise<void>): Promise<void> {
  try {
    await step()
  } catch (error) {
    throw BlockError.withErrno(toBlockError(error).code, text, { cause: error })
  }
}
