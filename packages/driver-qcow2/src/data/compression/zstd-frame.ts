/**
 * Where zstd frames begin and end, and what their headers promise. A compressed cluster is followed by foreign bytes, so
 * the end must be known before a library is called; and nothing is decompressed that promises more than a cluster.
 *
 * @see RFC 8878, section 3.1
 */

import { releaseMemory } from './release-memory.ts'

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50

/** A compressed block is never more than this. @see RFC 8878, section 3.1.1.2.4 */
const blockBytesMax = 128 * 1024

/**
 * A writer needs one frame. Each takes a call of the library, and in the place of a cluster of 2 MiB there is room for
 * hundreds of thousands of tiny ones: reading it would take minutes.
 */
const framesMax = 1024

/** Decoders set aside at most this much for a frame that does not tell its size; the reference's library does so too. */
const windowBytesMax = 2 ** 27 + 1

/** A whole frame. */
export interface ZstdFrame {
  /** From the magic number to the last block, or the checksum where there is one. */
  readonly bytes: Uint8Array
  /** Bytes that it decompresses to as its header says; `undefined` where it does not. */
  readonly contentBytes: number | undefined
  /** Bytes that its blocks can be at most. */
  readonly contentBytesMax: number
}

/**
 * Decompresses a whole frame.
 *
 * @param contentBytesMax - the output is not larger
 * @returns the content, in memory of its own: that is released as soon as it has been copied
 * @throws where the frame is broken or its content is larger
 */
export type DecompressFrame = (frame: ZstdFrame, contentBytesMax: number) => Uint8Array

/**
 * Decompresses frames one after the other until `into` is full; what follows the last of them is ignored.
 *
 * @throws where a frame is broken, is not all there, or does not end where `into` does
 * @see QEMU 7.2 block/qcow2-threads.c: qcow2_zstd_decompress
 */
export function decompressFrames(input: Uint8Array, into: Uint8Array, decompress: DecompressFrame): void {
  let done = 0
  let frames = 0
  for (let at = 0; done < into.length; ) {
    const skipped = skippableBytes(input, at)
    if (skipped !== undefined) {
      at += skipped
      continue
    }
    const frame = frameAt(input, at)
    const room = into.length - done
    if ((frame.contentBytes ?? 0) > room) throw new Error('the zstd frame is larger than the cluster')
    frames++
    if (frames > framesMax) throw new Error('too many zstd frames')
    const content = decompress(frame, Math.min(room, frame.contentBytesMax))
    // Libraries end their output quietly where the room for it ends, or at a content that is not there.
    if (content.length > room || content.length !== (frame.contentBytes ?? content.length)) {
      throw new Error('the zstd frame has another length than it says')
    }
    const { length } = content
    into.set(content, done)
    releaseMemory(content)
    done += length
    at += frame.bytes.length
  }
}

/** Length of the skippable frame at `at`, if there is one. */
function skippableBytes(input: Uint8Array, at: number): number | undefined {
  const magic = littleEndian(input, at, 4)
  // Sixteen magic numbers; their last half byte is free.
  if (magic - (magic % 16) !== skippableMagic) return undefined
  const bytes = 8 + littleEndian(input, at + 4, 4)
  if (at + bytes > input.length) throw new Error('the zstd stream ends too early')
  return bytes
}

/** The frame that begins at `at`. */
function frameAt(input: Uint8Array, at: number): ZstdFrame {
  if (littleEndian(input, at, 4) !== frameMagic) throw new Error('no zstd frame')
  const descriptor = littleEndian(input, at + 4, 1)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  const sizeAt = at + 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes
  const contentBytes =
    sizeBytes === 0 ? undefined : littleEndian(input, sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
  if (contentBytes === undefined && windowBytes(littleEndian(input, at + 5, 1)) > windowBytesMax) {
    throw new Error('the zstd window is too large')
  }
  let end = sizeAt + sizeBytes
  let contentBytesMax = 0
  for (let isLast = false; !isLast; ) {
    const block = littleEndian(input, end, 3)
    isLast = (block & 1) === 1
    const kind = block & 6
    contentBytesMax += kind > 2 ? blockBytesMax : block >> 3
    // A block of one repeated byte stores it once.
    end += 3 + (kind === 2 ? 1 : block >> 3)
  }
  if ((descriptor & 4) !== 0) end += 4
  if (end > input.length) throw new Error('the zstd stream ends too early')
  return { bytes: input.subarray(at, end), contentBytes, contentBytesMax }
}

/** @param descriptor - the exponent in the upper five bits, eighths in the lower three */
function windowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

/** Not exact beyond 2^53, where all numbers are too large anyway. */
function littleEndian(input: Uint8Array, at: number, bytes: number): number {
  if (at + bytes > input.length) throw new Error('the zstd stream ends too early')
  let value = 0
  for (let index = bytes - 1; index >= 0; index--) value = value * 256 + input[at + index]!
  return value
}
