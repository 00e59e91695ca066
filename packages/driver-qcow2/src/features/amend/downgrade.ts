/** From version 3 to version 2: nothing may be left that only version 3 can say, then one header write makes the change. */

import { BlockError } from '@blocklayer/block-core/driver'
import { exclusively } from '../../data/exclusive.ts'
import { headerBytesV2 } from '../../format/constants.ts'
import { noFeatures } from '../../format/features.ts'
import { refreshFlags, type SnapshotParts, underDirtyMark } from '../snapshot/snapshots.ts'
import { type ExpansionParts, ZeroExpansion } from './expand-zeroes.ts'
import type { AmendProgress } from './progress.ts'

/** What a downgrade changes. */
export interface DowngradeParts extends ExpansionParts {
  readonly state: SnapshotParts['state'] & { readonly backing: unknown; useLazyRefcounts: boolean }
}

/**
 * Makes a version 3 image, which `planAmend` has found fit for it, one of version 2.
 *
 * @throws BlockError of the file; the image then shows what it showed, with fewer zero flags
 * @see QEMU 7.2 block/qcow2.c: qcow2_downgrade
 */
export async function downgrade(parts: DowngradeParts, progress: AmendProgress): Promise<void> {
  const { header, caches, state } = parts
  await exclusively(parts, 0, Number.POSITIVE_INFINITY, async () => {
    const wasLazy = state.useLazyRefcounts
    try {
      // From here on refcounts are kept: version 2 has no mark for an image without them.
      state.useLazyRefcounts = false
      await caches.flush()
      await caches.markClean()
      await expand(parts, progress)
      await caches.flush()
      await caches.markClean()
      if (header.isDirty) {
        throw new BlockError('ENOTSUP', 'Cannot downgrade an image with incompatible features 0x1 set')
      }
      await header.rewriteLayout({ header: version2Header })
    } catch (error) {
      if (header.header.version === 3) state.useLazyRefcounts = wasLazy
      throw error
    }
  })
}

const version2Header = {
  version: 2,
  incompatibleFeatures: noFeatures,
  compatibleFeatures: noFeatures,
  autoclearFeatures: noFeatures,
  compressionType: 0,
  headerLength: headerBytesV2,
  unknownFields: new Uint8Array(0),
} as const

async function expand(parts: DowngradeParts, progress: AmendProgress): Promise<void> {
  const expansion = new ZeroExpansion(parts, progress)
  if (parts.state.snapshots.entries.length === 0) {
    await expansion.run()
    return
  }
  // Giving up shared clusters changes who owns them alone.
  await underDirtyMark(parts, async () => {
    await expansion.run()
    await refreshFlags(parts)
  })
}
