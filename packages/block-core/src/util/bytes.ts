/** Questions about byte arrays that are asked for every gigabyte that passes. */

/** Bytes that are looked at one by one before the wide comparison starts. */
const sampleBytes = 16

/** Words compared per turn of the unrolled loop. */
const unroll = 8

/**
 * Whether every byte is zero. An empty array is.
 *
 * Looks at the first, middle and last bytes before anything else: data that is not zero nearly always shows it there.
 */
export function isZero(bytes: Uint8Array): boolean {
  const { length } = bytes
  if (length < 4 * sampleBytes) return isZeroBytewise(bytes, 0, length)
  if (bytes[0] !== 0 || bytes[length - 1] !== 0 || bytes[(length - (length % 2)) / 2] !== 0) return false
  const headEnd = (8 - (bytes.byteOffset % 8)) % 8
  const tail = (length - headEnd) % 8
  if (!isZeroBytewise(bytes, 0, headEnd) || !isZeroBytewise(bytes, length - tail, length)) return false
  return isZeroWords(bytes, headEnd, (length - headEnd - tail) / 8)
}

function isZeroBytewise(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false
  return true
}

/** The aligned middle part, 8 bytes at a time. */
function isZeroWords(bytes: Uint8Array, start: number, count: number): boolean {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + start, count * 2)
  const { length } = words
  const blocked = length - (length % unroll)
  let i = 0
  for (; i < blocked; i += unroll) {
    // One branch for 32 bytes. The indices are below `length`, so `!` states what the bound shows.
    const any =
      words[i]! |
      words[i + 1]! |
      words[i + 2]! |
      words[i + 3]! |
      words[i + 4]! |
      words[i + 5]! |
      words[i + 6]! |
      words[i + 7]!
    if (any !== 0) return false
  }
  for (; i < length; i++) if (words[i] !== 0) return false
  return true
}

/** Whether both arrays have the same length and the same bytes. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  // Wide views need both sides at one distance from an 8-byte boundary.
  if (a.byteOffset % 8 !== b.byteOffset % 8 || a.length < 4 * sampleBytes) return equalBytewise(a, b, 0, a.length)
  const headEnd = (8 - (a.byteOffset % 8)) % 8
  const count = (a.length - headEnd - ((a.length - headEnd) % 8)) / 4
  if (!equalBytewise(a, b, 0, headEnd)) return false
  const wideA = new Int32Array(a.buffer, a.byteOffset + headEnd, count)
  const wideB = new Int32Array(b.buffer, b.byteOffset + headEnd, count)
  for (let i = 0; i < count; i++) if (wideA[i] !== wideB[i]) return false
  return equalBytewise(a, b, headEnd + count * 4, a.length)
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
