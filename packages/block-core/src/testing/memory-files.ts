/** A protocol whose files are named stores in memory: what tests need that open, create or find images by name. */

import { type BlockDriver, defineDriver } from '../driver/block-driver.ts'
import type { BlockLayer, WriteSupport } from '../driver/block-layer.ts'
import { BlockError } from '../errors.ts'
import { MemoryStore, memoryLayer } from './memory-driver.ts'

/** Options of a file in memory. */
export interface MemoryFileOptions {
  /** Key of the store, without the prefix. */
  readonly filename: string
}

/** Creation options of a file in memory. */
export interface MemoryFileCreateOptions {
  /** Bytes. */
  readonly size?: number | bigint
}

/** How files in memory behave. */
export interface MemoryFilesSettings {
  /** Makes the store of a new file; default: a plain `MemoryStore`. */
  readonly newStore?: (bytes: number) => MemoryStore
  /** Awaited before each request; see `randomPace`. */
  readonly pace?: () => Promise<void>
}

/**
 * Files in memory: a driver to put into a graph, and what became of its nodes.
 *
 * @example
 * import { createBlockGraph } from '@blocklayer/block-core'
 * import { MemoryFiles } from '@blocklayer/block-core/testing'
 * import { rawDriver } from '@blocklayer/driver-raw'
 *
 * const files = new MemoryFiles()
 * await using graph = createBlockGraph({ drivers: [files.driver, rawDriver], implicitOpen: 'deny' })
 * await graph.create('raw', 'mem:disk', { size: 1024 * 1024 })
 * const disk = await graph.open('mem:disk', { format: 'raw' })
 * console.log(disk.length, files.openNodes)
 */
export class MemoryFiles {
  /** The files by name, without the prefix. */
  readonly stores: Map<string, MemoryStore> = new Map()
  /** Claims `mem:NAME`. */
  readonly driver: BlockDriver<MemoryFileOptions, MemoryFileCreateOptions>
  /** Nodes that were opened and not closed. */
  openNodes = 0
  /** Requests under way. */
  requests = 0
  /** Requests that were under way when their node was closed, or came later: each is a mistake of the driver above. */
  lateRequests = 0

  constructor(settings: MemoryFilesSettings = {}) {
    this.driver = filesDriver(this, settings)
  }
}

const prefix = 'mem:'

function plainName(filename: string): string {
  return filename.startsWith(prefix) ? filename.slice(prefix.length) : filename
}

function filesDriver(
  files: MemoryFiles,
  settings: MemoryFilesSettings,
): BlockDriver<MemoryFileOptions, MemoryFileCreateOptions> {
  const { stores } = files
  return defineDriver<MemoryFileOptions, MemoryFileCreateOptions>({
    formatName: 'mem',
    protocolName: 'mem',
    kind: 'protocol',
    needsFilename: true,
    canonicalName: (filename) => (stores.has(plainName(filename)) ? prefix + plainName(filename) : undefined),
    options: { filename: { name: 'filename', type: 'string', required: true, help: 'key of the store' } },
    create: {
      options: { size: { name: 'size', type: 'size', help: 'Virtual disk size' } },
      run: async ({ filename, size }) => {
        const make = settings.newStore ?? ((bytes: number) => new MemoryStore(bytes))
        stores.set(plainName(filename), make(Number(size)))
      },
      remove: async (filename) => void stores.delete(plainName(filename)),
    },
    open: async (_context, { filename }) => {
      const name = plainName(filename)
      const store = stores.get(name)
      if (store === undefined) throw BlockError.withErrno('ENOENT', `Could not open '${filename}'`)
      files.openNodes++
      const layer = memoryLayer(settings.pace === undefined ? { store } : { store, pace: settings.pace })
      return watched(files, store, layer, prefix + name)
    },
  })
}

/** `layer`, with its requests counted. */
function watched(files: MemoryFiles, store: MemoryStore, layer: BlockLayer, filename: string): BlockLayer {
  let closed = false
  let requests = 0
  const count = async <T>(request: () => Promise<T>): Promise<T> => {
    if (closed) files.lateRequests++
    requests++
    files.requests++
    try {
      return await request()
    } finally {
      requests--
      files.requests--
    }
  }
  return {
    ...layer,
    // A getter does not survive being copied.
    get length() {
      return store.length
    },
    read: (offset, into) => count(() => layer.read(offset, into)),
    flushToDisk: () => count(async () => layer.flushToDisk?.()),
    writer: watchedWriter(layer.writer!, count),
    exactFilename: () => filename,
    close: async () => {
      closed = true
      files.openNodes--
      files.lateRequests += requests
    },
  }
}

function watchedWriter(writer: WriteSupport, count: <T>(request: () => Promise<T>) => Promise<T>): WriteSupport {
  return {
    ...writer,
    write: (offset, data, flags) => count(() => writer.write(offset, data, flags)),
    writeZeroes: (offset, bytes, flags) => count(async () => writer.writeZeroes?.(offset, bytes, flags)),
    discard: (offset, bytes) => count(async () => writer.discard?.(offset, bytes)),
    truncate: (length, options) => count(async () => writer.truncate?.(length, options)),
  }
}
