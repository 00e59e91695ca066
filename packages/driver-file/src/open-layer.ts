/** Opens a file or device as a node: checks, descriptor, length, locks. */

import { BlockError, type BlockLayer, type OpenContext } from '@blocklayer/block-core/driver'
import { FileLayer } from './file-layer.ts'
import type { HostFile } from './host-file.ts'
import type { LibcResult } from './libc.ts'
import { hasFileLocks, ImageLock } from './lock.ts'
import { fileMode, OpenFile } from './open-file.ts'
import { type AioMode, checkFileOptions, type FileOptions } from './options.ts'
import { openStorage, type StorageKind, storageLength } from './storage.ts'

/** What opening needs beside context and options. */
export interface OpenSetting {
  readonly kind: StorageKind
  /** Where the options do not say. */
  readonly aio: AioMode
  readonly native: LibcResult
}

/**
 * Opens the file or device that the options name.
 *
 * @throws BlockError what is wrong with the options, `Could not open 'x': …`, a file of another kind, or locks that are
 *   demanded and cannot be had
 */
export async function openLayer(context: OpenContext, options: FileOptions, setting: OpenSetting): Promise<BlockLayer> {
  const { flags } = context
  checkFileOptions(options, flags.direct, options.aio ?? setting.aio)
  const { kind, native } = setting
  const { libc } = native
  const { filename } = options
  const mode = fileMode(context.readOnly, flags)
  const synchronous = (options.aio ?? setting.aio) === 'sync'
  const readOnly = mode.readOnly || mode.onDemand
  const file = await openStorage(filename, { kind, readOnly, synchronous, direct: mode.direct }, libc)
  try {
    if (mode.direct && file.direct === undefined) warnOnce(context, 'direct', noDirectText(native))
    const length = storageLength(kind, file, libc)
    const lock = lockFor(context, options, file, native)
    const open = new OpenFile({ filename, kind, mode, file, libc, lock })
    return new FileLayer({ kind, open, flags, length, libc })
  } catch (error) {
    await file.close()
    throw error
  }
}

function lockFor(
  context: OpenContext,
  options: FileOptions,
  file: HostFile,
  native: LibcResult,
): ImageLock | undefined {
  if (options.locking === 'off') return undefined
  if (native.libc && hasFileLocks(native.libc, file.fd)) {
    return new ImageLock(native.libc, file.fd, options.filename)
  }
  const reason = native.libc ? 'the system has no open file description locks' : native.reason
  if (options.locking === 'on') {
    throw new BlockError('ENOTSUP', `File lock requested but image locks are unavailable: ${reason}`)
  }
  // Only where something could be lost: two writers would not notice each other.
  if (!context.readOnly) {
    const text = `Image locks are unavailable (${reason}): other programs are not kept from the images`
    warnOnce(context, 'locks', text)
  }
  return undefined
}

function noDirectText(native: LibcResult): string {
  return `cache.direct=on is without effect (${native.libc ? '' : native.reason}): images go through the page cache`
}

const warned = new Set<'locks' | 'direct'>()

/** Once a process: it is the system that lacks something, not the image. */
function warnOnce(context: OpenContext, about: 'locks' | 'direct', text: string): void {
  if (warned.has(about)) return
  warned.add(about)
  context.warn(text)
}
