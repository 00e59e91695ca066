/** Carrying the persistent bitmaps of one image over to another of the same content. */

import type { BlockNode } from '../driver/node-view.ts'
import { BlockError } from '../errors.ts'
import { graphNode } from '../node/graph-node.ts'
import { changeDirtyBitmap, dirtyBitmapFacts } from './dirty-bitmaps.ts'

/** What happens to bitmaps that nobody can trust. */
export interface BitmapCopyOptions {
  /** Leave them out, and give their names here. Absent: they are an error. */
  readonly onSkipped?: ((name: string) => void) | undefined
}

/** Whether an image of the node's format can keep bitmaps (a qcow2 image of version 2 cannot). */
export function keepsBitmaps(node: BlockNode): boolean {
  const { bitmaps } = graphNode(node).layer
  return bitmaps !== undefined && bitmaps.supported !== false
}

/**
 * Checks, before there is a target, whether the persistent bitmaps of `source` can be copied.
 *
 * @throws BlockError `ENOTSUP` `Source lacks bitmap support`; `EINVAL` `Cannot copy inconsistent bitmap '<name>'` with a
 *   hint, unless such are skipped
 */
export function checkBitmapCopy(source: BlockNode, options: BitmapCopyOptions = {}): void {
  if (!keepsBitmaps(source)) throw new BlockError('ENOTSUP', 'Source lacks bitmap support')
  if (options.onSkipped !== undefined) return
  for (const { name, inconsistent } of persistentBitmaps(source)) {
    if (inconsistent !== true) continue
    throw new BlockError('EINVAL', `Cannot copy inconsistent bitmap '${name}'`, {
      hint: "Try --skip-broken-bitmaps, or use 'qemu-img bitmap --remove' to delete it",
    })
  }
}

/**
 * Gives `target` the persistent bitmaps of `source`: names, granularities, what is recorded, and whether they record on.
 * Durable when the target is closed.
 *
 * @throws BlockError `Failed to create bitmap <name>: …`, `Failed to populate bitmap <name>: …`; the bitmaps before it
 *   have been copied then
 * @see QEMU 7.2 qemu-img.c: convert_copy_bitmaps; spec/qemu-img.md, section 15.2
 */
export async function copyBitmaps(
  source: BlockNode,
  target: BlockNode,
  options: BitmapCopyOptions = {},
): Promise<void> {
  for (const { name, granularity, recording, inconsistent } of persistentBitmaps(source)) {
    if (inconsistent === true) options.onSkipped?.(name)
    else {
      const added = { type: 'add', name, granularity, persistent: true, disabled: true } as const
      await told(`Failed to create bitmap ${name}: `, () => changeDirtyBitmap(target, added))
      await populate(source, target, name)
      if (recording) await changeDirtyBitmap(target, { type: 'enable', name })
    }
  }
}

/** An image with an empty bitmap in the place of a full one would be worse than one without. */
async function populate(source: BlockNode, target: BlockNode, name: string): Promise<void> {
  try {
    await changeDirtyBitmap(target, { type: 'merge', name, sources: [{ node: source, name }] })
  } catch (error) {
    await changeDirtyBitmap(target, { type: 'remove', name })
    throw error instanceof BlockError ? error.prepend(`Failed to populate bitmap ${name}: `) : error
  }
}

type PersistentBitmap = ReturnType<typeof dirtyBitmapFacts>[number] & { readonly name: string }

function persistentBitmaps(node: BlockNode): PersistentBitmap[] {
  return dirtyBitmapFacts(node).filter(
    (facts): facts is PersistentBitmap => facts.persistent && facts.name !== undefined,
  )
}

async function told(head: string, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    throw error instanceof BlockError ? error.prepend(head) : error
  }
}
