/** A disk on which a crash state is built, looked at and repaired, and which then goes back to what it was. */

import { MemoryStore } from '../memory-driver.ts'

/** Bytes of a sector: what a disk writes whole or not at all. */
export const sectorBytes = 512

/** A store that knows which of its sectors were touched, so that going back costs no more than they do. */
export class ScratchDisk extends MemoryStore {
  readonly #base: Uint8Array
  readonly #touched = new Set<number>()
  /** How many requests have changed it. */
  changes = 0

  constructor(base: Uint8Array) {
    super(base)
    this.#base = base
  }

  /** Sectors that may differ from the base. */
  get touched(): ReadonlySet<number> {
    return this.#touched
  }

  /** What `rewind` goes back to; do not change it. */
  get base(): Uint8Array {
    return this.#base
  }

  override write(offset: number, data: Uint8Array): void {
    this.#touch(offset, offset + data.length)
    super.write(offset, data)
  }

  override zero(offset: number, bytes: number): void {
    this.#touch(offset, offset + bytes)
    super.zero(offset, bytes)
  }

  override resize(length: number): void {
    this.#touch(Math.min(length, this.length), this.length)
    super.resize(length)
  }

  /** The base again. */
  rewind(): void {
    super.resize(this.#base.length)
    for (const sector of this.#touched) {
      const at = sector * sectorBytes
      if (at < this.#base.length) super.write(at, this.#base.subarray(at, at + sectorBytes))
    }
    this.#touched.clear()
  }

  #touch(start: number, end: number): void {
    this.changes++
    const last = Math.ceil(end / sectorBytes)
    for (let sector = Math.floor(start / sectorBytes); sector < last; sector++) this.#touched.add(sector)
  }
}
