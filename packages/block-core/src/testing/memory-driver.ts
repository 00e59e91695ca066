/** A protocol whose storage is an array: what tests put under a format. */

import { type BlockDriver, defineDriver, type NodeSpec, nodeSpec } from '../driver/block-driver.ts'
import type { BlockLayer, WriteSupport } from '../driver/block-layer.ts'
import type { BlockStatus } from '../driver/requests.ts'
import { alignUp } from '../util/align.ts'

/**
 * Bytes in memory that grow as they are written. Several nodes may be opened on one store, one after the other.
 *
 * @example
 * import { createBlockGraph } from '@blocklayer/block-core'
 * import { MemoryStore, memory } from '@blocklayer/block-core/testing'
 *
 * const store = new MemoryStore(1024 * 1024)
 * await using graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
 * const disk = await graph.open(memory(store))
 * await disk.write(0, Uint8Array.of(1, 2, 3))
 * console.log(store.bytes().subarray(0, 3))
 */
export class MemoryStore {
  #bytes: Uint8Array
  #length: number
  /** Flushes that reached the store. */
  flushes = 0
  /** True while `resize` is part of a write or zero write. */
  protected growing = false

  constructor(content: Uint8Array | number = 0) {
    this.#bytes = typeof content === 'number' ? new Uint8Array(content) : content.slice()
    this.#length = this.#bytes.length
  }

  /** Bytes, now. */
  get length(): number {
    return this.#length
  }

  /** The content now, as a copy. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  /** Fills `into`; what lies past the end is zeroes. */
  read(offset: number, into: Uint8Array): void {
    const available = Math.max(0, Math.min(into.length, this.#length - offset))
    into.set(this.#bytes.subarray(offset, offset + available))
    into.fill(0, available)
  }

  /** Writes, and grows as far as needed. */
  write(offset: number, data: Uint8Array): void {
    this.#growTo(offset + data.length)
    this.#bytes.set(data, offset)
  }

  /** Writes zeroes, and grows as far as needed. */
  zero(offset: number, bytes: number): void {
    this.#growTo(offset + bytes)
    this.#bytes.fill(0, offset, offset + bytes)
  }

  /** Called for every discard, cut at the end; discarded bytes read as zeroes. */
  discard(offset: number, bytes: number): void {
    this.zero(offset, bytes)
  }

  #growTo(end: number): void {
    if (end <= this.#length) return
    this.growing = true
    this.resize(end)
    this.growing = false
  }

  /** Called for every flush. */
  flush(): void {
    this.flushes++
  }

  /** Makes the content this long; what is added is zeroes. */
  resize(length: number): void {
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(alignUp(Math.max(length, this.#bytes.length * 2), 4096))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    } else if (length < this.#length) {
      // What was cut off must not come back when the store grows again.
      this.#bytes.fill(0, length, this.#length)
    }
    this.#length = length
  }
}

/** Options of the memory driver. */
export interface MemoryOptions {
  readonly store: MemoryStore
  /** Bytes; every request is a multiple. Default 1. */
  readonly requestAlignment?: number
  /** `false`: zero writes are refused, so that the core's fallback runs. Default true. */
  readonly zeroes?: boolean
  /** Awaited before each request (see `randomPace`), so that requests in flight overtake each other. */
  readonly pace?: () => Promise<void>
}

/** The driver; describe nodes with `memory(store)`. */
export const memoryDriver: BlockDriver<MemoryOptions, never> = defineDriver<MemoryOptions>({
  formatName: 'memory',
  protocolName: 'memory',
  kind: 'protocol',
  options: {
    store: { name: 'store', type: 'string', help: 'the store (only in code)' },
    requestAlignment: { name: 'request-alignment', type: 'size', help: 'every request is a multiple' },
    zeroes: { name: 'zeroes', type: 'bool', help: 'whether zero writes are done' },
    pace: { name: 'pace', type: 'string', help: 'awaited before each request (only in code)' },
  },
  open: (_context, options) => Promise.resolve(memoryLayer(options)),
})

/** Describes a node over `store`. */
export function memory(store: MemoryStore, options: Omit<MemoryOptions, 'store'> = {}): NodeSpec<MemoryOptions> {
  return nodeSpec(memoryDriver, { ...options, store })
}

/** The behaviour of a node over `options.store`. */
export function memoryLayer(options: MemoryOptions): BlockLayer {
  const { store, pace } = options
  return {
    get length() {
      return store.length
    },
    limits: { requestAlignment: options.requestAlignment ?? 1 },
    read: async (offset, into) => {
      await pace?.()
      store.read(offset, into)
    },
    flushToDisk: async () => {
      await pace?.()
      store.flush()
    },
    writer: memoryWriter(options),
    mapping: {
      blockStatus: async (offset, bytes): Promise<BlockStatus> => ({
        bytes,
        data: true,
        zero: false,
        hostOffset: offset,
      }),
    },
    hasZeroInit: async () => true,
    reopen: async () => {},
    close: async () => {},
  }
}

function memoryWriter({ store, zeroes, pace }: MemoryOptions): WriteSupport {
  const base: WriteSupport = {
    write: async (offset, data) => {
      await pace?.()
      store.write(offset, data)
    },
    discard: async (offset, bytes) => {
      await pace?.()
      store.discard(offset, Math.min(bytes, store.length - offset))
    },
    truncate: async (length) => {
      await pace?.()
      store.resize(length)
    },
    truncateFlags: { zeroNewArea: true },
  }
  if (zeroes === false) return base
  return {
    ...base,
    zeroFlags: { mayUnmap: true, noFallback: true },
    writeZeroes: async (offset, bytes) => {
      await pace?.()
      store.zero(offset, bytes)
    },
  }
}
