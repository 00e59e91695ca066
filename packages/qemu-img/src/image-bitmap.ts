/** Changes one persistent dirty bitmap of an image. */

import {
  type BitmapAction,
  type BlockBackend,
  BlockError,
  changeDirtyBitmap,
  type JobOptions,
} from '@blocklayer/block-core'
import { Breather } from './breather.ts'

/** One change; all are about the same bitmap. */
export type ImageBitmapAction =
  /** A new one. `granularity`: bytes per bit, a power of two; absent: the format's choice. */
  | { readonly type: 'add'; readonly granularity?: number | undefined }
  | { readonly type: 'remove' | 'clear' | 'enable' | 'disable' }
  /** Adds what the bitmap `source` has recorded; `from`: the disk that has it, absent: the disk itself. */
  | { readonly type: 'merge'; readonly source: string; readonly from?: BlockBackend | undefined }

/**
 * Makes changes in order. They are durable when the disk is closed; those before one that fails stay made.
 *
 * @param job - told after each change; stops between two
 * @throws BlockError `Operation <type> on bitmap <name> failed: …`; `job.signal.reason`
 * @see QEMU 7.2 qemu-img.c: img_bitmap
 * @example
 * await changeImageBitmap(disk, 'since-monday', [{ type: 'add', granularity: 65536 }, { type: 'disable' }])
 */
export async function changeImageBitmap(
  disk: BlockBackend,
  name: string,
  actions: readonly ImageBitmapAction[],
  { signal, onProgress }: JobOptions = {},
): Promise<void> {
  const breather = new Breather()
  for (const [index, action] of actions.entries()) {
    await breather.breathe(signal)
    try {
      await changeDirtyBitmap(disk.root, toBitmapAction(disk, name, action))
    } catch (error) {
      throw error instanceof BlockError ? error.prepend(`Operation ${action.type} on bitmap ${name} failed: `) : error
    }
    onProgress?.({ current: index + 1, total: actions.length })
  }
}

function toBitmapAction(disk: BlockBackend, name: string, action: ImageBitmapAction): BitmapAction {
  if (action.type === 'add') return { type: 'add', name, granularity: action.granularity, persistent: true }
  if (action.type !== 'merge') return { type: action.type, name }
  const { root: node } = action.from ?? disk
  return { type: 'merge', name, sources: [{ node, name: action.source }] }
}
