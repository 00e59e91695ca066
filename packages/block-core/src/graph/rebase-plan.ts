/** What must be copied into an overlay before it gets another backing file, so that the guest sees no change. */

import type { BlockNode } from '../driver/node-view.ts'
import { backingImageOf, chainAllocation } from './operations.ts'

/** A part of a disk in bytes. */
export interface ByteRun {
  readonly offset: number
  readonly bytes: number
}

/** How much of an overlay is looked at in one go. @see QEMU 7.2 qemu-img.c: IO_BUF_SIZE */
const stepDefault = 2 ** 21

/**
 * The parts of `overlay` that show its old backing file, in ascending order, none longer than `maxBytes`: where old and
 * new content differ there, the old one must be written into the overlay (a safe rebase). An unsafe rebase copies nothing.
 *
 * @param options.kept - the new backing file, where it is an image of the old chain: what is not allocated above it need
 *   not be looked at. Absent: the new one is a stranger, or there will be none
 * @throws BlockError where the metadata cannot be read
 * @see spec/qemu-img.md, section 22
 */
export async function* rebaseRuns(
  overlay: BlockNode,
  options: { readonly kept?: BlockNode | undefined; readonly maxBytes?: number } = {},
): AsyncGenerator<ByteRun, void, undefined> {
  const { kept, maxBytes = stepDefault } = options
  const old = backingImageOf(overlay)
  for (let offset = 0; offset < overlay.length; ) {
    const wanted = Math.min(maxBytes, overlay.length - offset)
    const own = await chainAllocation(overlay, old, offset, wanted, false)
    if (own.allocated) offset += own.bytes
    else {
      const shown = await shownRun(old, kept, offset, own.bytes)
      if (shown.differs) yield { offset, bytes: shown.bytes }
      offset += shown.bytes
    }
  }
}

/** Whether what the old backing file shows at `offset` may be another thing than what `kept` shows there. */
async function shownRun(
  old: BlockNode | undefined,
  kept: BlockNode | undefined,
  offset: number,
  bytes: number,
): Promise<{ readonly bytes: number; readonly differs: boolean }> {
  // Past the end of the old one the guest reads zeroes, and the new one may be longer.
  if (old === undefined || kept === undefined || offset >= old.length) return { bytes, differs: true }
  const inside = Math.min(bytes, old.length - offset)
  const { allocated, bytes: run } = await chainAllocation(old, kept, offset, inside, false)
  return { bytes: run, differs: allocated }
}

/**
 * The runs in which `a` and `b` differ, counted in whole units.
 *
 * @param unit - bytes that are equal or not as a whole; the last one may be shorter
 */
export function* differingRuns(a: Uint8Array, b: Uint8Array, unit = 512): Generator<ByteRun, void, undefined> {
  const length = Math.min(a.length, b.length)
  let start = -1
  for (let offset = 0; offset < length; offset += unit) {
    const differs = !equalIn(a, b, offset, Math.min(offset + unit, length))
    if (differs && start < 0) start = offset
    if (!differs && start >= 0) {
      yield { offset: start, bytes: offset - start }
      start = -1
    }
  }
  if (start >= 0) yield { offset: start, bytes: length - start }
}

function equalIn(a: Uint8Array, b: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (a[i] !== b[i]) return false
  return true
}
