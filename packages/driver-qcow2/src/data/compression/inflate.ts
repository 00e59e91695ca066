/** Inflating in plain JavaScript, up to the end of a cluster and not beyond. */

import { BitReader, type HuffmanCode, makeHuffmanCode } from './huffman.ts'

/** Smallest length of each length symbol from 257 on, and the number of extra bits. @see RFC 1951, section 3.2.5 */
const lengthBases = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
]
const lengthBits = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]

/** Smallest distance of each distance symbol; symbol n has max(0, n/2 - 1) extra bits, rounded down. */
const distanceBases = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
]

/** Order in which the lengths of the code length code are stored. */
const codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

interface Codes {
  readonly literals: HuffmanCode
  readonly distances: HuffmanCode
}

/**
 * Inflates a raw deflate stream that fills `into`; what follows in `input` is ignored, be it more of the stream.
 *
 * @throws where the stream is broken or too short
 * @see RFC 1951
 */
export function inflate(input: Uint8Array, into: Uint8Array): void {
  const reader = new BitReader(input)
  let length = 0
  let isLast = false
  while (!isLast && length < into.length) {
    isLast = reader.bits(1) === 1
    const kind = reader.bits(2)
    if (kind === 0) length = copyStored(reader, into, length)
    else if (kind === 1) length = inflateBlock(reader, fixedCodes(), into, length)
    else if (kind === 2) length = inflateBlock(reader, readCodes(reader), into, length)
    else throw new Error('invalid deflate block')
  }
  if (length !== into.length) throw new Error('the deflate stream ends too early')
}

function copyStored(reader: BitReader, into: Uint8Array, length: number): number {
  const head = reader.bytes(4)
  const count = head[0]! | (head[1]! << 8)
  if (count !== (~(head[2]! | (head[3]! << 8)) & 0xffff)) throw new Error('invalid stored deflate block')
  const bytes = reader.bytes(Math.min(count, into.length - length))
  into.set(bytes, length)
  return length + bytes.length
}

/** Decodes one block behind the `length` bytes that are there; stops when `into` is full. */
function inflateBlock(reader: BitReader, codes: Codes, into: Uint8Array, length: number): number {
  let at = length
  while (at < into.length) {
    const symbol = reader.symbol(codes.literals)
    if (symbol < 256) {
      into[at++] = symbol
      continue
    }
    if (symbol === 256) return at
    const base = lengthBases[symbol - 257]
    if (base === undefined) throw new Error('invalid deflate length')
    const count = base + reader.bits(lengthBits[symbol - 257]!)
    const distance = readDistance(reader, codes.distances)
    if (distance > at) throw new Error('invalid deflate distance')
    // Byte by byte: the source may reach into what this very copy writes.
    for (const end = Math.min(at + count, into.length); at < end; at++) into[at] = into[at - distance]!
  }
  return at
}

function readDistance(reader: BitReader, code: HuffmanCode): number {
  const symbol = reader.symbol(code)
  const base = distanceBases[symbol]
  if (base === undefined) throw new Error('invalid deflate distance')
  return base + reader.bits(Math.max(0, (symbol >> 1) - 1))
}

let fixed: Codes | undefined

function fixedCodes(): Codes {
  if (fixed !== undefined) return fixed
  const lengths = new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280)
  fixed = { literals: makeHuffmanCode(lengths), distances: makeHuffmanCode(new Uint8Array(30).fill(5)) }
  return fixed
}

/** The codes at the beginning of a block that brings its own. */
function readCodes(reader: BitReader): Codes {
  const literalCount = reader.bits(5) + 257
  const distanceCount = reader.bits(5) + 1
  const codeLengthCount = reader.bits(4) + 4
  const codeLengths = new Uint8Array(19)
  for (let i = 0; i < codeLengthCount; i++) codeLengths[codeLengthOrder[i]!] = reader.bits(3)
  const code = makeHuffmanCode(codeLengths)
  const lengths = new Uint8Array(literalCount + distanceCount)
  for (let at = 0; at < lengths.length; ) {
    const symbol = reader.symbol(code)
    if (symbol < 16) {
      lengths[at++] = symbol
      continue
    }
    if (symbol === 16 && at === 0) throw new Error('invalid deflate code lengths')
    const value = symbol === 16 ? lengths[at - 1]! : 0
    const count = symbol === 16 ? 3 + reader.bits(2) : symbol === 17 ? 3 + reader.bits(3) : 11 + reader.bits(7)
    if (at + count > lengths.length) throw new Error('invalid deflate code lengths')
    lengths.fill(value, at, at + count)
    at += count
  }
  return {
    literals: makeHuffmanCode(lengths.subarray(0, literalCount)),
    distances: makeHuffmanCode(lengths.subarray(literalCount)),
  }
}
