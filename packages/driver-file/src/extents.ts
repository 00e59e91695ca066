/** Which parts of a host file hold data, and which are holes that read as zeroes. */

import type { BlockStatus } from '@blocklayer/block-core/driver'
import type { Libc } from './libc.ts'

/** Where to look. */
export interface ExtentQuery {
  readonly fd: number
  /** Bytes; at or past the end of the file only where the last sector is not complete. */
  readonly offset: number
  readonly bytes: number
}

/**
 * The run at `offset`: data, or a hole. Where the file system cannot tell, all is data.
 *
 * @param libc - `undefined`: nobody can tell
 * @see lseek(2), SEEK_DATA and SEEK_HOLE
 */
export function extentAt(libc: Libc | undefined, query: ExtentQuery): BlockStatus {
  const { fd, offset, bytes } = query
  if (!libc) return data(offset, bytes)
  const dataStart = libc.seekData(fd, offset)
  // ENXIO: nothing but a hole up to the end, or we are past it.
  if (dataStart === -enxio) return hole(offset, bytes)
  if (dataStart > offset) return hole(offset, dataStart - offset)
  if (dataStart < 0) return data(offset, bytes)
  const dataEnd = libc.seekHole(fd, offset)
  // Somebody may have changed the file between the two calls; then "data" is always true enough.
  return data(offset, dataEnd > offset ? dataEnd - offset : bytes)
}

const enxio = 6

function data(offset: number, bytes: number): BlockStatus {
  return { bytes, data: true, zero: false, hostOffset: offset }
}

function hole(offset: number, bytes: number): BlockStatus {
  return { bytes, data: false, zero: true, hostOffset: offset }
}
