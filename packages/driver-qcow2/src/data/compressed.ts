/** Reading compressed clusters. */

import { BlockError, type Child } from '@blocklayer/block-core/driver'
import { type Geometry, type GuestOffset, offsetInCluster } from '../format/geometry.ts'
import { compressedBytes, compressedOffset } from '../format/l2-entry.ts'
import type { Run } from '../mapping/lookup.ts'

/**
 * Decompresses what a cluster was compressed to.
 *
 * @param input - the compressed bytes, possibly followed by foreign ones
 * @param into - filled completely
 * @throws where the stream is broken or gives fewer bytes
 */
export type Decompress = (input: Uint8Array, into: Uint8Array) => Promise<void> | void

/** What compressed reads are made of. */
export interface CompressedReaderOptions {
  readonly file: Child
  readonly geometry: Geometry
  readonly decompress: Decompress
}

/**
 * Reads from compressed clusters, which are always decompressed as a whole.
 *
 * @see QEMU 7.2 block/qcow2.c: qcow2_co_preadv_compressed
 */
export class CompressedReader {
  readonly #parts: CompressedReaderOptions
  /** Where the last read had its input; taken by the read that uses it, so that reads side by side have their own. */
  #spare: Uint8Array | undefined

  constructor(options: CompressedReaderOptions) {
    this.#parts = options
  }

  /**
   * Fills `into`, which lies inside one cluster, with the guest bytes at `offset`.
   *
   * @throws BlockError `EIO` where the stream is broken
   */
  async read(run: Pick<Run, 'high' | 'low'>, offset: GuestOffset, into: Uint8Array): Promise<void> {
    const { file, geometry, decompress } = this.#parts
    const input = this.#takeInput(compressedBytes(geometry, run.high, run.low))
    await file.debugEvent('read_compressed')
    await file.read(compressedOffset(geometry, run.high, run.low), input)
    const inCluster = offsetInCluster(geometry, offset)
    const isWhole = inCluster === 0 && into.length === geometry.clusterSize
    const cluster = isWhole ? into : new Uint8Array(geometry.clusterSize)
    try {
      await decompress(input, cluster)
    } catch (error) {
      throw BlockError.fromErrno('EIO', { cause: error })
    }
    this.#spare = input
    if (!isWhole) into.set(cluster.subarray(inCluster, inCluster + into.length))
  }

  /** A new piece of memory for each cluster would wait for the garbage collector, dozens of mebibytes of them. */
  #takeInput(bytes: number): Uint8Array {
    const spare = this.#spare
    this.#spare = undefined
    if (spare === undefined || spare.buffer.byteLength < bytes) return new Uint8Array(bytes)
    return new Uint8Array(spare.buffer, 0, bytes)
  }
}
