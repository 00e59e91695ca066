/** An open slab image: what the block layer asks, and who answers. */

import type {
  BlockLayer,
  CheckSupport,
  Child,
  LayerInfo,
  LayerLimits,
  MappingSupport,
} from '@blocklayer/block-core/driver'
import type { ClusterTable } from './cluster-table.ts'
import type { SlabHeader } from './format.ts'
import { SlabWriter } from './slab-writer.ts'

/** Guest bytes lie where the table says, or read as zeroes. */
export class SlabLayer implements BlockLayer {
  readonly limits: LayerLimits
  readonly writer: SlabWriter
  readonly mapping: MappingSupport
  readonly checker: CheckSupport
  readonly #file: Child
  readonly #header: SlabHeader
  readonly #table: ClusterTable

  constructor(file: Child, header: SlabHeader, table: ClusterTable) {
    const { clusterBytes } = header
    this.#file = file
    this.#header = header
    this.#table = table
    this.limits = { requestAlignment: 512, zeroAlignment: clusterBytes, discardAlignment: clusterBytes }
    this.writer = new SlabWriter(file, header, table)
    this.mapping = {
      blockStatus: async (offset, bytes) => {
        const run = table.runAt(offset, bytes)
        const data = run.fileOffset !== undefined
        return { bytes: run.bytes, data, zero: !data, hostOffset: run.fileOffset }
      },
    }
    this.checker = { check: () => this.#check() }
  }

  get length(): number {
    return this.writer.size
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    for (let done = 0; done < into.length; ) {
      const run = this.#table.runAt(offset + done, into.length - done)
      const part = into.subarray(done, done + run.bytes)
      if (run.fileOffset === undefined) part.fill(0)
      else await this.#file.read(run.fileOffset, part)
      done += run.bytes
    }
  }

  flushToOs(): Promise<void> {
    return this.writer.flushTable()
  }

  async #check(): ReturnType<CheckSupport['check']> {
    const { clusterBytes, capacity } = this.#header
    const { allocated, shared, beyond } = this.#table.count(this.#file.length)
    return {
      corruptions: shared + beyond,
      // A cluster that no entry names is used again after the next opening: it is not lost.
      leaks: 0,
      checkErrors: 0,
      corruptionsFixed: 0,
      leaksFixed: 0,
      imageEndOffset: this.#file.length,
      clusters: {
        total: Math.min(capacity, Math.ceil(this.length / clusterBytes)),
        allocated,
        fragmented: 0,
        compressed: 0,
      },
    }
  }

  info(): LayerInfo {
    const { clusterBytes, capacity } = this.#header
    return { clusterSize: clusterBytes, specific: { type: 'slab', data: { 'max-size': capacity * clusterBytes } } }
  }

  hasZeroInit(): Promise<boolean> {
    return Promise.resolve(true)
  }

  /** Nothing depends on the mode: before a node becomes read-only the graph flushes it. */
  async reopen(): Promise<void> {}

  /** The graph has flushed, and the table holds nothing else. */
  async close(): Promise<void> {}
}
