/** Entries of the bitmap directory and of bitmap tables. */

import { joinHalves, readU64, roundUp, viewOf, writeU64 } from './bytes.ts'
import { offsetMaskHigh, offsetMaskLow } from './constants.ts'
import { type HostOffset, hostOffset } from './geometry.ts'

/** Bytes of a directory entry before its extra data and name. */
export const bitmapFixedBytes = 24

/** Flags of a directory entry. */
export const bitmapFlag = { inUse: 1, auto: 2 } as const

/** A persistent bitmap as the directory describes it. */
export interface BitmapEntry {
  readonly tableOffset: number
  /** Entries of its table. */
  readonly tableSize: number
  readonly flags: number
  /** 1: a dirty tracking bitmap. */
  readonly type: number
  readonly granularityBits: number
  readonly extraBytes: number
  readonly name: Uint8Array
  /** Bytes of the entry on disk, padding to 8 included. */
  readonly entryBytes: number
}

/**
 * The directory entry at `at`, or `undefined` where the directory ends inside it.
 *
 * @see docs/interop/qcow2.txt, "Bitmap directory"
 */
export function decodeBitmapEntry(directory: Uint8Array, at: number): BitmapEntry | undefined {
  if (at + bitmapFixedBytes > directory.length) return undefined
  const view = viewOf(directory)
  const nameLength = view.getUint16(at + 18)
  const extraBytes = view.getUint32(at + 20)
  // The reference adds in 32 bits; no bitmap has extra data, and one that has so much is refused for having any.
  const entryBytes = roundUp((bitmapFixedBytes + extraBytes + nameLength) >>> 0, 8)
  if (at + entryBytes > directory.length) return undefined
  const nameStart = at + bitmapFixedBytes + extraBytes
  return {
    tableOffset: readU64(view, at),
    tableSize: view.getUint32(at + 8),
    flags: view.getUint32(at + 12),
    type: view.getUint8(at + 16),
    granularityBits: view.getUint8(at + 17),
    extraBytes,
    name: directory.slice(nameStart, nameStart + nameLength),
    entryBytes,
  }
}

/** Bytes of an entry for `name`, padding to 8 included. */
export function bitmapEntryBytes(name: Uint8Array): number {
  return roundUp(bitmapFixedBytes + name.length, 8)
}

/** The directory's bytes. */
export function encodeBitmapDirectory(entries: readonly Omit<BitmapEntry, 'entryBytes' | 'extraBytes'>[]): Uint8Array {
  const directory = new Uint8Array(entries.reduce((bytes, { name }) => bytes + bitmapEntryBytes(name), 0))
  const view = viewOf(directory)
  let at = 0
  for (const { tableOffset, tableSize, flags, type, granularityBits, name } of entries) {
    writeU64(view, at, tableOffset)
    view.setUint32(at + 8, tableSize)
    view.setUint32(at + 12, flags)
    view.setUint8(at + 16, type)
    view.setUint8(at + 17, granularityBits)
    view.setUint16(at + 18, name.length)
    directory.set(name, at + bitmapFixedBytes)
    at += bitmapEntryBytes(name)
  }
  return directory
}

/** Host offset of a bitmap table entry's data; 0 where all of its bits are equal. */
export function bitmapDataOffset(high: number, low: number): HostOffset {
  return hostOffset(joinHalves(high & offsetMaskHigh, (low & offsetMaskLow) >>> 0))
}

/** Whether a bitmap table entry has bits set that must be clear. */
export function isBrokenBitmapTableEntry(high: number, low: number): boolean {
  const hasOffset = (high & offsetMaskHigh) !== 0 || (low & offsetMaskLow) !== 0
  return (high & 0xff000000) !== 0 || (low & 0x1fe) !== 0 || (hasOffset && (low & 1) !== 0)
}
