/** Makes an image's disk longer or shorter. */

import type { BlockBackend, JobOptions, Preallocation } from '@blocklayer/block-core'
import { refusal } from './refusal.ts'

/** How long a disk is to be, in bytes: so long, or so much longer (below 0: shorter) than it is. */
export type NewSize = { readonly to: number | bigint } | { readonly by: number | bigint }

/**
 * How a disk is resized. Aborting ends the preparing of space, and the disk is as it was; progress is in bytes that are
 * prepared.
 */
export interface ResizeOptions extends JobOptions {
  /** How the new part is filled. Default `off`. */
  readonly preallocation?: Preallocation | undefined
  /** What lies behind the new end may be lost. Default: shortening is refused. */
  readonly shrink?: boolean | undefined
}

/**
 * Resizes a writable disk.
 *
 * @returns the new length in bytes, which the format may have rounded up
 * @throws BlockError `EINVAL` for a size that is not positive, preallocation without growth, or shrinking without `shrink`
 *   (`details.reason` is `'shrink'` then); what the driver reports; `signal.reason`
 * @see QEMU 7.2 qemu-img.c: img_resize
 * @example
 * await resizeImage(disk, { by: 1024 ** 3 })
 */
export async function resizeImage(disk: BlockBackend, size: NewSize, options: ResizeOptions = {}): Promise<number> {
  const { preallocation = 'off', shrink = false, signal, onProgress } = options
  const length = newLength(size, disk.length)
  if (length <= disk.length && preallocation !== 'off') {
    throw refusal('preallocation', 'EINVAL', 'Preallocation can only be used for growing images')
  }
  if (length < disk.length && !shrink) {
    throw refusal('shrink', 'EINVAL', 'Use the --shrink option to perform a shrink operation.')
  }
  await disk.truncate(length, { preallocation, signal, onProgress })
  return disk.length
}

/** Bytes; sums that the reference's 64 bits cannot hold come out negative there, and are refused alike. */
function newLength(size: NewSize, present: number): number {
  const wanted = 'to' in size ? BigInt(size.to) : BigInt(present) + BigInt(size.by)
  const length = BigInt.asIntN(64, wanted)
  if (length <= 0n) throw refusal('size', 'EINVAL', 'New image size must be positive')
  return Number(length)
}
