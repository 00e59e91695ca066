/** Bits to bytes and back, in the layout that images and migration streams have: bit i of byte n is item 8n + i. */

import { assert } from '../errors.ts'
import { ceilDiv } from '../util/align.ts'
import type { HBitmap } from './hbitmap.ts'

/** Parts begin, and unless they end the bitmap end, at a multiple of this many items: the format has 64-bit words. */
export const itemsPerUnit = 64

const unitBytes: number = itemsPerUnit / 8
const wordBytes = 4

/** Bytes that `items` items take: whole 64-bit words. */
export function encodedBytes(items: number): number {
  return ceilDiv(items, itemsPerUnit) * unitBytes
}

/**
 * Items `[start, end)` as bytes; bits past the end of the bitmap are 0.
 *
 * @param start - a multiple of 64; so is `end` unless it is the bitmap's
 * @see spec/qcow2.md, section 1.10
 */
export function encodeBits(bitmap: HBitmap, start: number, end: number): Uint8Array {
  checkPart(bitmap, start, end)
  const encoded = new Uint8Array(encodedBytes(end - start))
  const view = new DataView(encoded.buffer)
  const words = bitmap.levels[0]!
  const first = start / (8 * wordBytes)
  for (let at = 0; at < encoded.length; at += wordBytes) view.setUint32(at, words[first + at / wordBytes]!, true)
  return encoded
}

/**
 * Replaces items `[start, end)` by `encoded`; bits past the end of the bitmap are ignored.
 *
 * @param encoded - exactly `encodedBytes(end - start)` bytes
 */
export function decodeBits(bitmap: HBitmap, encoded: Uint8Array, start: number, end: number): void {
  checkPart(bitmap, start, end)
  assert(encoded.length === encodedBytes(end - start), 'encoded bits have another length than their part')
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.length)
  const first = start / (8 * wordBytes)
  for (let at = 0; at < encoded.length; at += wordBytes) {
    bitmap.storeWord(first + at / wordBytes, view.getUint32(at, true))
  }
}

function checkPart(bitmap: HBitmap, start: number, end: number): void {
  const isWhole = start % itemsPerUnit === 0 && (end % itemsPerUnit === 0 || end === bitmap.size)
  assert(isWhole && start <= end && end <= bitmap.size, 'a part of a bitmap must be whole 64-bit words')
}
