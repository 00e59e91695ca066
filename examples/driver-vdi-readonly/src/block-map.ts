/** Where each block of the disk lies in the file. */

import { BlockError } from '@blocklayer/block-core/driver'
import type { VdiHeader } from './header.ts'

/** Entries from here on are no places: the block was never written, or was discarded. Either reads as zeroes. */
const firstSpecialEntry = 0xfffffffe

/** A run of guest bytes that lie together in the file, or nowhere. */
export interface Run {
  readonly bytes: number
  /** Offset in the file; `undefined` for a run that reads as zeroes. */
  readonly fileOffset: number | undefined
}

/** The block map in memory: four bytes per block, whatever the disk's size. */
export class BlockMap {
  readonly #header: VdiHeader
  readonly #entries: Uint32Array

  /**
   * @param stored - the map as it stands in the file, little-endian
   * @throws BlockError `EINVAL` for an entry beyond the file
   */
  constructor(header: VdiHeader, stored: Uint8Array, fileBytes: number) {
    const words = new DataView(stored.buffer, stored.byteOffset, stored.byteLength)
    this.#header = header
    this.#entries = Uint32Array.from({ length: header.blockCount }, (_, i) => words.getUint32(4 * i, true))
    this.#entries.forEach((entry, block) => {
      if (entry < firstSpecialEntry && this.#placeOf(entry) >= fileBytes) {
        throw new BlockError('EINVAL', `VDI block ${block} lies beyond the end of the file`)
      }
    })
  }

  /** The longest run at guest offset `offset`, at most `bytes` long. */
  runAt(offset: number, bytes: number): Run {
    const { blockBytes, blockStride } = this.#header
    const first = Math.floor(offset / blockBytes)
    const within = offset % blockBytes
    const entry = this.#entry(first)
    let length = blockBytes - within
    for (let block = first + 1; length < bytes && this.#continues(entry, block - first, block); block++) {
      length += blockBytes
    }
    const place = entry >= firstSpecialEntry ? undefined : this.#placeOf(entry) + (blockStride - blockBytes) + within
    return { bytes: Math.min(length, bytes), fileOffset: place }
  }

  /** Whether `block`, `distance` blocks after one with `entry`, goes on where that one ends. */
  #continues(entry: number, distance: number, block: number): boolean {
    const next = this.#entry(block)
    if (entry >= firstSpecialEntry) return next >= firstSpecialEntry
    const { blockBytes, blockStride } = this.#header
    return blockStride === blockBytes && next === entry + distance
  }

  #entry(block: number): number {
    return this.#entries[block] ?? firstSpecialEntry
  }

  #placeOf(entry: number): number {
    return this.#header.dataOffset + entry * this.#header.blockStride
  }
}
