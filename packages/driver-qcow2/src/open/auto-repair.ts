/** Mending an image that was not closed properly, before anything is written to it. */

import { BlockError, toBlockError } from '@blocklayer/block-core/driver'
import { checkImage } from '../features/check/check.ts'
import type { CheckParts } from '../features/check/check-parts.ts'
import type { MetadataLock } from '../metadata/metadata-lock.ts'

/**
 * Repairs a dirty image: its refcounts may be too low, so that an allocation could hit clusters in use.
 *
 * What it finds and mends is reported as by a check. Corruption that it cannot mend does not stop the open.
 *
 * @throws BlockError `Could not repair dirty image: …`
 * @see QEMU 7.2 block/qcow2.c: qcow2_do_open
 */
export async function repairIfDirty(parts: CheckParts, lock: MetadataLock): Promise<void> {
  if (!parts.header.isDirty) return
  try {
    const result = await lock.run(() => checkImage(parts, { repair: 'all' }))
    if (result.checkErrors > 0) throw BlockError.fromErrno('EIO')
  } catch (error) {
    throw BlockError.withErrno(toBlockError(error).code, 'Could not repair dirty image', { cause: error })
  }
}
