/** An open throttle node: every request waits until its group lets it pass, then goes on to the file. */

import type {
  BlockLayer,
  Child,
  LayerInfo,
  PreparedReopen,
  ReopenChange,
  WriteSupport,
} from '@blocklayer/block-core/driver'
import type { ThrottleOptions } from './options.ts'
import type { Direction, ThrottleGroup, ThrottleMember } from './throttle-group.ts'

/** The file's data, not too fast. */
export class ThrottleLayer implements BlockLayer {
  readonly writer: WriteSupport
  readonly #file: Child
  /** Finds the group that options name. */
  readonly #groupOf: (options: ThrottleOptions) => ThrottleGroup
  #group: ThrottleGroup
  #member: ThrottleMember
  /** Drained sections that last. */
  #drains = 0

  /** @throws BlockError as `groupOf` */
  constructor(file: Child, options: ThrottleOptions, groupOf: (options: ThrottleOptions) => ThrottleGroup) {
    this.#file = file
    this.#groupOf = groupOf
    this.#group = groupOf(options)
    this.#member = this.#group.join()
    this.writer = {
      supportsFua: true,
      zeroFlags: { mayUnmap: true, noFallback: true },
      write: async (offset, data, flags) => {
        await this.#pass('write', data.length)
        await file.write(offset, data, flags)
      },
      writev: async (offset, data, flags) => {
        await this.#pass('write', totalBytes(data))
        await file.write(offset, data, flags)
      },
      writeZeroes: async (offset, bytes, flags) => {
        await this.#pass('write', bytes)
        await file.writeZeroes(offset, bytes, flags)
      },
      writeCompressed: async (offset, data) => {
        // An empty one only ends a series.
        if (data.length > 0) await this.#pass('write', data.length)
        await file.writeCompressed(offset, data)
      },
      discard: async (offset, bytes) => {
        await this.#pass('write', bytes)
        await file.discard(offset, bytes)
      },
    }
  }

  get length(): number {
    return this.#file.length
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    await this.#pass('read', into.length)
    await this.#file.read(offset, into)
  }

  async readv(offset: number, into: readonly Uint8Array[]): Promise<void> {
    await this.#pass('read', totalBytes(into))
    await this.#file.read(offset, into)
  }

  /** What the file's format says of its clusters; the rest of its facts are its own. */
  info(): LayerInfo {
    const { clusterSize } = this.#file.info
    return clusterSize === undefined ? {} : { clusterSize }
  }

  /** Whoever drains waits for the requests here, so they must not wait for the clock. */
  drainBegin(): void {
    this.#drains++
    this.#member.suspendLimits()
  }

  drainEnd(): void {
    this.#drains--
    this.#member.resumeLimits()
  }

  /** Another group is joined when the change is made; the mode is the file's own business. */
  async prepareReopen(change: ReopenChange): Promise<PreparedReopen> {
    const group = change.options === undefined ? this.#group : this.#groupOf(change.options)
    return { commit: () => this.#moveTo(group), abort: () => {} }
  }

  async close(): Promise<void> {
    // Nothing waits any more, but the group must not hold what is gone.
    this.#member.suspendLimits()
  }

  #moveTo(group: ThrottleGroup): void {
    if (group === this.#group) return
    this.#member.suspendLimits()
    this.#group = group
    this.#member = group.join()
    for (let drain = 0; drain < this.#drains; drain++) this.#member.suspendLimits()
  }

  async #pass(direction: Direction, bytes: number): Promise<void> {
    const turn = this.#member.admit(direction, bytes)
    if (turn !== undefined) await turn
  }
}

function totalBytes(buffers: readonly Uint8Array[]): number {
  return buffers.reduce((sum, buffer) => sum + buffer.length, 0)
}
