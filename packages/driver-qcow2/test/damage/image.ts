/** Bytes of an image with the places that a mutation may want to hit. */

import { setRefcount } from '../../src/format/refcount-bits.ts'
import { Damaged } from '../helpers/damage.ts'

const offsetMask = 0x00fffffffffffe00n

/** The bit that says "refcount is one". */
export const copied: bigint = 1n << 63n

const compressedBit = 1n << 62n

/** What an L2 entry is. */
export type EntryKind = 'data' | 'compressed' | 'zero' | 'zero-alloc' | 'none'

/** An image to be damaged: `Damaged` with handles on everything that a check looks at. */
export class Victim extends Damaged {
  /** Bytes. */
  get clusterSize(): number {
    return this.geometry.clusterSize
  }

  /** Offset of the first cluster that the file does not have. */
  get end(): bigint {
    return BigInt(Math.ceil(this.bytes.length / this.clusterSize) * this.clusterSize)
  }

  /** `count` clusters in bytes. */
  clusters(count: number): bigint {
    return BigInt(count * this.clusterSize)
  }

  /** Host offset that the table entry at `place` names. */
  target(place: number): number {
    return Number(this.get(place) & offsetMask)
  }

  /** Byte offset of the `nth` L2 entry of that kind in the first L2 table. */
  entry(kind: EntryKind, nth = 0): number {
    let left = nth
    const table = this.target(this.l1())
    for (let place = table; place < table + this.clusterSize; place += 8) {
      if (kindOf(this.get(place)) === kind && left-- === 0) return place
    }
    throw new Error(`the image has no entry ${nth} of kind ${kind}`)
  }

  /** Byte offset of the first refcount block. */
  get block(): number {
    return this.target(this.table())
  }

  /** Sets the count of the cluster at host offset `offset`. */
  countAt(offset: number, value: number): this {
    const block = this.bytes.subarray(this.block, this.block + this.clusterSize)
    const cluster = Math.floor(offset / this.clusterSize)
    setRefcount(block, this.header.refcountOrder, cluster, Math.min(value, this.geometry.refcountMax))
    return this
  }

  /** Byte offset of the snapshot table, and so of its first entry. */
  get snapshots(): number {
    return this.header.snapshotsOffset
  }

  /** Byte offset of the bitmaps extension's data. */
  get bitmapsExtension(): number {
    const found = this.extensions().find(({ type }) => type === 0x23852875)
    if (found === undefined) throw new Error('the image has no bitmaps')
    return found.at + 8
  }

  /** Byte offset of the bitmap directory, and so of its first entry. */
  get directory(): number {
    return Number(this.get(this.bitmapsExtension + 16))
  }

  /** Byte offset of the first bitmap's table. */
  get bitmapTable(): number {
    return Number(this.get(this.directory))
  }

  /** Header extensions up to the end mark, which is the last. */
  extensions(): { readonly at: number; readonly type: number; readonly length: number }[] {
    const found = []
    for (let at = this.header.version === 2 ? 72 : this.view.getUint32(100); ; ) {
      const extension = { at, type: this.view.getUint32(at), length: this.view.getUint32(at + 4) }
      found.push(extension)
      if (extension.type === 0) return found
      at += 8 + Math.ceil(extension.length / 8) * 8
    }
  }

  /** A header extension in place of the end mark; the mark follows it. */
  extend(type: number, data: Uint8Array): this {
    const { at } = this.extensions().at(-1)!
    this.view.setUint32(at, type)
    this.view.setUint32(at + 4, data.length)
    this.bytes.set(data, at + 8)
    this.bytes.fill(0, at + 8 + data.length, at + 24 + data.length)
    return this
  }

  /** Sets 32 bits. */
  set32(offset: number, value: number | ((old: number) => number)): this {
    this.view.setUint32(offset, (typeof value === 'number' ? value : value(this.view.getUint32(offset))) >>> 0)
    return this
  }

  /** Sets 16 bits. */
  set16(offset: number, value: number): this {
    this.view.setUint16(offset, value)
    return this
  }

  /** Sets 8 bits. */
  set8(offset: number, value: number): this {
    this.view.setUint8(offset, value)
    return this
  }

  /** Makes the table entry at `place` name another cluster; its flags stay. */
  redirect(place: number, offset: bigint): this {
    return this.set(place, (old) => (old & ~offsetMask) | offset)
  }

  /** The image with another length: cut off, or filled up with zeroes. */
  resized(length: number): Victim {
    const bytes = new Uint8Array(length)
    bytes.set(this.bytes.subarray(0, length))
    return new Victim(bytes)
  }

  /** Fills a range. */
  fill(offset: number, bytes: number, value = 0): this {
    this.bytes.fill(value, offset, offset + bytes)
    return this
  }
}

function kindOf(entry: bigint): EntryKind {
  if ((entry & compressedBit) !== 0n) return 'compressed'
  const named = (entry & offsetMask) !== 0n
  if ((entry & 1n) !== 0n) return named ? 'zero-alloc' : 'zero'
  return named ? 'data' : 'none'
}
