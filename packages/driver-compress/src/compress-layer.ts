/** An open compress node: what is written goes to the file as compressed clusters. */

import type { BlockLayer, Child, LayerInfo, LayerLimits, WriteSupport } from '@blocklayer/block-core/driver'

/** The file's data; its clusters are compressed when they are written. */
export class CompressLayer implements BlockLayer {
  readonly writer: WriteSupport
  readonly #file: Child

  constructor(file: Child) {
    this.#file = file
    this.writer = {
      zeroFlags: { mayUnmap: true, noFallback: true },
      write: (offset, data) => this.#write(offset, data),
      // A cluster is compressed in one piece, however many buffers it came in.
      writev: (offset, data) => this.#write(offset, joined(data)),
      // Zeroes take no space at all, compressed ones would.
      writeZeroes: (offset, bytes, flags) => file.writeZeroes(offset, bytes, flags),
      discard: (offset, bytes) => file.discard(offset, bytes),
    }
  }

  /** Only whole clusters can be compressed: smaller writes read the rest of theirs first. */
  get limits(): LayerLimits {
    const clusterSize = this.#clusterSize
    return clusterSize === undefined ? {} : { requestAlignment: clusterSize }
  }

  get length(): number {
    return this.#file.length
  }

  read(offset: number, into: Uint8Array): Promise<void> {
    return this.#file.read(offset, into)
  }

  readv(offset: number, into: readonly Uint8Array[]): Promise<void> {
    return this.#file.read(offset, into)
  }

  /** What the file's format says of its clusters and machine state; the rest of its facts are its own. */
  info(): LayerInfo {
    const { clusterSize, vmStateOffset } = this.#file.node.ejected ? {} : this.#file.info
    return {
      ...(clusterSize === undefined ? {} : { clusterSize }),
      ...(vmStateOffset === undefined ? {} : { vmStateOffset }),
    }
  }

  async close(): Promise<void> {}

  #write(offset: number, data: Uint8Array): Promise<void> {
    const { length } = this.#file
    // The core fills clusters up, the last one too; what is past the end belongs to no disk.
    const bytes = offset < length ? length - offset : data.length
    return this.#file.writeCompressed(offset, data.subarray(0, bytes))
  }

  get #clusterSize(): number | undefined {
    return this.#file.node.ejected ? undefined : this.#file.info.clusterSize
  }
}

function joined(buffers: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(buffers.reduce((sum, buffer) => sum + buffer.length, 0))
  let at = 0
  for (const buffer of buffers) {
    whole.set(buffer, at)
    at += buffer.length
  }
  return whole
}
