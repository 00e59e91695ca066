/** What stands behind a name: regular files and devices, how each is opened, and how long it is. */

import { closeSync, constants, fstatSync } from 'node:fs'
import { BlockError } from '@blocklayer/block-core/driver'
import { CachedReads } from './cached-reads.ts'
import { deviceLength, isReadOnlyDevice } from './device-calls.ts'
import { DirectIo, probeAlignment } from './direct-io.ts'
import { errnoOfResult, requestError } from './errors.ts'
import { HostFile, openDescriptor, openDescriptorNow } from './host-file.ts'
import type { Libc } from './libc.ts'

/** Names of the drivers for things of the host. */
export type StorageKind = 'file' | 'host_device' | 'host_cdrom'

/** How a name is opened. */
export interface StorageMode {
  readonly kind: StorageKind
  readonly readOnly: boolean
  readonly synchronous: boolean
  /** Past the page cache; only with the C library's calls. */
  readonly direct: boolean
}

/**
 * Opens an existing file or device.
 *
 * @param libc - `undefined`: direct I/O is not to be had
 * @throws BlockError `Could not open 'x': …`, also `… filesystem does not support O_DIRECT`; `EINVAL` for a file of
 *   another kind; `The device is not writable: Permission denied`
 */
export async function openStorage(filename: string, mode: StorageMode, libc: Libc | undefined): Promise<HostFile> {
  const direct = mode.direct && libc !== undefined
  const fd = await openWithFlags(filename, mode, direct)
  try {
    checkKind(filename, mode, fd, libc)
    const io = direct ? new DirectIo(libc, await probeAlignment(libc, fd)) : undefined
    return new HostFile(fd, mode.synchronous, io, io === undefined ? CachedReads.from(libc) : undefined)
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

async function openWithFlags(filename: string, mode: StorageMode, direct: boolean): Promise<number> {
  try {
    return await openDescriptor(filename, openingFlags(mode, direct), mode.synchronous)
  } catch (error) {
    throw direct ? withDirectWords(filename, error) : error
  }
}

/**
 * Opens again what `model` has open, in another mode, without waiting for anything.
 *
 * @throws BlockError as `openStorage`; `ESTALE` where the name leads to something else by now
 */
export function openAgainNow(filename: string, mode: StorageMode, model: HostFile, libc: Libc | undefined): HostFile {
  const fd = openDescriptorNow(filename, openingFlags(mode, model.direct !== undefined))
  const cached = model.direct === undefined ? CachedReads.from(libc) : undefined
  const file = new HostFile(fd, mode.synchronous, model.direct, cached)
  try {
    checkKind(filename, mode, fd, libc)
    requireSame(filename, model, file)
    return file
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** @throws BlockError `ESTALE` `Could not open 'x'` where the two are not the same file */
export function requireSame(filename: string, old: HostFile, current: HostFile): void {
  const [before, after] = [fstatSync(old.fd), fstatSync(current.fd)]
  if (before.dev !== after.dev || before.ino !== after.ino) {
    throw BlockError.withErrno('ESTALE', `Could not open '${filename}'`)
  }
}

/**
 * Length in bytes, now.
 *
 * @throws BlockError `Could not refresh total sector count: …`
 */
export function storageLength(kind: StorageKind, file: HostFile, libc: Libc | undefined): number {
  if (kind !== 'file') return deviceLength(libc, file.fd)
  try {
    if (libc === undefined) return fstatSync(file.fd).size
  } catch (error) {
    throw requestError(error)
  }
  // Asking for the end, not for the size: files that the kernel makes up have neither, and say so.
  const length = libc.seekEnd(file.fd)
  if (length < 0) throw BlockError.withErrno(errnoOfResult(length), 'Could not refresh total sector count')
  return length
}

function openingFlags(mode: StorageMode, direct: boolean): number {
  const access = mode.readOnly ? constants.O_RDONLY : constants.O_RDWR
  // O_NONBLOCK: a FIFO must be refused, not waited for, and an empty drive can be opened. It means nothing for files.
  return access | (constants.O_NONBLOCK ?? 0) | (direct ? constants.O_DIRECT : 0)
}

function withDirectWords(filename: string, error: unknown): unknown {
  if (!(error instanceof BlockError) || error.code !== 'EINVAL') return error
  return new BlockError('EINVAL', `Could not open '${filename}': filesystem does not support O_DIRECT`, {
    cause: error,
  })
}

function checkKind(filename: string, mode: StorageMode, fd: number, libc: Libc | undefined): void {
  const stats = fstatSync(fd)
  if (mode.kind === 'file') {
    if (stats.isFile()) return
    throw new BlockError('EINVAL', `'file' driver requires '${filename}' to be a regular file`)
  }
  if (!stats.isBlockDevice() && !stats.isCharacterDevice()) {
    const text = `'${mode.kind}' driver requires '${filename}' to be either a character or block device`
    throw new BlockError('EINVAL', text)
  }
  if (!mode.readOnly && libc !== undefined && isReadOnlyDevice(libc, fd)) {
    throw BlockError.withErrno('EACCES', 'The device is not writable')
  }
}
