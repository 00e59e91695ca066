/** The last stretch of a protocol node that is known to hold data: asking the host again for every cluster is slow. */

/**
 * One region, as the reference keeps it. Zeroing, discarding or shortening any of it forgets it; so does an answer that
 * was on its way meanwhile.
 *
 * @see spec/block-layer.md, section 22, last paragraphs
 */
export class DataRegion {
  #start = 0
  #end = 0
  /** Changes with every invalidation. */
  #version = 0

  /** Bytes of data from `offset` on that are known; 0 where nothing is known. */
  bytesAt(offset: number): number {
    return offset >= this.#start && offset < this.#end ? this.#end - offset : 0
  }

  /** To be asked before the host is. */
  get version(): number {
    return this.#version
  }

  /** Remembers what the host said, unless something was invalidated since `version` was read. */
  remember(version: number, offset: number, bytes: number): void {
    if (version !== this.#version) return
    this.#start = offset
    this.#end = offset + bytes
  }

  /** The content of the range may have become zeroes. */
  invalidate(offset: number, bytes: number): void {
    this.#version++
    if (offset < this.#end && offset + bytes > this.#start) this.#end = this.#start
  }
}
