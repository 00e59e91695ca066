/** A stream of bytes that is read at offsets, as far as it can: what was passed by is kept for a while. */

import { BlockError, assert } from '@blocklayer/block-core'
import { KeptBytes, pieceBytesMax } from './kept-bytes.ts'

/** How a stream is read. */
export interface ForwardOptions {
  /** Bytes of memory for what has passed and may yet be asked for. Default 8 MiB. */
  readonly keepMax?: number
}

const keepDefault = 8 * 2 ** 20
/** Bytes before the present place that can always be read again. */
const recentMax = 4096
/** Compressed clusters are read in whole sectors, the last of which the next one shares. */
const sectorBytes = 512

/**
 * Reads a stream at offsets. Offsets may go back as far as what was passed by is kept; those that are asked for in
 * ascending order are not kept at all.
 */
export class ForwardBytes {
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #keepMax: number
  readonly #kept = new KeptBytes()
  #chunk: Uint8Array = new Uint8Array(0)
  #position = 0
  #hasEnded = false
  readonly #recentMemory = new Uint8Array(recentMax)
  #recent: Uint8Array = new Uint8Array(0)
  /** For what is passed by, and made for the first of that. */
  #piece: Uint8Array | undefined
  #isHolding = false
  #overflow: BlockError | undefined
  #failure: BlockError | undefined
  /** Resolves when nobody reads. */
  #reading: Promise<unknown> = Promise.resolve()

  constructor(chunks: AsyncIterable<Uint8Array>, { keepMax = keepDefault }: ForwardOptions = {}) {
    this.#chunks = chunks[Symbol.asyncIterator]()
    this.#keepMax = keepMax
  }

  /** Bytes of the stream that have come and gone. */
  get position(): number {
    return this.#position
  }

  /** The first failure: what was asked for came too late, or the stream ends too early. */
  get failure(): BlockError | undefined {
    return this.#failure
  }

  /**
   * From now on all is kept, and reading fails rather than that something is forgotten.
   *
   * @see release
   */
  hold(): void {
    this.#isHolding = true
    this.#overflow = undefined
  }

  /** Ends `hold`. @returns why not everything could be kept; `undefined` where it could */
  release(): BlockError | undefined {
    this.#isHolding = false
    return this.#overflow
  }

