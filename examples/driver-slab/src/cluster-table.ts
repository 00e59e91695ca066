/** Which cluster of the file holds which cluster of the disk: four bytes each, in memory, 0 for none. */

import { BlockError, ceilDiv, type Child } from '@blocklayer/block-core/driver'
import { dataOffset, entryBytes, headerBytes, type SlabHeader } from './format.ts'

/** A run of guest bytes that lie together in the file, or nowhere. */
export interface Run {
  readonly bytes: number
  /** Offset in the file; `undefined` for a run that reads as zeroes. */
  readonly fileOffset: number | undefined
}

/** The table in memory. Entry n stands for cluster n - 1 of the file's data. */
export class ClusterTable {
  readonly #clusterBytes: number
  readonly #dataOffset: number
  readonly #entries: Uint32Array
  /** 1 for each cluster of the file that an entry names. Never cleared: see `unlink`. */
  readonly #used: Uint8Array
  #next = 0
  /** Entries that the file does not have yet: from `from` to before `end`. */
  #changed = { from: Number.POSITIVE_INFINITY, end: 0 }

  /** @param stored - the table as it stands in the file */
  constructor(header: SlabHeader, stored: Uint8Array) {
    this.#clusterBytes = header.clusterBytes
    this.#dataOffset = dataOffset(header)
    const words = new DataView(stored.buffer, stored.byteOffset, stored.byteLength)
    const inUse = ceilDiv(header.size, header.clusterBytes)
    // What stands behind the disk's end is left over from a disk that was cut there: it must not come back.
    this.#entries = Uint32Array.from({ length: header.capacity }, (_, i) =>
      i < inUse ? words.getUint32(entryBytes * i) : 0,
    )
    const last = this.#entries.reduce((a, b) => Math.max(a, b), 0)
    this.#used = new Uint8Array(last)
    for (const entry of this.#entries) if (entry > 0) this.#used[entry - 1] = 1
  }

  /** Whether some entry has changed since the table was stored. */
  get dirty(): boolean {
    return this.#changed.end > 0
  }

  /** Begins to allocate behind the last used cluster, and leaves gaps alone. */
  appendOnly(): void {
    this.#next = this.#used.length
  }

  /** The longest run at guest offset `offset`, at most `bytes` long. */
  runAt(offset: number, bytes: number): Run {
    const first = Math.floor(offset / this.#clusterBytes)
    const within = offset % this.#clusterBytes
    const entry = this.#entries[first] ?? 0
    let length = this.#clusterBytes - within
    for (let i = first + 1; length < bytes; i++, length += this.#clusterBytes) {
      if (this.#entries[i] !== (entry === 0 ? 0 : entry + i - first)) break
    }
    const fileOffset = entry === 0 ? undefined : this.#placeOf(entry) + within
    return { bytes: Math.min(length, bytes), fileOffset }
  }

  /** Whether some cluster of the range has a place in the file. */
  hasData(offset: number, bytes: number): boolean {
    const run = this.runAt(offset, bytes)
    return run.fileOffset !== undefined || run.bytes < bytes
  }

  /** A cluster of the file that nobody uses. */
  allocate(): { readonly entry: number; readonly fileOffset: number } {
    while (this.#used[this.#next] === 1) this.#next++
    const entry = ++this.#next
    return { entry, fileOffset: this.#placeOf(entry) }
  }

  /** Makes the cluster at guest offset `offset` be the one that `allocate` gave. */
  link(offset: number, entry: number): void {
    this.#set(Math.floor(offset / this.#clusterBytes), entry)
  }

  /**
   * Takes the clusters of a range off the disk. They are used again after the next opening, not before: until the table
   * is on the disk they still belong to what was there, and requests may be under way in them.
   */
  unlink(offset: number, bytes: number): void {
    const end = ceilDiv(offset + bytes, this.#clusterBytes)
    for (let i = Math.floor(offset / this.#clusterBytes); i < end; i++) {
      if (this.#entries[i] !== 0) this.#set(i, 0)
    }
  }

  /** Has the entries of a range stored again, whatever the file has there. */
  touch(offset: number, bytes: number): void {
    const end = ceilDiv(offset + bytes, this.#clusterBytes)
    for (let i = Math.floor(offset / this.#clusterBytes); i < end; i++) this.#set(i, this.#entries[i] ?? 0)
  }

  /**
   * Writes what has changed. Call it with allocation locked out.
   *
   * @throws BlockError what the file reports; the changes then are still to be written
   */
  async store(file: Child): Promise<void> {
    if (!this.dirty) return
    // Data first: an entry without its data would show whatever lies there, or a place behind the end of the file.
    await file.flush()
    const { from, end } = this.#changed
    const bytes = new Uint8Array((end - from) * entryBytes)
    const words = new DataView(bytes.buffer)
    for (let i = from; i < end; i++) words.setUint32((i - from) * entryBytes, this.#entries[i] ?? 0)
    this.#changed = { from: Number.POSITIVE_INFINITY, end: 0 }
    try {
      await file.write(headerBytes + from * entryBytes, bytes)
    } catch (error) {
      this.#note(from, end)
      throw error
    }
  }

  /** Clusters that have a place, places that two of them share, and places behind the end of the file. */
  count(fileBytes: number): { readonly allocated: number; readonly shared: number; readonly beyond: number } {
    const seen = new Uint8Array(this.#entries.reduce((a, b) => Math.max(a, b), 0))
    let [allocated, shared, beyond] = [0, 0, 0]
    for (const entry of this.#entries) {
      if (entry === 0) continue
      allocated++
      if (seen[entry - 1] === 1) shared++
      seen[entry - 1] = 1
      if (this.#placeOf(entry) + this.#clusterBytes > fileBytes) beyond++
    }
    return { allocated, shared, beyond }
  }

  #set(index: number, entry: number): void {
    if (index >= this.#entries.length) throw new BlockError('ENOSPC', 'The slab table is full')
    this.#entries[index] = entry
    this.#note(index, index + 1)
  }

  #note(from: number, end: number): void {
    this.#changed = { from: Math.min(this.#changed.from, from), end: Math.max(this.#changed.end, end) }
  }

  #placeOf(entry: number): number {
    return this.#dataOffset + (entry - 1) * this.#clusterBytes
  }
}
