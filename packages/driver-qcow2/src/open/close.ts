/** Closing an image: everything cached reaches the disk, or the user hears of it. */

import { toBlockError } from '@blocklayer/block-core/driver'
import { storeBitmaps } from '../features/bitmap/persistent.ts'
import type { TableCache } from '../metadata/table-cache.ts'
import type { OpenImage } from './open-image.ts'

/**
 * Writes back both caches and, if that went well, the mark that the image was closed properly.
 *
 * Failures are reported and not thrown: the user's request to close is fulfilled in any case, and what could not be
 * written is a leak, or a dirty mark that the next open repairs.
 *
 * @see QEMU 7.2 block/qcow2.c: qcow2_inactivate
 */
export async function closeImage(image: OpenImage): Promise<void> {
  const { state, lock, caches, cleaner } = image
  cleaner.stop()
  if (state.readOnly) return
  await lock.run(async () => {
    await stored(image)
    const l2 = await flushed(image, caches.l2Tables, 'L2 table cache')
    const refblocks = await flushed(image, caches.refblocks, 'refcount block cache')
    if (!l2 || !refblocks) return
    try {
      await caches.markClean()
    } catch (error) {
      image.reportError(`Failed to mark the image clean: ${toBlockError(error).message}`)
    }
  })
}

/** Without this, the bitmaps on disk stay marked as in use: lost, but nobody trusts them. */
async function stored(image: OpenImage): Promise<void> {
  try {
    await storeBitmaps(image)
  } catch (error) {
    const { message } = toBlockError(error)
    image.reportError(`Lost persistent bitmaps during inactivation of node '${image.nodeName}': ${message}`)
  }
}

async function flushed(image: OpenImage, cache: TableCache, title: string): Promise<boolean> {
  try {
    await cache.flush()
    return true
  } catch (error) {
    image.reportError(`Failed to flush the ${title}: ${toBlockError(error).errnoText}`)
    return false
  }
}
