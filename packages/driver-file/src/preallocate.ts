/** Changing a file's length, with the space of the new part prepared as the user asked. */

import { BlockError, type Errno, type JobOptions, type Preallocation } from '@blocklayer/block-core/driver'
import { callError, errnoOf, errnoOfResult, isUnsupported } from './errors.ts'
import type { HostFile } from './host-file.ts'
import { FallocateModes, type Libc } from './libc.ts'

/** How much is zeroed at the start of a file that grows from nothing. */
const firstBlockBytes = 4096

/** Bytes per write of full preallocation. */
const chunkBytes = 0x10_0000

/** What a file's length becomes. */
export interface Resize extends JobOptions {
  /** Bytes, now. */
  readonly from: number
  readonly to: number
  readonly preallocation: Preallocation
}

/**
 * Sets the file's length.
 *
 * @param libc - `undefined`: `falloc` writes zeroes, which costs time but keeps its promise
 * @throws BlockError with the reference's words, `signal.reason`; the length is then what it was
 */
export async function resizeFile(file: HostFile, libc: Libc | undefined, resize: Resize): Promise<void> {
  const { from, to, preallocation } = resize
  if (preallocation === 'metadata') {
    throw new BlockError('ENOTSUP', `Unsupported preallocation mode: ${preallocation}`)
  }
  if (preallocation !== 'off' && to < from) {
    throw new BlockError('ENOTSUP', 'Cannot use preallocation for shrinking files')
  }
  if (preallocation === 'off' || to === from) await setLength(file, from, to)
  else await grow(file, libc, resize)
}

/**
 * Checks a new length of a device, which keeps its own.
 *
 * @param exact - false: a device that is longer will do
 * @throws BlockError `ENOTSUP` or `EINVAL` with the reference's words
 */
export function resizeDevice(resize: Resize, exact: boolean): void {
  const { from, to, preallocation } = resize
  if (preallocation !== 'off') {
    throw new BlockError('ENOTSUP', `Preallocation mode '${preallocation}' unsupported for this non-regular file`)
  }
  if (exact && to !== from) throw new BlockError('ENOTSUP', 'Cannot resize device files')
  if (to > from) throw new BlockError('EINVAL', 'Cannot grow device files')
}

async function setLength(file: HostFile, from: number, to: number): Promise<void> {
  await truncate(file, to)
  if (from === 0 && to > 0) await allocateFirstBlock(file, to)
}

/**
 * A program that finds out the needed buffer alignment by trying cannot do so on a file without any written block, because
 * reads of holes always succeed.
 */
async function allocateFirstBlock(file: HostFile, length: number): Promise<void> {
  try {
    await file.write(0, new Uint8Array(Math.min(firstBlockBytes, length)))
  } catch (error) {
    // The block is a courtesy: an image without space for it is as good, and the reference makes one, too.
    if (!(error instanceof BlockError) || !outOfSpace.has(error.code)) throw error
  }
}

const outOfSpace: ReadonlySet<Errno> = new Set<Errno>(['ENOSPC', 'EDQUOT'])

async function grow(file: HostFile, libc: Libc | undefined, resize: Resize): Promise<void> {
  try {
    if (resize.preallocation !== 'falloc' || !(await allocate(file, libc, resize))) await writeZeroes(file, resize)
    else if (resize.from === 0) await allocateFirstBlock(file, resize.to)
    tell(resize, resize.to)
  } catch (error) {
    // Whatever happened, the caller must find the length it knows.
    await truncate(file, resize.from)
    throw error
  }
}

/** False where the file system has no such call. */
async function allocate(file: HostFile, libc: Libc | undefined, resize: Resize): Promise<boolean> {
  if (!libc) return false
  const result = await libc.fallocatePooled(file.fd, FallocateModes.allocate, resize.from, resize.to - resize.from)
  if (result < 0 && !isUnsupported(result)) {
    throw BlockError.withErrno(errnoOfResult(result), 'Could not preallocate new data')
  }
  return result >= 0
}

async function writeZeroes(file: HostFile, resize: Resize): Promise<void> {
  // The length first: where it is not allowed, the words should say so.
  await truncate(file, resize.to)
  const zeroes = new Uint8Array(Math.min(chunkBytes, resize.to - resize.from))
  for (let offset = resize.from; offset < resize.to; offset += zeroes.length) {
    resize.signal?.throwIfAborted()
    tell(resize, offset)
    try {
      await file.write(offset, zeroes.subarray(0, Math.min(zeroes.length, resize.to - offset)))
    } catch (error) {
      throw wordsBefore(error, 'Could not write zeros for preallocation: ')
    }
  }
  try {
    await file.datasync()
  } catch (error) {
    throw callError(error, 'Could not flush file to disk')
  }
}

/** The space up to `end` is prepared. */
function tell({ from, to, onProgress }: Resize, end: number): void {
  onProgress?.({ current: end - from, total: to - from })
}

async function truncate(file: HostFile, length: number): Promise<void> {
  try {
    await file.truncate(length)
  } catch (error) {
    throw BlockError.withErrno(errnoOf(error), 'Could not resize file', { cause: error })
  }
}

function wordsBefore(error: unknown, words: string): unknown {
  return error instanceof BlockError ? error.prepend(words) : error
}
