/** The `file` driver: names, options and opening. */

import {
  type BlockDriver,
  BlockError,
  type BlockLayer,
  defineDriver,
  type NodeSpec,
  nodeSpec,
  type OpenContext,
} from '@blocklayer/block-core/driver'
import { createFile, removeFile } from './create.ts'
import { requestError } from './errors.ts'
import { FileLayer } from './file-layer.ts'
import { canonicalPath, parseFileName } from './file-name.ts'
import { HostFile } from './host-file.ts'
import { type LibcResult, loadLibc } from './libc.ts'
import { hasFileLocks, ImageLock } from './lock.ts'
import {
  type AioMode,
  checkFileOptions,
  type FileCreateOptions,
  type FileOptions,
  fileCreateOptions,
  fileOptions,
} from './options.ts'

/** How a file driver works where its options do not say. */
export interface FileDriverSettings {
  /** `aio` where a node does not choose, and for creating files. Default `threads`. */
  readonly aio?: AioMode
  /** `false`: do without the C library's calls, as on a system where koffi cannot be loaded. Default true. */
  readonly nativeCalls?: boolean
}

/**
 * A driver for files of the host.
 *
 * @example
 * // A command line tool: nobody else waits for the event loop.
 * const drivers = [createFileDriver({ aio: 'sync' }), rawDriver]
 */
export function createFileDriver(settings: FileDriverSettings = {}): BlockDriver<FileOptions, FileCreateOptions> {
  const defaultAio = settings.aio ?? 'threads'
  const native = (): LibcResult =>
    settings.nativeCalls === false ? { libc: undefined, reason: 'switched off' } : loadLibc()
  return defineDriver<FileOptions, FileCreateOptions>({
    formatName: 'file',
    kind: 'protocol',
    protocolName: 'file',
    needsFilename: true,
    options: fileOptions,
    parseFilename: (filename) => new Map([['filename', parseFileName(filename)]]),
    canonicalName: canonicalPath,
    create: {
      options: fileCreateOptions,
      run: (context, options) =>
        createFile(context, options, { libc: native().libc, synchronous: defaultAio === 'sync' }),
      remove: removeFile,
    },
    open: (context, options) => openFile(context, { ...options, aio: options.aio ?? defaultAio }, native()),
  })
}

/** Files of the host, on Node's thread pool. */
export const fileDriver: BlockDriver<FileOptions, FileCreateOptions> = createFileDriver()

/** Describes a node for the file at `filename`, a path. */
export function file(filename: string, options: Omit<FileOptions, 'filename'> = {}): NodeSpec<FileOptions> {
  return nodeSpec(fileDriver, { ...options, filename })
}

async function openFile(context: OpenContext, options: FileOptions, native: LibcResult): Promise<BlockLayer> {
  checkFileOptions(options, context.flags.direct)
  const { filename } = options
  const mode = { readOnly: context.readOnly, synchronous: options.aio === 'sync' }
  const opened = await HostFile.open(filename, mode)
  try {
    const length = await lengthOf(opened)
    const lock = lockFor(context, options, opened, native)
    return new FileLayer({ filename, file: opened, length, libc: native.libc, lock })
  } catch (error) {
    await opened.close()
    throw error
  }
}

async function lengthOf(opened: HostFile): Promise<number> {
  try {
    return (await opened.stat()).size
  } catch (error) {
    throw requestError(error)
  }
}

let warnedOfNoLocks = false

function lockFor(
  context: OpenContext,
  options: FileOptions,
  opened: HostFile,
  native: LibcResult,
): ImageLock | undefined {
  if (options.locking === 'off') return undefined
  if (native.libc && hasFileLocks(native.libc, opened.fd)) {
    return new ImageLock(native.libc, opened.fd, options.filename)
  }
  const reason = native.libc ? 'the system has no open file description locks' : native.reason
  if (options.locking === 'on') {
    throw new BlockError('ENOTSUP', `File lock requested but image locks are unavailable: ${reason}`)
  }
  // Once a process, and only where something could be lost: two writers would not notice each other.
  if (!context.readOnly && !warnedOfNoLocks) {
    warnedOfNoLocks = true
    context.warn(`Image locks are unavailable (${reason}): other programs are not kept from the images`)
  }
  return undefined
}
