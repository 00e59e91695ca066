/** The output of a stream whose first cluster is known only later: what follows is held back for a while. */

import { BlockError, type ByteSink } from '@blocklayer/block-core/driver'
import { releaseMemory } from '../../data/compression/release-memory.ts'

/** How the first cluster comes to be known. */
export interface HeldOutputOptions {
  readonly sink: ByteSink
  /** Bytes of the first cluster. */
  readonly clusterSize: number
  /** Most bytes that are held back. */
  readonly heldMax: number
  /** The first cluster for a stream that may become as long as it can; `undefined` where nothing bounds it. */
  readonly worstCase: (() => Uint8Array) | undefined
}

/** Takes what follows the first cluster. */
export class HeldOutput {
  readonly #options: HeldOutputOptions
  #held: Uint8Array[] = []
  #isOpen: boolean
  #position: number

  constructor(options: HeldOutputOptions) {
    this.#options = options
    this.#position = options.clusterSize
    this.#isOpen = options.sink.patch !== undefined
  }

  /** Bytes so far, the first cluster included. */
  get position(): number {
    return this.#position
  }

  /** Writes a place holder where the first cluster can be put in afterwards. */
  async begin(): Promise<void> {
    if (this.#isOpen) await this.#options.sink.write(new Uint8Array(this.#options.clusterSize))
  }

  /**
   * Takes `bytes`, which belong to the caller again when it resolves.
   *
   * @throws BlockError `ENOMEM` where too much would have to be held back
   */
  async write(bytes: Uint8Array): Promise<void> {
    const { sink, clusterSize, heldMax, worstCase } = this.#options
    this.#position += bytes.length
    if (!this.#isOpen && this.#position - clusterSize > heldMax) {
      if (worstCase === undefined) throw new BlockError('ENOMEM', tooMuchText(heldMax))
      await this.#release(worstCase())
    }
    if (this.#isOpen) await sink.write(bytes)
    // Not `slice`: of a Buffer that is no copy.
    else this.#held.push(new Uint8Array(bytes))
  }

  /**
   * Ends what is held back.
   *
   * @param first - the first cluster, if that is not out yet
   * @returns whether `first` was used: otherwise the one of the worst case stands
   */
  async end(first: () => Uint8Array): Promise<boolean> {
    const { sink } = this.#options
    if (sink.patch !== undefined) return true
    if (this.#isOpen) return false
    await this.#release(first())
    return true
  }

  async #release(first: Uint8Array): Promise<void> {
    const { sink } = this.#options
    this.#isOpen = true
    await sink.write(first)
    for (const bytes of this.#held) {
      await sink.write(bytes)
      releaseMemory(bytes)
    }
    this.#held = []
  }
}

function tooMuchText(heldMax: number): string {
  return (
    `A qcow2 stream begins with where its tables will be, which depends on all of its data: more than ${heldMax} bytes ` +
    'of it would have to be held back. Give the size of the disk, or write to a file'
  )
}
