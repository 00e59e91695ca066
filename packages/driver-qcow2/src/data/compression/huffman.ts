/** Canonical Huffman codes as deflate uses them. */

/** Longest code in bits. */
const bitsMax = 15

/** A decoding table: how many codes each length has, and the symbols in the order of their codes. */
export interface HuffmanCode {
  readonly counts: Uint16Array
  readonly symbols: Uint16Array
}

/**
 * The code in which symbol `i` has a code of `lengths[i]` bits; 0 means that the symbol does not occur.
 *
 * @throws where more codes are asked for than the lengths allow
 * @see RFC 1951, section 3.2.2
 */
export function makeHuffmanCode(lengths: Uint8Array): HuffmanCode {
  const counts = new Uint16Array(bitsMax + 1)
  for (const length of lengths) counts[length]!++
  counts[0] = 0
  let free = 1
  for (let bits = 1; bits <= bitsMax; bits++) {
    free = free * 2 - counts[bits]!
    if (free < 0) throw new Error('over-subscribed Huffman code')
  }
  const starts = new Uint16Array(bitsMax + 2)
  for (let bits = 1; bits <= bitsMax; bits++) starts[bits + 1] = starts[bits]! + counts[bits]!
  const symbols = new Uint16Array(lengths.length)
  lengths.forEach((length, symbol) => {
    if (length !== 0) symbols[starts[length]!++] = symbol
  })
  return { counts, symbols }
}

/** Bits of a deflate stream, lowest first. */
export class BitReader {
  readonly #input: Uint8Array
  #at = 0
  #buffer = 0
  #held = 0

  constructor(input: Uint8Array) {
    this.#input = input
  }

  /** The next `count` bits, 0 to 16, the first of them lowest. */
  bits(count: number): number {
    while (this.#held < count) {
      if (this.#at >= this.#input.length) throw new Error('the deflate stream ends too early')
      this.#buffer |= this.#input[this.#at++]! << this.#held
      this.#held += 8
    }
    const value = this.#buffer & ((1 << count) - 1)
    this.#buffer >>>= count
    this.#held -= count
    return value
  }

  /** The next symbol of `code`: codes are compared from the shortest on, highest bit first. */
  symbol({ counts, symbols }: HuffmanCode): number {
    let value = 0
    let first = 0
    let index = 0
    for (let length = 1; length <= bitsMax; length++) {
      value |= this.bits(1)
      const count = counts[length]!
      if (value - count < first) return symbols[index + (value - first)]!
      index += count
      first = (first + count) << 1
      value <<= 1
    }
    throw new Error('invalid Huffman code')
  }

  /** Drops the rest of the current byte and gives the next `count` bytes. */
  bytes(count: number): Uint8Array {
    // Whole bytes that were taken into the buffer ahead of their time go back.
    this.#at -= this.#held >> 3
    this.#buffer = 0
    this.#held = 0
    if (this.#at + count > this.#input.length) throw new Error('the deflate stream ends too early')
    this.#at += count
    return this.#input.subarray(this.#at - count, this.#at)
  }
}
