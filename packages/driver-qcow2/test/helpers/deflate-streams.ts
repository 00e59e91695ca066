/** Deflate streams that go on behind the cluster, or have something else there, and what a cluster made of them must read as. */

import { constants, deflateRawSync } from 'node:zlib'

/** Bytes of the cluster. */
export const streamCluster = 65536

const text: Uint8Array = Uint8Array.from({ length: streamCluster }, (_, at) => ((at * at) >>> 7) % 251)
const { Z_SYNC_FLUSH } = constants

/** The text without an end mark: a whole number of bytes, behind which another block could follow. */
const open: Uint8Array = deflateRawSync(text, { windowBits: 12, finishFlush: Z_SYNC_FLUSH })
/** The same without the empty block that a flush leaves. */
const bare = open.subarray(0, -5)

const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))

/** A stream in the place of a compressed cluster of 64 KiB. */
export interface DeflateCase {
  readonly name: string
  readonly stream: Uint8Array
  /** `undefined` where reading must fail. */
  readonly content: Uint8Array | undefined
  /** The reference goes on to the head of a block that is none, though the cluster is complete, and fails. */
  readonly failsThere?: true
}

/** Ways in which a stream can end, and not end. */
export const deflateCases: readonly DeflateCase[] = [
  { name: 'a stream that ends with the cluster', stream: deflateRawSync(text), content: text },
  {
    name: 'something else behind it',
    stream: join(deflateRawSync(text), new Uint8Array(400).fill(0xff)),
    content: text,
  },
  { name: 'no end mark, nothing behind', stream: open, content: text, failsThere: true },
  { name: 'no end mark, zeroes behind', stream: join(open, new Uint8Array(400)), content: text, failsThere: true },
  { name: 'a byte more than the cluster', stream: deflateRawSync(join(text, Uint8Array.of(1))), content: text },
  { name: 'twice the cluster', stream: deflateRawSync(join(text, text)), content: text },
  {
    name: 'a bomb: 64 MiB in the place of 64 KiB',
    stream: deflateRawSync(new Uint8Array(64 * 1024 * 1024).fill(7), { windowBits: 12, level: 9 }),
    content: new Uint8Array(streamCluster).fill(7),
  },
  {
    name: 'stored blocks beyond the cluster',
    stream: deflateRawSync(join(text, text), { level: 0 }).subarray(0, 100_000),
    content: text,
  },
  { name: 'a stream that is cut off', stream: deflateRawSync(text).subarray(0, 1000), content: undefined },
  { name: 'a byte less than the cluster', stream: deflateRawSync(text.subarray(1)), content: undefined },
  { name: 'cut off behind the last byte', stream: bare, content: text, failsThere: true },
  {
    name: 'nothing but empty blocks',
    stream: new Uint8Array(60_000).map((_, at) => (at % 5 > 2 ? 0xff : 0)),
    content: undefined,
  },
]
