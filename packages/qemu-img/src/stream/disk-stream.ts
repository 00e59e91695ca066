/** A disk that is open, as a stream of its pieces. */

import { type BlockBackend, BlockError, chainAllocation, type DiskPiece, type DiskStream } from '@blocklayer/block-core'
import type { ForwardBytes } from './forward-bytes.ts'

/** Longest piece with data. */
const pieceBytesMax = 2 ** 20

/**
 * The most bytes of data that an image can hold, from its first tables.
 *
 * @param read - reads the image
 * @param isCompressed - some of its data is compressed
 */
export type DataBound = (
  read: (offset: number, into: Uint8Array) => Promise<void>,
  isCompressed: boolean,
) => Promise<number | undefined>

/** What lies under a disk whose image is a stream itself. */
export interface StreamBelow {
  readonly bytes: ForwardBytes
  /** Absent: nothing is known. */
  readonly dataBound?: DataBound | undefined
}

/**
 * The stream of an open disk.
 *
 * @param below - absent: the disk can be read again
 */
export function diskStream(disk: BlockBackend, below?: StreamBelow): DiskStream {
  return new OpenDiskStream(disk, below)
}

class OpenDiskStream implements DiskStream {
  readonly length: number
  readonly isRepeatable: boolean
  readonly grainBytes: number | undefined
  readonly #disk: BlockBackend
  readonly #below: StreamBelow | undefined
  #bytesMax: number | undefined

  constructor(disk: BlockBackend, below: StreamBelow | undefined) {
    this.#disk = disk
    this.#below = below
    this.length = disk.length
    this.isRepeatable = below === undefined
    this.grainBytes = disk.info.clusterSize
  }

  async *pieces(): AsyncGenerator<DiskPiece> {
    // A stream is asked for one cluster at a time: of several, a format may read the last one first.
    const pieceBytes = this.#below === undefined ? pieceBytesMax : (this.grainBytes ?? pieceBytesMax)
    const buffer = new Uint8Array(pieceBytes)
    for (let at = 0; at < this.length; ) {
      const run = await this.#explain(at, () => this.#runAt(at))
      if (run.zero) yield { offset: at, bytes: run.bytes }
      const end = at + run.bytes
      for (; at < end && !run.zero; ) {
        const data = buffer.subarray(0, Math.min(end - at, pieceBytes - (at % pieceBytes)))
        await this.#explain(at, () => this.#disk.read(at, data))
        yield { offset: at, bytes: data.length, data }
        at += data.length
      }
      at = end
    }
  }

  async scan(visit: (offset: number, bytes: number) => void): Promise<boolean> {
    const bytes = this.#below?.bytes
    bytes?.hold()
    let at = 0
    try {
      while (at < this.length) {
        const run = await this.#runAt(at)
        if (!run.zero) visit(at, run.bytes)
        at += run.bytes
      }
      return true
    } catch (error) {
      // Only that more would have to be kept is no failure: the disk can still be read piece by piece.
      if (bytes?.release() === undefined) throw bytes?.failure ?? error
      this.#bytesMax = await this.#boundAfter(at)
      return false
    } finally {
      bytes?.release()
    }
  }

  /** The run at `at` and no further: what lies behind it may have to be read after its data. */
  async #runAt(at: number): Promise<{ readonly bytes: number; readonly zero: boolean }> {
    const { bytes, zero } = await chainAllocation(this.#disk.root, undefined, at, this.length - at)
    return { bytes, zero }
  }

  /** @param scanned - bytes of the disk whose tables are kept; the rest is taken to be of their kind */
  async #boundAfter(scanned: number): Promise<number | undefined> {
    if (this.#below?.dataBound === undefined) return undefined
    const { bytes, dataBound } = this.#below
    bytes.hold()
    let isCompressed = false
    for await (const run of this.#disk.map(0, scanned)) isCompressed ||= run.compressed
    return await dataBound((offset, into) => bytes.read(offset, into), isCompressed)
  }

  async dataBytesMax(): Promise<number | undefined> {
    return this.#bytesMax
  }

  /** Formats often keep only the code of an error: the stream knows what it was about. */
  async #explain<T>(at: number, run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      const known = this.#below?.bytes.failure ?? error
      throw known instanceof BlockError ? known.prepend(`error while reading at byte ${at}: `) : known
    }
  }
}
