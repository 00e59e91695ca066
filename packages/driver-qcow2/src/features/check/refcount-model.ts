/** How many references each cluster should have: counted by the walkers, in memory. */

import { BlockError } from '@blocklayer/block-core/driver'
import type { Geometry } from '../../format/geometry.ts'
import type { Findings } from './findings.ts'
import { RefcountChunk } from './refcount-chunk.ts'

/** What the model is made of. */
export interface RefcountModelOptions {
  readonly geometry: Geometry
  readonly findings: Findings
  /** Bytes of the image file, now: asked for at the start, and when the model follows the file. */
  fileLength(): number
  report(line: string): void
}

/**
 * Reference counts as they follow from the tables. Walkers only add to it, the comparison only reads it, and a rebuild
 * writes slices of it as refcount blocks.
 *
 * It takes memory where something is referred to: a file may be said, or made, to be terabytes long for nothing.
 *
 * @see QEMU 7.2 block/qcow2-refcount.c: qcow2_inc_refcounts_imrt
 */
export class RefcountModel {
  readonly #options: RefcountModelOptions
  /** The counts of one or several refcount blocks each; a chunk of zeroes is left out. */
  #chunks: (RefcountChunk | undefined)[] = []
  readonly #zeroes: Uint8Array
  /** Bytes of a chunk as refcount blocks. */
  readonly #chunkBytes: number
  readonly #chunkClusters: number
  /** The chunk that a comparison looks at, as refcount blocks. */
  readonly #laidOut: Uint8Array
  #laidOutChunk: RefcountChunk | undefined
  #clusterCount: number
  #fileLength = 0

  constructor(options: RefcountModelOptions) {
    this.#options = options
    const { clusterSize, refcountBits } = options.geometry
    this.#chunkBytes = Math.max(chunkBytesMin, clusterSize)
    this.#zeroes = new Uint8Array(this.#chunkBytes)
    this.#laidOut = new Uint8Array(this.#chunkBytes)
    this.#chunkClusters = (this.#chunkBytes * 8) / refcountBits
    this.#clusterCount = this.#clustersOfFile()
  }

  /** Clusters that the comparison looks at: those of the file, and one more where a table ends right behind it. */
  get clusterCount(): number {
    return this.#clusterCount
  }

  /** The file has become longer. */
  followFile(): void {
    this.#clusterCount = Math.max(this.#clusterCount, this.#clustersOfFile())
  }

  /** References counted to cluster number `cluster`. */
  get(cluster: number): number {
    return this.#chunks[Math.floor(cluster / this.#chunkClusters)]?.get(this.#indexOf(cluster)) ?? 0
  }

  /** Forgets every reference and follows the file's length. */
  clear(): void {
    this.#clusterCount = this.#clustersOfFile()
    this.#chunks = []
    this.#laidOutChunk = undefined
  }

