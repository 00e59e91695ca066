/** Switching an open image between read-only and writable. */

import { BlockError, type ModeChange, toBlockError } from '@blocklayer/block-core/driver'
import { markBitmapsInUse, storeBitmaps } from '../features/bitmap/persistent.ts'
import { becomeWritable, type OpenImage } from './open-image.ts'

/**
 * Makes the image read-only, with nothing left to write, or writable, repaired if it has to be.
 *
 * @throws BlockError and the image stays as it was
 * @see QEMU 7.2 block/qcow2.c: qcow2_reopen_prepare
 */
export async function reopenImage(image: OpenImage, { readOnly }: ModeChange): Promise<void> {
  const { state, lock, header } = image
  if (readOnly === state.readOnly) return
  if (readOnly) {
    await lock.run(() => settle(image))
    state.readOnly = true
    return
  }
  if (state.showsSnapshot)
    throw new BlockError('EACCES', 'A snapshot is shown in place of the disk; it cannot be written')
  if (header.isCorrupt) throw new BlockError('EACCES', 'qcow2: Image is corrupt; cannot be opened read/write')
  state.readOnly = false
  try {
    await becomeWritable(image)
  } catch (error) {
    state.readOnly = true
    throw error
  }
}

/** Nothing is left to write. After a failure the image goes on being written, so that no bitmap on disk may be trusted. */
async function settle(image: OpenImage): Promise<void> {
  const { caches, file } = image
  try {
    await storeBitmaps(image)
    await caches.flush()
    await caches.markClean()
  } catch (error) {
    try {
      await markBitmapsInUse(image)
    } catch (second) {
      // Neither read-only nor fit to be written: the next write would not show in bitmaps that the disk vouches for.
      image.reportError(`Could not mark the bitmaps as in use: ${toBlockError(second).message}`)
      file.eject()
    }
    throw toBlockError(error)
  }
}
