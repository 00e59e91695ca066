/** How many references each cluster should have: counted by the walkers, in memory, with the image's own width. */

import { BlockError } from '@blocklayer/block-core/driver'
import { findZeroRefcount, getRefcount, setRefcount } from '../../format/refcount-bits.ts'
import type { Geometry } from '../../format/geometry.ts'
import type { Findings } from './findings.ts'

/** What the model is made of. */
export interface RefcountModelOptions {
  readonly geometry: Geometry
  readonly findings: Findings
  /** Bytes of the image file, now. */
  fileLength(): number
  report(line: string): void
}

/**
 * Reference counts as they follow from the tables. Walkers only add to it, the comparison only reads it, and a rebuild
 * writes slices of it as refcount blocks.
 *
 * @see QEMU 7.2 block/qcow2-refcount.c: qcow2_inc_refcounts_imrt
 */
export class RefcountModel {
  readonly #options: RefcountModelOptions
  /** Whole refcount blocks, laid out as on disk. */
  #bytes: Uint8Array
  #clusterCount: number

  constructor(options: RefcountModelOptions) {
    this.#options = options
    this.#clusterCount = this.#clustersOfFile()
    this.#bytes = zeroes(this.#bytesFor(this.#clusterCount))
  }

  /** Clusters that the comparison looks at: those of the file, and one more where a table ends right behind it. */
  get clusterCount(): number {
    return this.#clusterCount
  }

  /** Clusters that the model has room for, at least `clusterCount`. */
  get capacity(): number {
    return this.#bytes.length * (8 / this.#options.geometry.refcountBits)
  }

  /** The file has become longer. */
  followFile(): void {
    this.#clusterCount = Math.max(this.#clusterCount, this.#clustersOfFile())
    this.#reserve(this.#clusterCount)
  }

