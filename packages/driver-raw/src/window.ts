/** Which part of the file is the disk: all of it, or an `offset`/`size` window. */

import { BlockError } from '@blocklayer/block-core/driver'

/** A checked window. */
export interface Window {
  /** Bytes of the file before the disk's first byte. */
  readonly offset: number
  /** Bytes; `undefined`: up to the end of the file, wherever that is. */
  readonly size: number | undefined
}

/**
 * Checks a window against the file.
 *
 * @param fileLength - bytes, now
 * @throws BlockError `EINVAL` with the reference's three texts
 */
export function checkWindow(
  options: { readonly offset?: number | bigint; readonly size?: number | bigint },
  fileLength: number,
): Window {
  const offset = BigInt(options.offset ?? 0)
  const actual = BigInt(fileLength)
  if (offset > actual) {
    const text = `Offset (${offset}) cannot be greater than size of the containing file (${actual})`
    throw new BlockError('EINVAL', text)
  }
  if (options.size === undefined) return { offset: Number(offset), size: undefined }
  const size = BigInt(options.size)
  if (actual - offset < size) {
    // Two blanks before "actual": the reference prints it so.
    const text = `The sum of offset (${offset}) and size (${size}) has to be smaller or equal to the  actual size of the containing file (${actual})`
    throw new BlockError('EINVAL', text)
  }
  if (size % 512n !== 0n) throw new BlockError('EINVAL', 'Specified size is not multiple of 512')
  return { offset: Number(offset), size: Number(size) }
}

/** Bytes of the disk, given the file's length now: a file that shrank below the window leaves less, or nothing. */
export function windowLength(window: Window, fileLength: number): number {
  const available = Math.max(0, fileLength - window.offset)
  return Math.min(window.size ?? available, available)
}
