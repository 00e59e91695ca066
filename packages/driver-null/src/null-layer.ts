/** An open null node: every request succeeds, and nothing is stored. */

import type { BlockLayer, MappingSupport, WriteSupport } from '@blocklayer/block-core/driver'
import type { NullSetting } from './options.ts'
import { nextTurn, wait } from './wait.ts'

/** How an open node differs from another. */
export interface NullLayerSetting extends NullSetting {
  /** `null-co` or `null-aio`. */
  readonly protocol: string
  /** Requests complete from the event loop, never at once. */
  readonly fromEventLoop: boolean
}

/** Nothing, as long as it is wanted. */
export class NullLayer implements BlockLayer {
  readonly length: number
  readonly writer: WriteSupport
  readonly mapping: MappingSupport
  readonly #setting: NullLayerSetting

  constructor(setting: NullLayerSetting) {
    this.#setting = setting
    this.length = setting.length
    this.writer = {
      supportsFua: true,
      write: () => this.#complete(),
      writev: () => this.#complete(),
    }
    this.mapping = {
      blockStatus: async (offset, bytes) => ({ bytes, data: false, zero: setting.readZeroes, hostOffset: offset }),
    }
  }

  async read(_offset: number, into: Uint8Array): Promise<void> {
    await this.#complete()
    if (this.#setting.readZeroes) into.fill(0)
  }

  async readv(_offset: number, into: readonly Uint8Array[]): Promise<void> {
    await this.#complete()
    if (this.#setting.readZeroes) for (const part of into) part.fill(0)
  }

  flushToDisk(): Promise<void> {
    return this.#complete()
  }

  async allocatedBytes(): Promise<number> {
    return 0
  }

  async hasZeroInit(): Promise<boolean> {
    return this.#setting.readZeroes
  }

  exactFilename(): string | undefined {
    return this.#setting.isSpecial ? undefined : `${this.#setting.protocol}://`
  }

  /** The node has no mode of its own. */
  async reopen(): Promise<void> {}

  async close(): Promise<void> {}

  async #complete(): Promise<void> {
    const { latency, fromEventLoop } = this.#setting
    if (latency > 0) await wait(latency)
    else if (fromEventLoop) await nextTurn()
  }
}
