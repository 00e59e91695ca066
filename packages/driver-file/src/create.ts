/** Making and removing host files. */

import { constants, existsSync, promises, unlinkSync } from 'node:fs'
import { BlockError, type CreateContext } from '@blocklayer/block-core/driver'
import { setFileAttributes } from './attributes.ts'
import { callError } from './errors.ts'
import { parseFileName } from './file-name.ts'
import { HostFile, openDescriptor } from './host-file.ts'
import type { Libc } from './libc.ts'
import { hasFileLocks, ImageLock } from './lock.ts'
import type { FileCreateOptions } from './options.ts'
import { resizeFile } from './preallocate.ts'

/** While a file is made: we write and resize, and nobody else may resize. */
const creationPermissions = { taken: 2 | 8, shared: 1 | 2 | 4 }

const extentSizeDefault = 0x10_0000

/** What creating needs beside the options. */
export interface CreateSetting {
  readonly libc: Libc | undefined
  readonly synchronous: boolean
}

/**
 * Makes the file `context.filename`, or empties one that is there, and gives it `context.size` bytes.
 *
 * @throws BlockError `Could not create 'x': …`, or a lock message while another process uses the file; a file that was
 *   not there before is gone again then
 */
export async function createFile(
  context: CreateContext,
  options: FileCreateOptions,
  setting: CreateSetting,
): Promise<void> {
  const filename = parseFileName(context.filename)
  // Half of all sizes are negative numbers for the kernel.
  if (context.size >= 2n ** 63n) throw BlockError.withErrno('EINVAL', 'Could not resize file')
  if (context.size > BigInt(Number.MAX_SAFE_INTEGER)) throw BlockError.withErrno('EFBIG', 'Could not resize file')
  // Without O_TRUNC: an image that somebody uses must not be emptied before its locks were asked.
  const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NONBLOCK ?? 0)
  const isNew = !existsSync(filename)
  const fd = await openDescriptor(filename, flags, setting.synchronous, 'Could not create')
  const file = new HostFile(fd, setting.synchronous)
  try {
    if (!(await file.stat()).isFile()) throw new BlockError('ENOTSUP', 'Cannot grow device files')
    lockForCreation(setting.libc, file.fd, filename)
    await fillFile(file, context, options, setting.libc).catch((error: unknown) => {
      // While we still have its locks: it is ours, and half an image is worse than none.
      if (isNew) unlinkSync(filename)
      throw error
    })
  } finally {
    // Opening it again for the bulk of the data also spares us ext4's flush when a truncated file is closed.
    await file.close()
  }
}

/** Removes a file whose format could not be created. */
export async function removeFile(filename: string): Promise<void> {
  const name = parseFileName(filename)
  try {
    await promises.unlink(name)
  } catch (error) {
    throw callError(error, `Could not remove '${name}'`)
  }
}

function lockForCreation(libc: Libc | undefined, fd: number, filename: string): void {
  if (libc && hasFileLocks(libc, fd)) new ImageLock(libc, fd, filename).update(creationPermissions)
}

async function fillFile(
  file: HostFile,
  context: CreateContext,
  options: FileCreateOptions,
  libc: Libc | undefined,
): Promise<void> {
  await resizeFile(file, libc, { from: (await file.stat()).size, to: 0, preallocation: 'off' })
  if (libc) {
    const attributes = {
      nocow: options.nocow ?? false,
      extentSizeHint: options.extentSizeHint ?? extentSizeDefault,
    }
    setFileAttributes(libc, file.fd, attributes, (text) => context.warn(text))
  }
  const preallocation = options.preallocation ?? 'off'
  const { signal, onProgress } = context
  await resizeFile(file, libc, { from: 0, to: Number(context.size), preallocation, signal, onProgress })
}
