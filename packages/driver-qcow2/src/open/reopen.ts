/** Switching an open image between read-only and writable. */

import { BlockError, type ModeChange } from '@blocklayer/block-core/driver'
import { storeBitmaps } from '../features/bitmap/persistent.ts'
import { becomeWritable, type OpenImage } from './open-image.ts'

/**
 * Makes the image read-only, with nothing left to write, or writable, repaired if it has to be.
 *
 * @throws BlockError and the image stays as it was
 * @see QEMU 7.2 block/qcow2.c: qcow2_reopen_prepare
 */
export async function reopenImage(image: OpenImage, { readOnly }: ModeChange): Promise<void> {
  const { state, lock, caches, header } = image
  if (readOnly === state.readOnly) return
  if (readOnly) {
    await lock.run(async () => {
      await storeBitmaps(image)
      await caches.flush()
      await caches.markClean()
    })
    state.readOnly = true
    return
  }
  if (header.isCorrupt) throw new BlockError('EACCES', 'qcow2: Image is corrupt; cannot be opened read/write')
  state.readOnly = false
  try {
    await becomeWritable(image)
  } catch (error) {
    state.readOnly = true
    throw error
  }
}
