/** Tells contents of disks apart by a short key, so that no state is looked at twice. */

import { type ScratchDisk, sectorBytes } from './scratch-disk.ts'

/** Two 32-bit halves: sums of the keys of all sectors that are not zero. */
interface Sum {
  a: number
  b: number
}

/**
 * Keys for the states of disks that differ from a common base in a few sectors.
 *
 * Sectors of zeroes count nothing, so that the same content has the same key wherever the base ends.
 */
export class StateKeys {
  readonly #bases = new Map<ScratchDisk, Sum>()
  readonly #sector = new Uint8Array(sectorBytes)

  /** The key of what `disks` hold now. */
  of(disks: readonly ScratchDisk[]): string {
    return disks.map((disk, index) => this.#keyOf(disk, index)).join('/')
  }

  #keyOf(disk: ScratchDisk, salt: number): string {
    const base = this.#baseSum(disk, salt)
    const sum = { ...base }
    for (const sector of disk.touched) {
      const at = sector * sectorBytes
      this.#sector.fill(0)
      this.#sector.set(disk.base.subarray(at, at + sectorBytes))
      addSector(sum, this.#sector, sector + salt * 0x10000000, -1)
      disk.read(at, this.#sector)
      addSector(sum, this.#sector, sector + salt * 0x10000000, 1)
    }
    return `${disk.length}:${(sum.a >>> 0).toString(36)}${(sum.b >>> 0).toString(36)}`
  }

  #baseSum(disk: ScratchDisk, salt: number): Sum {
    const known = this.#bases.get(disk)
    if (known !== undefined) return known
    const sum = { a: 0, b: 0 }
    for (let at = 0; at < disk.base.length; at += sectorBytes) {
      this.#sector.fill(0)
      this.#sector.set(disk.base.subarray(at, at + sectorBytes))
      addSector(sum, this.#sector, at / sectorBytes + salt * 0x10000000, 1)
    }
    this.#bases.set(disk, sum)
    return sum
  }
}

function addSector(sum: Sum, bytes: Uint8Array, place: number, sign: 1 | -1): void {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, sectorBytes / 4)
  let a = Math.imul(place + 1, 0x9e3779b1)
  let b = Math.imul(place + 1, 0x85ebca77)
  let any = 0
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    any |= word
    a = Math.imul(a ^ word, 0x01000193)
    a ^= a >>> 15
    b = Math.imul(b + word, 0xc2b2ae3d)
    b ^= b >>> 13
  }
  if (any === 0) return
  sum.a = (sum.a + sign * a) | 0
  sum.b = (sum.b + sign * b) | 0
}
