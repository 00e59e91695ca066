/** The `file` driver: its names and options. */

import { type BlockDriver, defineDriver, type NodeSpec, nodeSpec } from '@blocklayer/block-core/driver'
import { createFile, removeFile } from './create.ts'
import { canonicalPath, parseFileName } from './file-name.ts'
import { nativeCalls } from './libc.ts'
import { openLayer } from './open-layer.ts'
import { type AioMode, type FileCreateOptions, type FileOptions, fileCreateOptions, fileOptions } from './options.ts'

/** How a driver for things of the host works where its options do not say. */
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
  const aio = settings.aio ?? 'threads'
  const native = () => nativeCalls(settings.nativeCalls)
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
      run: (context, options) => createFile(context, options, { libc: native().libc, synchronous: aio === 'sync' }),
      remove: removeFile,
    },
    open: (context, options) => openLayer(context, options, { kind: 'file', aio, native: native() }),
  })
}

/** Files of the host, on Node's thread pool. */
export const fileDriver: BlockDriver<FileOptions, FileCreateOptions> = createFileDriver()

/** Describes a node for the file at `filename`, a path. */
export function file(filename: string, options: Omit<FileOptions, 'filename'> = {}): NodeSpec<FileOptions> {
  return nodeSpec(fileDriver, { ...options, filename })
}
