/** Where the mini format keeps its blocks: 1024 entries of 4 bytes after the header; 0 is nowhere. */

/** Bytes of a block. */
export const block = 4096
/** Where the first block lies. */
export const dataStart: number = 2 * block

/** First bytes of the file. */
export const magic: Uint8Array = new TextEncoder().encode('MINI')

/** The first block: magic and length. */
export function header(size: number): Uint8Array {
  const head = new Uint8Array(block)
  head.set(magic)
  new DataView(head.buffer).setUint32(4, size)
  return head
}

/** The table in memory. */
export class MiniTable {
  readonly entries: Uint32Array
  next: number
  dirty = false

  constructor(head: Uint8Array) {
    const view = new DataView(head.buffer)
    this.entries = Uint32Array.from({ length: 1024 }, (_, i) => view.getUint32(block + 4 * i))
    // Freed blocks are not used again before the next opening: requests may still be under way in them.
    this.next = Math.max(0, ...this.entries) + 1
  }

  /** Offset of guest block `index` in the file; `undefined` for none. */
  place(index: number): number | undefined {
    const entry = this.entries[index] ?? 0
    return entry === 0 ? undefined : dataStart + (entry - 1) * block
  }

  link(index: number, entry: number): void {
    this.entries[index] = entry
    this.dirty = true
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(block)
    const view = new DataView(bytes.buffer)
    this.entries.forEach((entry, i) => {
      view.setUint32(4 * i, entry)
    })
    return bytes
  }
}
