/** Counts inside a refcount block, for every width from 1 to 64 bits. */

import { assert } from '@blocklayer/block-core/driver'

/**
 * Count number `index` of a refcount block.
 *
 * Widths below 8 bits fill each byte from its low end; the others are big-endian. 64-bit counts past 2^53 come out
 * rounded.
 *
 * @param order - width as a power of two, 0 to 6
 * @see docs/interop/qcow2.txt, "Host cluster management"
 */
export function getRefcount(block: Uint8Array, order: number, index: number): number {
  // Nearly every image has this width, and a check reads tens of millions of counts.
  if (order === 4) return block[2 * index]! * 256 + block[2 * index + 1]!
  if (order < 3) {
    const perByte = 8 >> order
    const shift = (index % perByte) << order
    return (block[Math.floor(index / perByte)]! >> shift) & ((1 << (1 << order)) - 1)
  }
  const bytes = 1 << (order - 3)
  let value = 0
  for (let at = index * bytes; at < (index + 1) * bytes; at++) value = value * 256 + block[at]!
  return value
}

/**
 * Sets count number `index` of a refcount block.
 *
 * @param order - width as a power of two, 0 to 6
 * @param value - 0 to the largest count of that width, at most 2^53 - 1
 */
export function setRefcount(block: Uint8Array, order: number, index: number, value: number): void {
  assert(value >= 0 && value <= refcountLimits[order]!, 'a refcount fits its width')
  if (order === 4) {
    block[2 * index] = value >> 8
    block[2 * index + 1] = value
    return
  }
  if (order < 3) {
    const perByte = 8 >> order
    const shift = (index % perByte) << order
    const at = Math.floor(index / perByte)
    const mask = ((1 << (1 << order)) - 1) << shift
    block[at] = (block[at]! & ~mask) | (value << shift)
    return
  }
  const bytes = 1 << (order - 3)
  let rest = value
  for (let at = (index + 1) * bytes - 1; at >= index * bytes; at--) {
    block[at] = rest % 256
    rest = Math.floor(rest / 256)
  }
}

/** Largest count of each width; what numbers hold exactly for that of 64 bits. */
const refcountLimits: readonly number[] = [1, 3, 15, 255, 65535, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER]

/** First count at or after `from` that is zero, or `count` where there is none below it. */
export function findZeroRefcount(block: Uint8Array, order: number, from: number, count: number): number {
  for (let index = from; index < count; index++) if (getRefcount(block, order, index) === 0) return index
  return count
}
