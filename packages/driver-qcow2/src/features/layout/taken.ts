/** Which clusters of the file have been told of already, and as what: four bits for each. */

import { BlockError, type LayoutKind } from '@blocklayer/block-core/driver'
import type { Geometry } from '../../format/geometry.ts'

/** What was there before. */
export type Taken = LayoutKind | undefined

/** Kinds that a cluster can be taken as; the place in this list is the number that stands for it. 0: not taken. */
const kinds: readonly Taken[] = [
  undefined,
  'header',
  'map-root',
  'map',
  'counts-root',
  'counts',
  'snapshot',
  'snapshot-data',
  'bitmap',
  'data',
  'compressed',
  'reserved',
]

/** The clusters of a file, and what took each first. */
export class TakenClusters {
  readonly #nibbles: Uint8Array
  readonly #clusterSize: number
  /** Clusters that the file has, and one more where a table ends right behind it. */
  readonly count: number

  /** @throws BlockError `ENOMEM` where half a byte for each cluster is more than `memoryMax` */
  constructor(geometry: Geometry, fileBytes: number, memoryMax: number) {
    this.#clusterSize = geometry.clusterSize
    this.count = Math.ceil(fileBytes / geometry.clusterSize) + 1
    const bytes = Math.ceil(this.count / 2)
    if (bytes > memoryMax) {
      throw new BlockError('ENOMEM', `Describing the layout of this image takes ${bytes} bytes of memory`)
    }
    this.#nibbles = new Uint8Array(bytes)
  }

  /** What cluster number `cluster` was taken as. */
  get(cluster: number): Taken {
    return kinds[(this.#nibbles[Math.floor(cluster / 2)]! >> ((cluster % 2) * 4)) & 0xf]
  }

  /** Takes a cluster that is free. */
  take(cluster: number, kind: LayoutKind): void {
    this.#nibbles[Math.floor(cluster / 2)]! |= kinds.indexOf(kind) << ((cluster % 2) * 4)
  }

  /** Whether a range is one of places in the file: it begins at a cluster and ends before the one behind the last. */
  holds(offset: number, bytes: number): boolean {
    return offset % this.#clusterSize === 0 && offset + bytes <= this.count * this.#clusterSize
  }
}
