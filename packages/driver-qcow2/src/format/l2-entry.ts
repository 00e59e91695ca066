/** L1 and L2 entries, as high and low 32-bit halves: what they say, and how they are made. */

import { highHalf, joinHalves, lowHalf } from './bytes.ts'
import { compressedFlagHigh, copiedFlagHigh, offsetMaskHigh, offsetMaskLow, zeroFlagLow } from './constants.ts'
import { type Geometry, type HostOffset, hostOffset } from './geometry.ts'

/**
 * What an L2 entry maps its guest cluster to: nothing (the backing file shows), zeroes without a host cluster, zeroes
 * with a host cluster kept for later, a host cluster, or deflated bytes.
 */
export type ClusterType = 'unallocated' | 'zero-plain' | 'zero-alloc' | 'normal' | 'compressed'

/** What the meaning of an L2 entry depends on besides its bits. */
export interface EntryContext {
  readonly extendedL2: boolean
  /** Guest data lies in a file of its own, where host offset 0 is an ordinary place. */
  readonly externalData?: boolean
}

/**
 * The type of an L2 entry; reserved bits are ignored.
 *
 * @param high - upper half of the entry
 * @param low - lower half of the entry
 * @see docs/interop/qcow2.txt, "Cluster mapping"; QEMU 7.2 block/qcow2.h: qcow2_get_cluster_type
 */
export function clusterType(high: number, low: number, context: EntryContext): ClusterType {
  if ((high & compressedFlagHigh) !== 0) return 'compressed'
  const hasOffset = (high & offsetMaskHigh) !== 0 || (low & offsetMaskLow) !== 0
  if ((low & zeroFlagLow) !== 0 && !context.extendedL2) return hasOffset ? 'zero-alloc' : 'zero-plain'
  if (hasOffset) return 'normal'
  return context.externalData === true && isCopied(high) ? 'normal' : 'unallocated'
}

/** The host offset in an L1 entry or an uncompressed L2 entry; 0 where it has none. A multiple of 512, not always of the cluster size. */
export function entryOffset(high: number, low: number): HostOffset {
  return hostOffset(joinHalves(high & offsetMaskHigh, (low & offsetMaskLow) >>> 0))
}

/** Whether COPIED is set: the cluster belongs to nobody else and may be written in place. */
export function isCopied(high: number): boolean {
  return (high & copiedFlagHigh) !== 0
}

/** Whether ZERO is set; only meaningful in plain, uncompressed entries. */
export function hasZeroFlag(low: number): boolean {
  return (low & zeroFlagLow) !== 0
}

/** Upper half of an L1 entry or of an uncompressed L2 entry for the cluster at `offset`. */
export function entryHigh(offset: HostOffset, copied: boolean): number {
  return (highHalf(offset) | (copied ? copiedFlagHigh : 0)) >>> 0
}

/** Lower half of an L1 entry or of an uncompressed L2 entry for the cluster at `offset`. */
export function entryLow(offset: HostOffset, zero = false): number {
  return (lowHalf(offset) | (zero ? zeroFlagLow : 0)) >>> 0
}

/** An upper half with COPIED set or cleared. */
export function withCopied(high: number, copied: boolean): number {
  return (copied ? high | copiedFlagHigh : high & ~copiedFlagHigh) >>> 0
}

/** Byte offset of a compressed entry's data in the file, at any alignment. */
export function compressedOffset(geometry: Geometry, high: number, low: number): HostOffset {
  // The sector count begins at bit 49 or later, always in the upper half.
  const mask = 2 ** (geometry.compressedShift - 32) - 1
  return hostOffset(joinHalves(high & mask, low))
}

/**
 * Bytes that a reader of a compressed entry takes: up to the end of the last sector it names, so up to 511 more than
 * the compressed data.
 */
export function compressedBytes(geometry: Geometry, high: number, low: number): number {
  const sectors = ((high >>> (geometry.compressedShift - 32)) & geometry.compressedSectorsMax) + 1
  return sectors * 512 - (compressedOffset(geometry, high, low) % 512)
}

/**
 * Halves of the entry for `bytes` bytes of compressed data at `offset`.
 *
 * @param offset - below `geometry.compressedOffsetLimit`
 * @param bytes - 1 to the cluster size less one
 */
export function encodeCompressed(
  geometry: Geometry,
  offset: HostOffset,
  bytes: number,
): { readonly high: number; readonly low: number } {
  const extraSectors = Math.floor((offset + bytes - 1) / 512) - Math.floor(offset / 512)
  const count = extraSectors * 2 ** (geometry.compressedShift - 32)
  return { high: (compressedFlagHigh | count | highHalf(offset)) >>> 0, low: lowHalf(offset) }
}
