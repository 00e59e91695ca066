/** Which guest clusters a stream stores, and where each goes: a bit, and with compression a size, for each of them. */

import { assert } from '@blocklayer/block-core/driver'
import { roundUp } from '../../format/bytes.ts'
import type { Geometry } from '../../format/geometry.ts'

/** Guest clusters of one page of bits. */
const pageClusters = 65536
/** Sizes of one piece of the list; pieces of a fixed length, so that growing never copies. */
const pieceSizes = 65536

/** Guest clusters that were stored, in guest order. */
export class StoredClusters {
  readonly #geometry: Geometry
  /** Bits of the clusters that are stored; a page that is missing has none. */
  readonly #pages = new Map<number, Uint8Array>()
  /** Compressed bytes of each stored cluster, 0 for one that is stored as it is; none without compression. */
  readonly #sizes: (Uint16Array | Uint32Array)[] = []
  readonly #isCompressed: boolean
  #count = 0
  #last = -1
  #tables = 0

  constructor(geometry: Geometry, isCompressed: boolean) {
    this.#geometry = geometry
    this.#isCompressed = isCompressed
  }

  /** Clusters that were added. */
  get count(): number {
    return this.#count
  }

  /** L2 tables that they need. */
  get tableCount(): number {
    return this.#tables
  }

  /**
   * Adds a cluster behind those that are there.
   *
   * @param cluster - number of the guest cluster, above all that were added before
   * @param compressedBytes - 0 for a cluster that is stored as it is
   */
  add(cluster: number, compressedBytes = 0): void {
    assert(cluster > this.#last, 'clusters are stored in guest order')
    const { l2Entries } = this.#geometry
    if (this.#last < 0 || Math.floor(cluster / l2Entries) !== Math.floor(this.#last / l2Entries)) this.#tables++
    const at = cluster % pageClusters
    this.#page(Math.floor(cluster / pageClusters))[at >> 3]! |= 1 << (at & 7)
    if (this.#isCompressed) this.#addSize(compressedBytes)
    this.#last = cluster
    this.#count++
  }

  /** Goes through all clusters and places them one behind the other, from the cluster boundary at `start` on. */
  placedFrom(start: number): PlacedCluster {
    return new PlacedCluster(this.#geometry, start, this.#clusters(), this.#sizes)
  }

  #page(index: number): Uint8Array {
    const known = this.#pages.get(index)
    if (known !== undefined) return known
    const page = new Uint8Array(pageClusters / 8)
    this.#pages.set(index, page)
    return page
  }

  #addSize(bytes: number): void {
    const at = this.#count % pieceSizes
    if (at === 0) {
      const isSmall = this.#geometry.clusterSize <= 65536
      this.#sizes.push(isSmall ? new Uint16Array(pieceSizes) : new Uint32Array(pieceSizes))
    }
    this.#sizes.at(-1)![at] = bytes
  }

  *#clusters(): Generator<number, undefined> {
    // Pages come in the order in which they were begun, which is the order of the guest.
    for (const [index, page] of this.#pages) {
      for (let byte = 0; byte < page.length; byte++) {
        const bits = page[byte]!
        for (let bit = 0; bits >> bit !== 0; bit++) {
          if ((bits & (1 << bit)) !== 0) yield index * pageClusters + byte * 8 + bit
        }
      }
    }
    return undefined
  }
}

/** Gives stored clusters their places in the file, one after the other. */
export class Placer {
  readonly #geometry: Geometry
  /** Byte offset behind what was placed last. */
  #end: number
  /** Compressed clusters that count in the host cluster where `#end` lies. */
  #shares = 0

  /** @param start - host offset of the first cluster, a multiple of the cluster size */
  constructor(geometry: Geometry, start: number) {
    this.#geometry = geometry
    this.#end = start
  }

  /** Byte offset behind what was placed last. */
  get end(): number {
    return this.#end
  }

  /** Host offset of the next cluster. @param compressedBytes - 0 for one that is stored as it is */
  place(compressedBytes: number): number {
    const { clusterSize, refcountMax } = this.#geometry
    const isShared = this.#end % clusterSize !== 0
    if (compressedBytes === 0 || (isShared && this.#shares >= refcountMax)) this.#end = roundUp(this.#end, clusterSize)
    if (this.#end % clusterSize === 0) this.#shares = 0
    const place = this.#end
    this.#end += compressedBytes === 0 ? clusterSize : compressedBytes
    const crosses = Math.floor(place / clusterSize) !== Math.floor((this.#end - 1) / clusterSize)
    this.#shares = crosses ? 1 : this.#shares + 1
    return place
  }
}

/** A cursor over stored clusters; call `next` before anything else. */
export class PlacedCluster {
  /** Number of the guest cluster. */
  cluster = -1
  /** Host offset of its data. */
  host = 0
  /** Bytes that it was compressed to; 0 where it is stored as it is. */
  compressedBytes = 0
  readonly #placer: Placer
  readonly #clusters: Iterator<number, undefined>
  readonly #sizes: readonly (Uint16Array | Uint32Array)[]
  #index = 0

  constructor(
    geometry: Geometry,
    start: number,
    clusters: Iterator<number, undefined>,
    sizes: readonly (Uint16Array | Uint32Array)[],
  ) {
    this.#placer = new Placer(geometry, start)
    this.#clusters = clusters
    this.#sizes = sizes
  }

  /** Byte offset behind the cluster where the cursor stands. */
  get end(): number {
    return this.#placer.end
  }

  /** Moves to the next cluster; `false` where there is none. */
  next(): boolean {
    const { value } = this.#clusters.next()
    if (value === undefined) return false
    this.cluster = value
    this.compressedBytes = this.#sizes[Math.floor(this.#index / pieceSizes)]?.[this.#index % pieceSizes] ?? 0
    this.host = this.#placer.place(this.compressedBytes)
    this.#index++
    return true
  }
}
