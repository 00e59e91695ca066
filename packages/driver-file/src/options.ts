/** Runtime and creation options of host files. */

import { BlockError, type OptionSchema } from '@blocklayer/block-core/driver'

/**
 * How requests reach the kernel: `threads` on Node's thread pool, but for reads up to 16 KiB of what is in the page cache,
 * which are done at once; `sync` in calls that block the event loop up to 256 KiB, the fastest for a command line tool. `native` and `io_uring` are accepted and served by threads.
 */
export type AioMode = 'threads' | 'native' | 'io_uring' | 'sync'

/** Runtime options. @see QEMU 7.2 qapi/block-core.json: BlockdevOptionsFile */
export interface FileOptions {
  /** A path; never parsed for a protocol prefix. */
  readonly filename: string
  readonly aio?: AioMode
  /** `auto`: where the system can; `on`: or fail; `off`: never. */
  readonly locking?: 'on' | 'off' | 'auto'
  readonly aioMaxBatch?: number
  readonly prManager?: string
  readonly dropCache?: boolean
  readonly checkCacheDropped?: boolean
}

/** The schema of `FileOptions`. */
export const fileOptions: OptionSchema<FileOptions> = {
  filename: { name: 'filename', type: 'string', required: true, strong: true, help: 'File name of the image' },
  aio: { name: 'aio', type: ['threads', 'native', 'io_uring', 'sync'], help: 'host AIO implementation' },
  locking: { name: 'locking', type: ['on', 'off', 'auto'], help: 'file locking mode (on/off/auto, default: auto)' },
  aioMaxBatch: { name: 'aio-max-batch', type: 'number', help: 'AIO max batch size (accepted, without effect)' },
  prManager: { name: 'pr-manager', type: 'string', help: 'id of persistent reservation manager object' },
  dropCache: { name: 'drop-cache', type: 'bool', mutable: true, help: 'invalidate page cache during live migration' },
  checkCacheDropped: {
    name: 'x-check-cache-dropped',
    type: 'bool',
    mutable: true,
    help: 'check that page cache was dropped on live migration',
  },
}

/** Creation options. */
export interface FileCreateOptions {
  /** Bytes. The graph passes the size on its own, rounded; this row is what users write. */
  readonly size?: number | bigint
  readonly preallocation?: 'off' | 'metadata' | 'falloc' | 'full'
  /** Turn off copy-on-write, where the file system has it. */
  readonly nocow?: boolean
  /** Bytes by which the file system should allocate; 0 for its own choice, 1 MiB where absent. */
  readonly extentSizeHint?: number
}

/** The schema of `FileCreateOptions`. */
export const fileCreateOptions: OptionSchema<FileCreateOptions> = {
  size: { name: 'size', type: 'size', help: 'Virtual disk size' },
  nocow: { name: 'nocow', type: 'bool', help: 'Turn off copy-on-write (valid only on btrfs)' },
  preallocation: {
    name: 'preallocation',
    type: ['off', 'metadata', 'falloc', 'full'],
    help: 'Preallocation mode (allowed values: off, falloc, full)',
    enumError: 'value',
  },
  extentSizeHint: {
    name: 'extent_size_hint',
    type: 'size',
    help: 'Extent size hint for the image file, 0 to disable',
  },
}

/**
 * What no schema can say.
 *
 * @param aio - what the options choose, or else the driver's own settings
 * @throws BlockError `EINVAL` with the reference's words
 */
export function checkFileOptions(options: FileOptions, direct: boolean, aio: AioMode | undefined = options.aio): void {
  if (options.prManager !== undefined) {
    throw new BlockError('ENODEV', `No persistent reservation manager with id '${options.prManager}'`)
  }
  if (aio === 'native' && !direct) {
    throw new BlockError(
      'EINVAL',
      'aio=native was specified, but it requires cache.direct=on, which was not specified.',
    )
  }
}

/** Creation options of devices: they are there already, and only have to be large enough. */
export type DeviceCreateOptions = Pick<FileCreateOptions, 'size' | 'preallocation'>

/** The schema of `DeviceCreateOptions`. */
export const deviceCreateOptions: OptionSchema<DeviceCreateOptions> = {
  size: { name: 'size', type: 'size', help: 'Virtual disk size' },
  preallocation: {
    name: 'preallocation',
    type: ['off', 'metadata', 'falloc', 'full'],
    help: 'Preallocation mode (allowed values: off)',
    enumError: 'value',
  },
}
