/** Sources and sinks of streamed images, in memory. */

import type { DiskPiece, ByteSink, DiskStream } from '@blocklayer/block-core/driver'

/** A range of a disk that has data. */
export interface DataRange {
  readonly offset: number
  readonly data: Uint8Array
}

/** How much a source knows of itself. */
export interface SourceShape {
  /** It knows its length. Default true. */
  readonly sized?: boolean
  readonly repeatable?: boolean
  /** It has a map: `false` for one that cannot be had. Absent: none. */
  readonly mapped?: boolean
  /** Most bytes of a piece with data. */
  readonly pieceBytes?: number
}

/** A disk of `length` bytes that is zero but for `ranges`, which come in ascending order. */
export function sourceOf(length: number, ranges: readonly DataRange[], shape: SourceShape = {}): DiskStream {
  const { sized = true, repeatable = false, mapped, pieceBytes = 100_000 } = shape
  let starts = 0
  async function* pieces(): AsyncGenerator<DiskPiece> {
    if (starts++ > 0 && !repeatable) throw new Error('the stream was asked for a second time')
    let at = 0
    for (const { offset, data } of ranges) {
      if (offset > at) yield { offset: at, bytes: offset - at }
      for (let done = 0; done < data.length; done += pieceBytes) {
        const part = data.slice(done, done + pieceBytes)
        yield { offset: offset + done, bytes: part.length, data: part }
        // What was handed out is gone: whoever kept it would see this.
        part.fill(0xee)
      }
      at = offset + data.length
    }
    if (at < length) yield { offset: at, bytes: length - at }
  }
  const scan = async (visit: (offset: number, bytes: number) => void): Promise<boolean> => {
    for (const { offset, data } of ranges) visit(offset, data.length)
    return mapped === true
  }
  return {
    length: sized ? length : undefined,
    pieces,
    isRepeatable: repeatable,
    ...(mapped === undefined ? {} : { scan }),
  }
}

/** What `sourceOf` reads as. */
export function contentOf(length: number, ranges: readonly DataRange[]): Uint8Array {
  const bytes = new Uint8Array(length)
  for (const { offset, data } of ranges) bytes.set(data, offset)
  return bytes
}

/** Keeps a stream; `seekable`: it can also skip and patch, as a file. */
export class MemorySink implements ByteSink {
  #bytes = new Uint8Array(65536)
  #length = 0
  readonly skip?: (bytes: number) => Promise<void>
  readonly patch?: (offset: number, bytes: Uint8Array) => Promise<void>

  constructor(seekable = false) {
    if (!seekable) return
    this.skip = async (bytes) => this.#grow(bytes)
    this.patch = async (offset, bytes) => this.#bytes.set(bytes, offset)
  }

  /** All that came. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  async write(bytes: Uint8Array): Promise<void> {
    const at = this.#length
    this.#grow(bytes.length)
    this.#bytes.set(bytes, at)
  }

  #grow(bytes: number): void {
    this.#length += bytes
    if (this.#length <= this.#bytes.length) return
    const grown = new Uint8Array(this.#length * 2)
    grown.set(this.#bytes)
    this.#bytes = grown
  }
}
