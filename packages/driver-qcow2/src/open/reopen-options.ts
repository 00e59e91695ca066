/** New runtime options for an open image: judged as at open, taken over when everybody agrees. */

import { BlockError, type PreparedReopen, type ReopenChange, toBlockError } from '@blocklayer/block-core/driver'
import type { OpenImage } from './open-image.ts'
import type { Qcow2Options } from './options.ts'
import { reopenImage } from './reopen.ts'
import { judgeRuntimeOptions, type RuntimeSettings } from './runtime-options.ts'

/**
 * Judges new options, and makes the image read-only where it is to be: what it still has to write must reach the file
 * while that takes it. It becomes writable when the change is committed, since its file does so before it.
 *
 * @throws BlockError as `judgeRuntimeOptions` and `reopenImage`; `Failed to disable lazy refcounts: …`
 * @see QEMU 7.2 block/qcow2.c: qcow2_reopen_prepare, qcow2_reopen_commit, qcow2_reopen_commit_post
 */
export async function prepareReopen(image: OpenImage, change: ReopenChange): Promise<PreparedReopen> {
  const options = (change.options as Qcow2Options | undefined) ?? image.options
  const { geometry, state } = image
  const settings = judgeRuntimeOptions(options, { header: image.header.header, geometry, flags: change.flags })
  const wasReadOnly = state.readOnly
  if (!wasReadOnly) await settle(image, settings)
  if (change.readOnly) await reopenImage(image, { readOnly: true })
  return {
    commit: async () => {
      await applySettings(image, settings, options)
      await reopenImage(image, { readOnly: change.readOnly })
    },
    abort: () => reopenImage(image, { readOnly: wasReadOnly }),
  }
}

/** The caches hold nothing that would have to be written when they get another shape. */
async function settle({ state, lock, caches }: OpenImage, settings: RuntimeSettings): Promise<void> {
  await lock.run(async () => {
    await caches.flush()
    if (!state.useLazyRefcounts || settings.useLazyRefcounts) return
    try {
      await caches.markClean()
    } catch (error) {
      throw BlockError.withErrno(toBlockError(error).code, 'Failed to disable lazy refcounts', { cause: error })
    }
  })
}

async function applySettings(image: OpenImage, settings: RuntimeSettings, options: Qcow2Options): Promise<void> {
  const { state, overlap, freed, dataFreed, lock } = image
  image.options = options
  image.settings = settings
  state.useLazyRefcounts = settings.useLazyRefcounts
  state.keepsPlaces = settings.keepsPlaces
  overlap.configure(settings.overlap)
  freed.configure(settings.passthrough)
  dataFreed.configure(settings.passthrough)
  await lock.run(() => image.fitCaches())
  image.cleaner.start(settings.cacheCleanInterval)
}
