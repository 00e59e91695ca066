/** Questions about byte arrays that are asked for every gigabyte that passes. */

/** Below this length a wide view costs more than it saves. */
const wideMin = 64

/** Words compared per turn of the unrolled loops. */
const unroll = 4

/**
 * Whether every byte is zero. An empty array is.
 *
 * Looks at the first, middle and last byte before anything else: data that is not zero nearly always shows it there.
 */
export function isZero(bytes: Uint8Array): boolean {
  const { length } = bytes
  if (length < wideMin) return isZeroBytewise(bytes, 0, length)
  if (bytes[0] !== 0 || bytes[length - 1] !== 0 || bytes[(length - (length % 2)) / 2] !== 0) return false
  const start = (8 - (bytes.byteOffset % 8)) % 8
  const end = length - ((length - start) % (8 * unroll))
  if (!isZeroBytewise(bytes, 0, start) || !isZeroBytewise(bytes, end, length)) return false
  return isZeroWide(new BigUint64Array(bytes.buffer, bytes.byteOffset + start, (end - start) / 8))
}

function isZeroBytewise(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false
  return true
}

/**
 * The aligned middle part; the number of words is a multiple of `unroll`.
 *
 * `asUintN` lets the engine keep the words in registers, which makes this about twice as fast as 32-bit words.
 */
function isZeroWide(words: BigUint64Array): boolean {
  const { length } = words
  for (let i = 0; i < length; i += unroll) {
    // One branch for 32 bytes. The indices are below `length`, so `!` states what the bound shows.
    if (BigInt.asUintN(64, words[i]! | words[i + 1]! | words[i + 2]! | words[i + 3]!) !== 0n) return false
  }
  return true
}

/** Whether both arrays have the same length and the same bytes. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  const { length } = a
  if (length !== b.length) return false
  // Wide views need both sides at one distance from an 8-byte boundary.
  if (a.byteOffset % 8 !== b.byteOffset % 8 || length < wideMin) return equalBytewise(a, b, 0, length)
  const start = (8 - (a.byteOffset % 8)) % 8
  const end = length - ((length - start) % (8 * unroll))
  if (!equalBytewise(a, b, 0, start) || !equalBytewise(a, b, end, length)) return false
  const words = (end - start) / 8
  return equalWide(
    new BigUint64Array(a.buffer, a.byteOffset + start, words),
    new BigUint64Array(b.buffer, b.byteOffset + start, words),
  )
}

/** As `isZeroWide`, of the difference. */
function equalWide(a: BigUint64Array, b: BigUint64Array): boolean {
  const { length } = a
  for (let i = 0; i < length; i += unroll) {
    const low = (a[i]! ^ b[i]!) | (a[i + 1]! ^ b[i + 1]!)
    const high = (a[i + 2]! ^ b[i + 2]!) | (a[i + 3]! ^ b[i + 3]!)
    if (BigInt.asUintN(64, low | high) !== 0n) return false
  }
  return true
}

function equalBytewise(a: Uint8Array, b: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (a[i] !== b[i]) return false
  return true
}

/** One new array with the bytes of all `parts`, in order. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
