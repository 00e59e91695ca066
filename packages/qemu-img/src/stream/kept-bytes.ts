/** Bytes of a stream that have passed and may yet be asked for; tables are packed. */

import { packWords, unpackWords } from './word-runs.ts'

/** Longest piece. */
export const pieceBytesMax = 65536
/** A piece is only packed where that makes it much smaller. */
const runsMax = pieceBytesMax / 32 / 4
/** About what an entry costs besides its content. */
const entryBytes = 200

/** A store of pieces that are added in the order of the stream. */
export class KeptBytes {
  /** Stream offsets of the pieces; those before `#first` were dropped. */
  #starts: number[] = []
  #lengths: number[] = []
  #contents: (Uint8Array | Float64Array)[] = []
  #first = 0
  #cost = 0
  /** The piece that was unpacked last. */
  #unpacked = new Uint8Array(0)
  #unpackedStart = -1

  /** Bytes of memory that the pieces take, about. */
  get cost(): number {
    return this.#cost
  }

  /** Keeps a copy of `bytes`, at most `pieceBytesMax`, which lie behind all that was added before. */
  add(start: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const packed = start % 8 === 0 && bytes.length % 8 === 0 ? packWords(bytes, runsMax) : undefined
    const content = packed ?? bytes.slice()
    this.#starts.push(start)
    this.#lengths.push(bytes.length)
    this.#contents.push(content)
    this.#cost += content.byteLength + entryBytes
  }

  /** Forgets the oldest piece, if there is one. */
  drop(): void {
    const content = this.#contents[this.#first]
    if (content === undefined) return
    this.#cost -= content.byteLength + entryBytes
    this.#contents[this.#first++] = new Uint8Array(0)
    // The lists are cut now and then, so that dropping costs next to nothing.
    if (this.#first < 1024) return
    this.#starts = this.#starts.slice(this.#first)
    this.#lengths = this.#lengths.slice(this.#first)
    this.#contents = this.#contents.slice(this.#first)
    this.#first = 0
  }

  /**
   * Copies bytes from `offset` on, as far as they were kept without a gap.
   *
   * @returns how many
   */
  copy(offset: number, into: Uint8Array): number {
    let done = 0
    for (let index = this.#find(offset); done < into.length; index++) {
      const start = this.#starts[index]
      if (start === undefined || index < this.#first || start > offset + done) break
      const content = this.#contentOf(index)
      const part = content.subarray(offset + done - start, offset + into.length - start)
      into.set(part, done)
      done += part.length
    }
    return done
  }

  /** Index of the last piece that begins at or before `offset`, or -1. */
  #find(offset: number): number {
    let [low, high] = [this.#first, this.#starts.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#starts[middle]! <= offset) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  #contentOf(index: number): Uint8Array {
    const content = this.#contents[index]!
    if (content instanceof Uint8Array) return content
    if (this.#unpackedStart !== this.#starts[index]) {
      this.#unpacked = new Uint8Array(this.#lengths[index]!)
      unpackWords(content, this.#unpacked)
      this.#unpackedStart = this.#starts[index]!
    }
    return this.#unpacked
  }
}
