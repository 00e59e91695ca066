/** zstd streams made by hand, good and bad ones, and what a cluster made of them must read as. */

import { constants, zstdCompressSync } from 'node:zlib'

/** What the header of a frame says, and the blocks behind it. */
export interface FrameOptions {
  /** Bytes in the size field; none where absent. */
  readonly size?: number
  /** One segment: a size field and no window. */
  readonly single?: boolean
  /** The window descriptor where there is more than one segment. */
  readonly window?: number
  /** Bits to be set in the frame header descriptor besides. */
  readonly bits?: number
  /** Leaves the last block unmarked. */
  readonly open?: boolean
  readonly blocks: readonly Uint8Array[]
}

/** A block of `count` times `value`. */
export function runBlock(value: number, count: number): Uint8Array {
  return new Uint8Array([...threeBytes(count * 8 + 2), value])
}

/** A block of `bytes` as they are. */
export function rawBlock(bytes: Uint8Array): Uint8Array {
  return new Uint8Array([...threeBytes(bytes.length * 8), ...bytes])
}

function threeBytes(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, value >> 16]
}

/** A frame whose size field has four bytes if it has one. */
export function frame({ size, single, window = 0x38, bits = 0, open = false, blocks }: FrameOptions): Uint8Array {
  const head = [0x28, 0xb5, 0x2f, 0xfd, (size === undefined ? 0 : 0x80) | (single ? 0x20 : 0) | bits]
  if (!single) head.push(window)
  if (size !== undefined) head.push(size & 0xff, (size >> 8) & 0xff, (size >> 16) & 0xff, size >>> 24)
  const body = blocks.map((block, index) => {
    const marked = new Uint8Array(block)
    if (index === blocks.length - 1 && !open) marked[0]! |= 1
    return marked
  })
  return join(new Uint8Array(head), ...body)
}

/** A frame that every decoder skips. */
export function skippable(bytes: number): Uint8Array {
  return join(new Uint8Array([0x53, 0x2a, 0x4d, 0x18, bytes, 0, 0, 0]), new Uint8Array(bytes).fill(0x28))
}

/** One after the other. */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

const cluster = 65536
const text: Uint8Array = Uint8Array.from({ length: cluster }, (_, at) => ((at * at) >>> 7) % 251)
const checksummed: Uint8Array = new Uint8Array(
  zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
)
const wrongChecksum = checksummed.slice()
wrongChecksum[wrongChecksum.length - 1]! ^= 1

const sevens = (count: number): Uint8Array => new Uint8Array(count).fill(7)
const half = runBlock(7, cluster / 2)
const whole = runBlock(7, cluster)
const empty = rawBlock(new Uint8Array(0))

/** A stream in the place of a compressed cluster of 64 KiB. */
export interface StreamCase {
  readonly name: string
  readonly stream: Uint8Array
  /** `undefined` where reading must fail. */
  readonly content: Uint8Array | undefined
}

/** Every way in which a stream can be right or wrong. */
export const streamCases: readonly StreamCase[] = [
  { name: 'a frame as the library makes it', stream: new Uint8Array(zstdCompressSync(text)), content: text },
  { name: 'a checksum', stream: checksummed, content: text },
  { name: 'one segment', stream: frame({ size: cluster, single: true, blocks: [whole] }), content: sevens(cluster) },
  { name: 'a size and a window', stream: frame({ size: cluster, blocks: [whole] }), content: sevens(cluster) },
  { name: 'no size', stream: frame({ blocks: [whole] }), content: sevens(cluster) },
  {
    name: 'two frames',
    stream: join(frame({ blocks: [half] }), frame({ size: cluster / 2, blocks: [half] })),
    content: sevens(cluster),
  },
  {
    name: 'a frame without content first',
    stream: join(frame({ size: 0, single: true, blocks: [empty] }), frame({ blocks: [whole] })),
    content: sevens(cluster),
  },
  {
    name: 'frames to be skipped',
    stream: join(skippable(9), frame({ blocks: [half] }), skippable(0), frame({ blocks: [half] })),
    content: sevens(cluster),
  },
  { name: 'an empty block at the end', stream: frame({ blocks: [half, half, empty] }), content: sevens(cluster) },
  {
    name: 'another frame behind it',
    stream: join(frame({ blocks: [whole] }), frame({ blocks: [whole] })),
    content: sevens(cluster),
  },
  { name: 'a window of 128 MiB', stream: frame({ window: 17 << 3, blocks: [whole] }), content: sevens(cluster) },
  { name: 'a window of 144 MiB', stream: frame({ window: (17 << 3) | 1, blocks: [whole] }), content: undefined },
  {
    name: 'a window of 1 GiB and a size',
    stream: frame({ window: 20 << 3, size: cluster, blocks: [whole] }),
    content: sevens(cluster),
  },
  { name: 'a wrong checksum', stream: wrongChecksum, content: undefined },
  { name: 'a frame that is too short', stream: frame({ blocks: [half] }), content: undefined },
  { name: 'a frame that is too long', stream: frame({ blocks: [half, whole] }), content: undefined },
  {
    name: 'a second frame that is too long',
    stream: join(frame({ blocks: [half] }), frame({ blocks: [whole] })),
    content: undefined,
  },
  { name: 'a size that is too large', stream: frame({ size: 2 ** 31, blocks: [whole] }), content: undefined },
  { name: 'a size that is too small', stream: frame({ size: 100, blocks: [whole] }), content: undefined },
  { name: 'more content promised than there is', stream: frame({ size: cluster, blocks: [half] }), content: undefined },
  { name: 'no last block', stream: frame({ open: true, blocks: [whole] }), content: undefined },
  { name: 'a reserved bit', stream: frame({ bits: 8, blocks: [whole] }), content: undefined },
  { name: 'a block of no kind', stream: frame({ blocks: [new Uint8Array([6, 0, 0])] }), content: undefined },
  {
    name: 'a dictionary',
    stream: join(frame({ bits: 1, blocks: [empty] }), frame({ blocks: [whole] })),
    content: undefined,
  },
  { name: 'something else', stream: new TextEncoder().encode('no zstd at all'), content: undefined },
]