  /**
   * The first bytes, without taking them.
   *
   * @returns fewer where the stream is shorter
   */
  async peek(bytes: number): Promise<Uint8Array> {
    assert(this.#position === 0, 'only the begin of a stream is looked at beforehand')
    while (this.#chunk.length < bytes) {
      const { value, done } = await this.#nextChunk()
      if (done === true) break
      const joined = new Uint8Array(this.#chunk.length + value.length)
      joined.set(this.#chunk)
      joined.set(value, this.#chunk.length)
      this.#chunk = joined
    }
    return this.#chunk.slice(0, bytes)
  }

  /**
   * Fills `into` with the bytes at `offset`; calls are served in their order.
   *
   * @throws BlockError `ESPIPE` for bytes that are gone, or that cannot be reached while `hold` holds; `EIO` behind the end
   */
  read(offset: number, into: Uint8Array): Promise<void> {
    const done = this.#reading.then(() => this.#read(offset, into))
    this.#reading = done.catch(() => undefined)
    return done
  }

  /** Takes the next bytes of the stream as they come. @returns how many: fewer than `into` only at the end */
  async next(into: Uint8Array): Promise<number> {
    let filled = 0
    while (filled < into.length && (await this.#more())) {
      const part = this.#chunk.subarray(0, into.length - filled)
      into.set(part, filled)
      filled += part.length
      this.#take(part.length)
    }
    return filled
  }

  /** Lets go of the stream. */
  async close(): Promise<void> {
    await this.#chunks.return?.()
  }

  async #read(offset: number, into: Uint8Array): Promise<void> {
    let done = 0
    if (offset < this.#position) {
      const past = into.subarray(0, this.#position - offset)
      done = this.#again(offset, past)
      if (done < past.length) throw this.#fail(this.#gone(offset + done))
    }
    if (done === into.length) return
    this.#checkKept(this.#position)
    await this.#pass(offset + done - this.#position)
    const filled = await this.next(into.subarray(done))
    if (this.#isHolding) this.#keep(this.#position - filled, into.subarray(done, done + filled))
    this.#remember(into.subarray(Math.max(0, done + filled - recentMax), done + filled))
    // Not even the rest of a last sector: compressed data that lacks its end may still give a whole cluster.
    if (done + filled < into.length) {
      throw this.#fail(new BlockError('EIO', cutText(this.#position, offset + into.length)))
    }
  }

  /** Always in the same memory: a read for each cluster of a disk would leave much to the garbage collector. */
  #remember(bytes: Uint8Array): void {
    this.#recentMemory.set(bytes)
    this.#recent = this.#recentMemory.subarray(0, bytes.length)
  }

  /** Copies what has passed; gives how much of it there is. */
  #again(offset: number, into: Uint8Array): number {
    let done = this.#kept.copy(offset, into)
    const start = this.#position - this.#recent.length
    if (done < into.length && offset + done >= start) {
      into.set(this.#recent.subarray(offset + done - start, offset + into.length - start), done)
      done = into.length
    }
    return done
  }

  /** Goes `bytes` further, and keeps them. */
  async #pass(bytes: number): Promise<void> {
    if (bytes === 0) return
    const shared = this.#recent.subarray(Math.max(0, this.#recent.length - sectorBytes))
    if (!this.#isHolding) this.#keep(this.#position - shared.length, shared)
    this.#piece ??= new Uint8Array(pieceBytesMax)
    const piece = this.#piece
    for (let left = bytes; left > 0; ) {
      this.#checkKept(this.#position + left)
      // Pieces end at multiples of their length, so that tables fall into few of them.
      const part = Math.min(left, pieceBytesMax - (this.#position % pieceBytesMax))
      const filled = await this.next(piece.subarray(0, part))
      this.#keep(this.#position - filled, piece.subarray(0, filled))
      left -= part
      if (filled < part) break
    }
    this.#recent = new Uint8Array(0)
  }

  /** @throws BlockError `ESPIPE` where everything has to be kept, and is more than may be @param needed - what is asked for */
  #checkKept(needed: number): void {
    if (!this.#isHolding || this.#kept.cost <= this.#keepMax) return
    this.#overflow = new BlockError('ESPIPE', behindText(needed, this.#keepMax))
    throw this.#overflow
  }

  /** Keeps bytes of the stream; outside of `hold` the oldest make room. */
  #keep(start: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const part = Math.min(bytes.length - done, pieceBytesMax - ((start + done) % pieceBytesMax))
      this.#kept.add(start + done, bytes.subarray(done, done + part))
      done += part
    }
    while (!this.#isHolding && this.#kept.cost > this.#keepMax) this.#kept.drop()
  }

  /** Whether there is another byte. */
  async #more(): Promise<boolean> {
    while (this.#chunk.length === 0 && !this.#hasEnded) {
      const { value, done } = await this.#nextChunk()
      if (done === true) this.#hasEnded = true
      else this.#chunk = value
    }
    return this.#chunk.length > 0
  }

  async #nextChunk(): Promise<IteratorResult<Uint8Array, unknown>> {
    try {
      return await this.#chunks.next()
    } catch (error) {
      throw error instanceof BlockError ? this.#fail(error) : error
    }
  }

  #take(bytes: number): void {
    this.#chunk = this.#chunk.subarray(bytes)
    this.#position += bytes
  }

  #gone(offset: number): BlockError {
    return new BlockError('ESPIPE', goneText(offset, this.#position, this.#keepMax))
  }

  #fail(error: BlockError): BlockError {
    this.#failure ??= error
    return error
  }
}

function goneText(offset: number, position: number, keepMax: number): string {
  return (
    `byte ${offset} of the stream is needed when byte ${position} has been reached, and at most ${keepMax} bytes are ` +
    'kept: the image is not in the order of the disk'
  )
}

function behindText(offset: number, keepMax: number): string {
  return `a table at byte ${offset} of the stream lies behind more data than the ${keepMax} bytes that are kept`
}

function cutText(end: number, needed: number): string {
  return `the stream ends at byte ${end}, and byte ${needed} is needed`
}
