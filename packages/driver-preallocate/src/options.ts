/** How a preallocate node is described, and what its numbers must be. */

import { alignUp, BlockError, type ChildSpec, type OptionSchema } from '@blocklayer/block-core/driver'

/** Runtime options. @see QEMU 7.2 qapi/block-core.json: BlockdevOptionsPreallocate */
export interface PreallocateOptions {
  readonly file?: ChildSpec
  /** Bytes, a multiple of 512: the file's length becomes a multiple. Default 1 MiB. */
  readonly preallocAlign?: number | bigint
  /** Bytes that the file is made longer than needed. Default 128 MiB. */
  readonly preallocSize?: number | bigint
}

/** The schema of `PreallocateOptions`. */
export const preallocateOptions: OptionSchema<PreallocateOptions> = {
  file: { name: 'file', type: 'node', required: true, help: 'The file that grows' },
  preallocAlign: {
    name: 'prealloc-align',
    type: 'size',
    mutable: 'stays',
    help: 'on preallocation, align file length to this number, default 1M',
  },
  preallocSize: {
    name: 'prealloc-size',
    type: 'size',
    mutable: 'stays',
    help: 'how much to preallocate, default 128M',
  },
}

const MiB = 0x10_0000
const sectorSize = 512

/** Checked options, in bytes. */
export interface Ahead {
  readonly align: number
  readonly size: number
}

/** @throws BlockError `EINVAL` for an alignment that is not one of sectors */
export function checkAhead(options: PreallocateOptions): Ahead {
  const align = BigInt(options.preallocAlign ?? MiB)
  if (align % BigInt(sectorSize) !== 0n) {
    throw new BlockError('EINVAL', `prealloc-align parameter of preallocate filter is not aligned to ${sectorSize}`)
  }
  // What a number cannot hold is more than any file can be made longer by: nothing is preallocated then.
  return { align: Number(align) || 1, size: Number(options.preallocSize ?? 128 * MiB) }
}

/**
 * What to preallocate for a request that ends at `end`, in bytes of the file; `undefined` where no file is that long.
 *
 * @param from - nothing before it may be touched
 */
export function rangeAhead(ahead: Ahead, from: number, end: number): { offset: number; bytes: number } | undefined {
  const offset = alignUp(from, sectorSize)
  const stop = alignUp(end + ahead.size, ahead.align)
  return Number.isSafeInteger(stop) ? { offset, bytes: stop - offset } : undefined
}