  /**
   * Counts a reference to every cluster that the range touches.
   *
   * A range that ends a cluster or more behind the file's end is a corruption and not counted; so is a count that the
   * width cannot hold.
   */
  add(offset: number, bytes: number): void {
    if (bytes <= 0) return
    const { geometry } = this.#options
    if (offset + bytes - this.#fileLength >= geometry.clusterSize) {
      this.#outside(offset, bytes)
      return
    }
    const first = Math.floor(offset / geometry.clusterSize)
    const last = Math.floor((offset + bytes - 1) / geometry.clusterSize)
    this.#clusterCount = Math.max(this.#clusterCount, last + 1)
    for (let cluster = first; cluster <= last; cluster++) {
      if (!this.#increment(cluster)) this.#overflow(cluster)
    }
  }

  /** @returns false where the count is the largest that the width can hold */
  #increment(cluster: number): boolean {
    const chunk = this.#chunkFor(cluster)
    if (chunk === this.#laidOutChunk) this.#laidOutChunk = undefined
    try {
      return chunk.increment(this.#indexOf(cluster), this.#options.geometry.refcountMax)
    } catch (error) {
      throw outOfMemory(error)
    }
  }

  #outside(offset: number, bytes: number): void {
    const { findings, report } = this.#options
    const place = `offset 0x${offset.toString(16)} size 0x${bytes.toString(16)}`
    const what = 'counting reference for region exceeding the end of the file by one cluster or more'
    report(`ERROR: ${what}: ${place}`)
    findings.corruptions++
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
    let first = this.#nextFree(from)
    for (let run = 1; run < count; ) {
      if (this.get(first + run) === 0) run++
      else {
        first = this.#nextFree(first + run + 1)
        run = 1
      }
    }
    for (let cluster = first; cluster < first + count; cluster++) this.#increment(cluster)
    return first
  }

  #nextFree(from: number): number {
    for (let cluster = from; ; ) {
      const chunk = this.#chunks[Math.floor(cluster / this.#chunkClusters)]
      if (chunk === undefined) return cluster
      const index = this.#indexOf(cluster)
      const found = chunk.nextFree(index)
      cluster += found - index
      if (found < this.#chunkClusters) return cluster
    }
  }

  /** First cluster at or after `from` that something refers to, or -1. */
  nextUsed(from: number): number {
    for (let number = Math.floor(from / this.#chunkClusters); number < this.#chunks.length; number++) {
      const start = number * this.#chunkClusters
      const found = this.#chunks[number]?.nextUsed(Math.max(0, from - start)) ?? -1
      if (found >= 0) return start + found
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
    const chunk = this.#chunks[Math.floor(from / this.#chunkClusters)]
    if (chunk === undefined && block === undefined) return end
    const [mine, theirs] = [this.#layOut(chunk), block ?? this.#zeroes]
    const start = this.#indexOf(from)
    let at = Math.floor((start * refcountBits) / 8)
    const last = Math.ceil(((start + end - from) * refcountBits) / 8)
    const blockStart = at - (at % clusterSize)
    while (at < last && mine[at] === theirs[at - blockStart]) at++
    return at >= last ? end : Math.min(end, Math.max(from, from - start + Math.floor((at * 8) / refcountBits)))
  }

  /** The chunk as refcount blocks; another chunk's take their place. */
  #layOut(chunk: RefcountChunk | undefined): Uint8Array {
    if (chunk === undefined) return this.#zeroes
    if (chunk !== this.#laidOutChunk) chunk.copyTo(this.#laidOut)
    this.#laidOutChunk = chunk
    return this.#laidOut
  }

  /**
   * Last cluster from `from` to before `end` that something refers to, or -1.
   *
   * @param end - at most the first cluster of the next block
   */
  lastUsed(from: number, end: number): number {
    const first = this.#indexOf(from)
    const found = this.#chunks[Math.floor(from / this.#chunkClusters)]?.lastUsed(first, first + end - from) ?? -1
    return found < 0 ? -1 : from - first + found
  }

  /** The counts of refcount block number `index` as that block's bytes, copied. */
  block(index: number): Uint8Array {
    const { clusterSize, refblockEntries } = this.#options.geometry
    const first = index * refblockEntries
    const start = (this.#indexOf(first) / refblockEntries) * clusterSize
    const blocks = this.#layOut(this.#chunks[Math.floor(first / this.#chunkClusters)])
    return blocks.slice(start, start + clusterSize)
  }

  /** Number of the cluster's count in its chunk. */
  #indexOf(cluster: number): number {
    return cluster % this.#chunkClusters
  }

  /** @throws BlockError `ENOMEM` */
  #chunkFor(cluster: number): RefcountChunk {
    const number = Math.floor(cluster / this.#chunkClusters)
    const found = this.#chunks[number]
    if (found !== undefined) return found
    // A list, not a table of names: an engine may take far indices for the latter.
    while (this.#chunks.length <= number) this.#chunks.push(undefined)
    try {
      const chunk = new RefcountChunk(this.#chunkClusters, this.#options.geometry.refcountOrder)
      this.#chunks[number] = chunk
      return chunk
    } catch (error) {
      throw outOfMemory(error)
    }
  }

  #clustersOfFile(): number {
    this.#fileLength = this.#options.fileLength()
    const count = Math.ceil(this.#fileLength / this.#options.geometry.clusterSize)
    if (count > clustersMax) throw BlockError.fromErrno('EFBIG')
    return count
  }
}

/** How much is needed follows from what the tables refer to, which anybody can make up. */
function outOfMemory(error: unknown): unknown {
  return error instanceof RangeError ? BlockError.fromErrno('ENOMEM', { cause: error }) : error
}

/** Clusters of the largest file that the reference checks. */
export const clustersMax: number = 2 ** 31 - 1

/** Small enough that single references all over a large file take little, large enough that chunks are few. */
const chunkBytesMin = 16_384