  /** References counted to cluster number `cluster`. */
  get(cluster: number): number {
    return cluster < this.capacity ? getRefcount(this.#bytes, this.#options.geometry.refcountOrder, cluster) : 0
  }

  /** Forgets every reference and follows the file's length. */
  clear(): void {
    this.#clusterCount = this.#clustersOfFile()
    this.#bytes = zeroes(this.#bytesFor(this.#clusterCount))
  }

  /**
   * Counts a reference to every cluster that the range touches.
   *
   * A range that ends a cluster or more behind the file's end is a corruption and not counted; so is a count that the
   * width cannot hold.
   */
  add(offset: number, bytes: number): void {
    if (bytes <= 0) return
    const { geometry, findings, report, fileLength } = this.#options
    if (offset + bytes - fileLength() >= geometry.clusterSize) {
      const place = `offset 0x${offset.toString(16)} size 0x${bytes.toString(16)}`
      const what = 'counting reference for region exceeding the end of the file by one cluster or more'
      report(`ERROR: ${what}: ${place}`)
      findings.corruptions++
      return
    }
    const first = Math.floor(offset / geometry.clusterSize)
    const last = Math.floor((offset + bytes - 1) / geometry.clusterSize)
    this.#reserve(last + 1)
    this.#clusterCount = Math.max(this.#clusterCount, last + 1)
    for (let cluster = first; cluster <= last; cluster++) {
      const count = getRefcount(this.#bytes, geometry.refcountOrder, cluster)
      if (count < geometry.refcountMax) setRefcount(this.#bytes, geometry.refcountOrder, cluster, count + 1)
      else this.#overflow(cluster)
    }
  }

  #overflow(cluster: number): void {
    const { geometry, findings, report } = this.#options
    report(`ERROR: overflow cluster offset=0x${(cluster * geometry.clusterSize).toString(16)}`)
    report(
      'Use qemu-img amend to increase the refcount entry width or qemu-img convert to create a clean copy if the ' +
        'image cannot be opened for writing',
    )
    findings.corruptions++
  }

  /** Takes `count` clusters in a row that nothing refers to, the first such at or after `from`. */
  allocate(from: number, count = 1): number {
    const { refcountOrder } = this.#options.geometry
    let first = from
    for (let run = 0; run < count; ) {
      if (this.get(first + run) === 0) run++
      else {
        first = findZeroRefcount(this.#bytes, refcountOrder, first + run + 1, this.capacity)
        run = 0
      }
    }
    this.#reserve(first + count)
    for (let step = 0; step < count; step++) setRefcount(this.#bytes, refcountOrder, first + step, 1)
    return first
  }

  /** First cluster at or after `from` that something refers to, or -1. */
  nextUsed(from: number): number {
    const { refcountBits } = this.#options.geometry
    // Skips whole bytes first: most of a sparse file is free.
    for (let cluster = from; cluster < this.capacity; ) {
      if (this.get(cluster) !== 0) return cluster
      const at = Math.floor(((cluster + 1) * refcountBits) / 8)
      if (((cluster + 1) * refcountBits) % 8 !== 0) {
        cluster++
        continue
      }
      let byte = at
      while (byte < this.#bytes.length && this.#bytes[byte] === 0) byte++
      cluster = Math.max(cluster + 1, Math.floor((byte * 8) / refcountBits))
    }
    return -1
  }

  /**
   * First cluster from `from` on whose count may differ from the one in `block`; `end` where none does. Byte by byte:
   * most of any image is as it should be.
   *
   * @param block - the refcount block that counts `from`; `undefined`: all its counts are zero
   * @param end - at most the first cluster of the next block
   */
  firstDifference(block: Uint8Array | undefined, from: number, end: number): number {
    const { refcountBits, clusterSize } = this.#options.geometry
    const last = Math.min(this.#bytes.length, Math.ceil((end * refcountBits) / 8))
    let at = Math.floor((from * refcountBits) / 8)
    const start = at - (at % clusterSize)
    while (at < last && this.#bytes[at] === (block === undefined ? 0 : block[at - start])) at++
    return at >= last ? end : Math.min(end, Math.max(from, Math.floor((at * 8) / refcountBits)))
  }

  /** Last cluster from `from` to before `end` that something refers to, or -1. */
  lastUsed(from: number, end: number): number {
    const { refcountBits } = this.#options.geometry
    for (let cluster = Math.min(end, this.capacity) - 1; cluster >= from; cluster--) {
      if (this.get(cluster) !== 0) return cluster
      // Whole bytes of free clusters at once.
      let byte = Math.floor((cluster * refcountBits) / 8)
      while (byte > 0 && this.#bytes[byte - 1] === 0) byte--
      if ((cluster * refcountBits) % 8 === 0) cluster = Math.min(cluster, Math.ceil((byte * 8) / refcountBits))
    }
    return -1
  }

  /** The counts of refcount block number `index` as that block's bytes, copied. */
  block(index: number): Uint8Array {
    const { clusterSize } = this.#options.geometry
    const block = new Uint8Array(clusterSize)
    block.set(this.#bytes.subarray(index * clusterSize, (index + 1) * clusterSize))
    return block
  }

  #clustersOfFile(): number {
    const count = Math.ceil(this.#options.fileLength() / this.#options.geometry.clusterSize)
    if (count > clustersMax) throw BlockError.fromErrno('EFBIG')
    return count
  }

  /** Bytes for the counts of `clusters` clusters, in whole refcount blocks. */
  #bytesFor(clusters: number): number {
    const { refblockEntries, clusterSize } = this.#options.geometry
    return Math.max(1, Math.ceil(clusters / refblockEntries)) * clusterSize
  }

  #reserve(clusters: number): void {
    if (clusters <= this.capacity) return
    const bytes = zeroes(this.#bytesFor(clusters))
    bytes.set(this.#bytes)
    this.#bytes = bytes
  }
}

/** Clusters of the largest file that the reference checks. */
const clustersMax = 2 ** 31 - 1

/** @throws BlockError `ENOMEM`: how much is needed follows from the file's length, which anybody can make up */
function zeroes(bytes: number): Uint8Array {
  try {
    return new Uint8Array(bytes)
  } catch (error) {
    throw BlockError.fromErrno('ENOMEM', { cause: error })
  }
}
