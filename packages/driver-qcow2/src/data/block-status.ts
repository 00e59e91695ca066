/** Where guest bytes come from, for `map`, `convert` and jobs. */

import type { BlockStatus, Child } from '@blocklayer/block-core/driver'
import type { Geometry, GuestOffset } from '../format/geometry.ts'
import type { Lookup } from '../mapping/lookup.ts'
import type { DataFile } from '../metadata/data-file.ts'
import type { MetadataLock } from '../metadata/metadata-lock.ts'
import type { Refblocks } from '../refcount/refblock.ts'

/** What status queries are made of. */
export interface BlockStatusReporterOptions {
  readonly file: Child
  readonly data: DataFile
  readonly geometry: Geometry
  readonly lock: MetadataLock
  readonly lookup: Lookup
  readonly refblocks: Refblocks
}

/**
 * Answers status queries.
 *
 * @see QEMU 7.2 block/qcow2.c: qcow2_co_block_status; block/qcow2-refcount.c: qcow2_detect_metadata_preallocation
 */
export class BlockStatusReporter {
  readonly #parts: BlockStatusReporterOptions
  #preallocated: boolean | undefined

  constructor(options: BlockStatusReporterOptions) {
    this.#parts = options
  }

  /** Status of the uniform run at `offset`. */
  async blockStatus(offset: number, bytes: number): Promise<BlockStatus> {
    const { lock, lookup, data } = this.#parts
    return lock.run(async () => {
      const run = await lookup.find(offset as GuestOffset, bytes)
      switch (run.type) {
        case 'unallocated':
          // A table that is not there says nothing slice by slice: gaps of a large disk are told in one go.
          return {
            bytes: Math.max(run.bytes, lookup.bytesWithoutTable(offset as GuestOffset, bytes)),
            data: false,
            zero: false,
          }
        case 'unallocated-alloc':
          return { bytes: run.bytes, data: false, zero: false, hostOffset: run.hostOffset, child: data.childName }
        case 'zero-plain':
          return { bytes: run.bytes, data: false, zero: true }
        case 'zero-alloc':
          return { bytes: run.bytes, data: false, zero: true, hostOffset: run.hostOffset, child: data.childName }
        case 'compressed':
          return { bytes: run.bytes, data: true, zero: false, compressed: true }
        case 'normal': {
          this.#preallocated ??= await this.#isPreallocated()
          return {
            bytes: run.bytes,
            data: true,
            zero: false,
            hostOffset: run.hostOffset,
            child: data.childName,
            recurse: this.#preallocated,
          }
        }
      }
    })
  }

  /**
   * Whether many more clusters are in use than the host has blocks for: then only the file knows which of them were
   * ever written. Counted once.
   */
  async #isPreallocated(): Promise<boolean> {
    const { file, geometry, refblocks } = this.#parts
    const allocated = await file.allocatedBytes()
    if (allocated === undefined) return false
    const real = Math.ceil(allocated / geometry.clusterSize)
    const enough = Math.max(Math.floor((real * 10) / 9), real + 2)
    const clusterCount = Math.ceil(file.length / geometry.clusterSize)
    if (clusterCount < enough) return false
    return (await refblocks.countUsed(clusterCount, enough)) >= enough
  }
}
