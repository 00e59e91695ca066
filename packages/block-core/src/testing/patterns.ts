/** Contents that tests write and recognise again. */

/** `bytes` bytes of one value. */
export function filled(value: number, bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(value)
}

/**
 * Bytes that tell where they belong: every 8 bytes hold the offset and a salt, so that data in a wrong place is seen.
 *
 * @param offset - guest offset of the first byte, a multiple of 8
 * @param salt - tells generations of writes apart, below 2^16
 */
export function stamped(offset: number, bytes: number, salt = 0): Uint8Array {
  const data = new Uint8Array(bytes)
  const view = new DataView(data.buffer)
  for (let at = 0; at + 8 <= bytes; at += 8) {
    view.setUint32(at, Math.floor((offset + at) / 8) >>> 0)
    view.setUint32(at + 4, 0xb10c0000 + salt)
  }
  return data
}

/** Offset of the first byte in which the two differ, or -1. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length)
  for (let i = 0; i < common; i++) if (a[i] !== b[i]) return i
  return a.length === b.length ? -1 : common
}

/** Throws where the two differ, naming the place; quicker and clearer than a test framework's deep comparison. */
export function expectSameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  const at = firstDifference(actual, expected)
  if (at < 0) return
  const show = (bytes: Uint8Array) => (at < bytes.length ? `0x${bytes[at]!.toString(16).padStart(2, '0')}` : 'the end')
  throw new Error(`${what}: byte ${at} is ${show(actual)}, expected ${show(expected)}`)
}
