/** Big-endian 64-bit fields as `number`, and text fields, for the codecs of this room. */

const two32 = 2 ** 32

/**
 * A 64-bit big-endian field as a number: exact up to 2^53, and for the multiples of 512 that sizes are up to 2^62.
 *
 * @param offset - byte offset in `view`
 */
export function readU64(view: DataView, offset: number): number {
  return view.getUint32(offset) * two32 + view.getUint32(offset + 4)
}

/**
 * Writes `value` as a 64-bit big-endian field.
 *
 * @param value - whole number from 0 to below 2^64
 */
export function writeU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, Math.floor(value / two32))
  view.setUint32(offset + 4, value % two32)
}

/** `high` and `low` halves of an entry as one number; exact where the value is below 2^53. */
export function joinHalves(high: number, low: number): number {
  return high * two32 + low
}

/** The upper 32 bits of `value`. */
export function highHalf(value: number): number {
  return Math.floor(value / two32)
}

/** The lower 32 bits of `value`. */
export function lowHalf(value: number): number {
  return value % two32
}

/** A view of exactly the bytes of `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** `count` rounded up to a multiple of `unit`; by division, since offsets pass 2^32. */
export function roundUp(count: number, unit: number): number {
  return Math.ceil(count / unit) * unit
}

/** A 64-bit entry in lower-case hexadecimal without leading zeroes or prefix, exact for all 64 bits (C: `%x`). */
export function hexHalves(high: number, low: number): string {
  if (high === 0) return low.toString(16)
  return high.toString(16) + low.toString(16).padStart(8, '0')
}

/** C's `%#x`: `0x` and hexadecimal digits, but zero is plain `0`. */
export function hexPrefixed(value: number): string {
  return value === 0 ? '0' : `0x${value.toString(16)}`
}

/** Text of a name field. Malformed UTF-8 becomes U+FFFD: names are kept as bytes wherever they are written again. */
export function decodeText(bytes: Uint8Array): string {
  // A mark of the byte order is a part of a name like any other.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}

/** Bytes of a name field. */
export function encodeText(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
