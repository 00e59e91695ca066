/** Raw bytes as the stream of a disk, and the stream of a disk as raw bytes. */

import {
  BlockError,
  type ByteSink,
  type DiskPiece,
  type DiskStream,
  isZero,
  writeZeroRun,
} from '@blocklayer/block-core'
import type { ForwardBytes } from './forward-bytes.ts'

/** Longest piece. */
const pieceBytesMax = 2 ** 20
/** Zeroes are left out in whole blocks of a file system. */
const blockBytes = 4096
const sectorBytes = 512

/**
 * The disk that raw `bytes` are.
 *
 * @param length - bytes there will be, where somebody knows
 */
export function rawDiskStream(bytes: ForwardBytes, length?: number): DiskStream {
  return { length, isRepeatable: false, pieces: () => piecesOf(bytes, length) }
}

async function* piecesOf(bytes: ForwardBytes, length: number | undefined): AsyncGenerator<DiskPiece> {
  const buffer = new Uint8Array(pieceBytesMax)
  let offset = 0
  for (;;) {
    const filled = await bytes.next(buffer)
    if (filled > 0) yield { offset, bytes: filled, data: buffer.subarray(0, filled) }
    offset += filled
    if (length !== undefined && offset > length) throw lengthError(`more than`, length)
    if (filled === buffer.length) continue
    if (length !== undefined && offset < length) throw lengthError(`${offset} bytes, not`, length)
    return
  }
}

function lengthError(has: string, length: number): BlockError {
  return new BlockError('EIO', `the stream has ${has} the ${length} bytes that it was said to have`)
}

/**
 * Writes a disk as raw bytes; zeroes are left out where the sink can skip.
 *
 * @returns bytes of the disk
 * @throws what the stream and the sink throw
 */
export async function writeRawStream(disk: DiskStream, sink: ByteSink): Promise<number> {
  let length = 0
  for await (const { offset, bytes, data } of disk.pieces()) {
    if (data === undefined) await writeZeroRun(sink, bytes)
    else await writeData(sink, offset, data)
    length = offset + bytes
  }
  // A disk has whole sectors.
  const rest = (sectorBytes - (length % sectorBytes)) % sectorBytes
  await writeZeroRun(sink, rest)
  return length + rest
}

async function writeData(sink: ByteSink, offset: number, data: Uint8Array): Promise<void> {
  if (sink.skip === undefined) return await sink.write(data)
  for (let start = 0; start < data.length; ) {
    const isHole = isZero(blockAt(data, offset, start))
    let end = start
    do end += blockAt(data, offset, end).length
    while (end < data.length && isZero(blockAt(data, offset, end)) === isHole)
    if (isHole) await sink.skip(end - start)
    else await sink.write(data.subarray(start, end))
    start = end
  }
}

/** The block that begins at `start`, which ends at a multiple of its size in the disk. */
function blockAt(data: Uint8Array, offset: number, start: number): Uint8Array {
  return data.subarray(start, start + blockBytes - ((offset + start) % blockBytes))
}
