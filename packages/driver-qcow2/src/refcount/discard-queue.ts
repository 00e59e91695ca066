/** Freed clusters that must not be used again, nor punched out of the file, before the tables that forget them are durable. */

import { type Child, toBlockError } from '@blocklayer/block-core/driver'
import type { Geometry } from '../format/geometry.ts'
import type { HostReads } from './host-reads.ts'

/**
 * Why a cluster is freed; decides whether the hole is passed down to the file.
 *
 * @see QEMU 7.2 block/qcow2.h: qcow2_discard_type
 */
export type DiscardClass = 'never' | 'always' | 'request' | 'snapshot' | 'other'

/** Which classes are passed down. */
export type DiscardPassthrough = Readonly<Record<DiscardClass, boolean>>

/** Runs held before a flush is asked for: 136 KiB of memory at most. More are held only while that flush fails. */
const runsMax = 4096

/** Runs that there is room for in the beginning: most images free little, or nothing. */
const runsAtFirst = 64

/**
 * A sorted list of runs of freed clusters.
 *
 * The reference punches a freed cluster, and hands it out again, while the L2 entry that pointed to it may still be on
 * disk. After a power cut that entry shows zeroes, or another guest cluster's data. Here both wait for the flush that
 * makes the L2 tables durable; nobody has to ask for it, since the file's next flush does it anyway.
 *
 * @see spec/qcow2.md, section 4.4 and gotcha 24
 */
export class DiscardQueue {
  readonly #file: Pick<Child, 'discard'>
  readonly #geometry: Geometry
  readonly #reads: HostReads
  #passthrough: DiscardPassthrough
  #count = 0
  /** First cluster, number of clusters and whether to punch, of each run, in ascending order. */
  #firsts: Float64Array = new Float64Array(runsAtFirst)
  #lengths: Float64Array = new Float64Array(runsAtFirst)
  #punch: Uint8Array = new Uint8Array(runsAtFirst)
  #releaseListener: ((firstCluster: number) => void) | undefined

  constructor(options: {
    file: Pick<Child, 'discard'>
    geometry: Geometry
    reads: HostReads
    passthrough: DiscardPassthrough
  }) {
    this.#file = options.file
    this.#geometry = options.geometry
    this.#reads = options.reads
    this.#passthrough = options.passthrough
  }

  /** Changes which classes are passed down (reopen). */
  configure(passthrough: DiscardPassthrough): void {
    this.#passthrough = passthrough
  }

  /** Whether discards of this class are passed down. */
  passes(discard: DiscardClass): boolean {
    return this.#passthrough[discard]
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** Whether the tables should be flushed before more is added. */
  get isFull(): boolean {
    return this.#count >= runsMax
  }

  /** Names who is told which clusters have become free to use. */
  onRelease(listener: (firstCluster: number) => void): void {
    this.#releaseListener = listener
  }

  /** Whether cluster number `cluster` is waiting. */
  holds(cluster: number): boolean {
    const at = this.#position(cluster)
    return at > 0 && cluster < this.#firsts[at - 1]! + this.#lengths[at - 1]!
  }

  /**
   * Takes freed clusters in until `release`. The caller looks at `isFull` now and then.
   *
   * @param first - cluster number
   */
  add(first: number, clusterCount: number, discard: DiscardClass): void {
    const punch = this.#passthrough[discard] ? 1 : 0
    const at = this.#position(first)
    const before = at - 1
    if (before >= 0 && this.#punch[before] === punch && this.#firsts[before]! + this.#lengths[before]! === first) {
      this.#lengths[before]! += clusterCount
      return
    }
    if (at < this.#count && this.#punch[at] === punch && first + clusterCount === this.#firsts[at]) {
      this.#firsts[at] = first
      this.#lengths[at]! += clusterCount
      return
    }
    if (this.#count === this.#firsts.length) this.#grow()
    this.#firsts.copyWithin(at + 1, at, this.#count)
    this.#lengths.copyWithin(at + 1, at, this.#count)
    this.#punch.copyWithin(at + 1, at, this.#count)
    this.#firsts[at] = first
    this.#lengths[at] = clusterCount
    this.#punch[at] = punch
    this.#count++
  }

  /**
   * Lets go of everything: punches what the policy says and makes all clusters free to use. To be called when all
   * changed L2 tables are durable.
   *
   * Reads that were told a place before it was freed get its old content: while there are any, all waits for the next
   * flush, or for them if the list is full.
   */
  async release(): Promise<void> {
    if (!this.#reads.active || this.isFull) await this.releaseAll()
  }

  /** As `release`, but waits for the reads: nothing is held back afterwards. */
  async releaseAll(): Promise<void> {
    const count = this.#count
    if (count === 0) return
    await this.#reads.idle()
    const { clusterSize } = this.#geometry
    for (let run = 0; run < count; run++) {
      if (this.#punch[run] === 0) continue
      await this.#discard(this.#firsts[run]! * clusterSize, this.#lengths[run]! * clusterSize)
    }
    const first = this.#firsts[0]!
    this.#count = 0
    this.#releaseListener?.(first)
  }

  /** Punches clusters that nothing on disk refers to any more, at once. */
  async punch(first: number, clusterCount: number, discard: DiscardClass): Promise<void> {
    if (!this.#passthrough[discard]) return
    const { clusterSize } = this.#geometry
    await this.#discard(first * clusterSize, clusterCount * clusterSize)
  }

  /** A hole that cannot be punched only costs space, and the clusters are free all the same: no reason to fail. */
  async #discard(offset: number, bytes: number): Promise<void> {
    try {
      await this.#file.discard(offset, bytes)
    } catch (error) {
      toBlockError(error)
    }
  }

  /** Forgets all runs without touching the file: every cluster has got a new meaning (an emptied image). */
  clear(): void {
    this.#count = 0
  }

  /** A run that does not fit must not be lost: its clusters would be used again while the disk still refers to them. */
  #grow(): void {
    const length = 2 * this.#firsts.length
    const firsts = new Float64Array(length)
    const lengths = new Float64Array(length)
    const punch = new Uint8Array(length)
    firsts.set(this.#firsts)
    lengths.set(this.#lengths)
    punch.set(this.#punch)
    this.#firsts = firsts
    this.#lengths = lengths
    this.#punch = punch
  }

  /** How many runs begin at or before `cluster`. */
  #position(cluster: number): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#firsts[middle]! <= cluster) low = middle + 1
      else high = middle
    }
    return low
  }
}
