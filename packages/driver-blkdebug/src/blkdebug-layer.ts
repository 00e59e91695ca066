/** An open blkdebug node: every request asks the rules first, then goes on to the image. */

import {
  assert,
  BlockError,
  type BlockLayer,
  bytesIn,
  type Child,
  type DebugSupport,
  type LayerLimits,
  type MappingSupport,
  type WriteSupport,
} from '@blocklayer/block-core/driver'
import type { IoRequest, IoType, RuleMachine } from './rules.ts'

/** What an open node consists of. */
export interface BlkdebugParts {
  readonly image: Child
  readonly rules: RuleMachine
  readonly debug: DebugSupport
  readonly limits: LayerLimits
  /** Permissions that are always taken of the image, and never shared. */
  readonly take: number
  readonly unshare: number
  /** What stands before the image's name in the node's; `undefined`: no plain name can describe the node. */
  readonly namePrefix: string | undefined
}

/** The image's data, and errors on purpose. */
export class BlkdebugLayer implements BlockLayer {
  readonly limits: LayerLimits
  readonly debug: DebugSupport
  readonly writer: WriteSupport
  readonly mapping: MappingSupport
  readonly #parts: BlkdebugParts
  readonly #alignment: number

  constructor(parts: BlkdebugParts) {
    this.#parts = parts
    this.limits = parts.limits
    this.debug = parts.debug
    this.#alignment = parts.limits.requestAlignment || 1
    const { image } = parts
    this.writer = {
      zeroFlags: { mayUnmap: true, noFallback: true },
      write: async (offset, data, flags) => {
        await this.#pass('write', offset, data.length, this.limits.maxTransfer)
        await image.write(offset, data, flags)
      },
      writev: async (offset, data, flags) => {
        await this.#pass('write', offset, bytesIn(data), this.limits.maxTransfer)
        await image.write(offset, data, flags)
      },
      writeZeroes: async (offset, bytes, flags) => {
        const alignment = Math.max(this.#alignment, this.limits.zeroAlignment || 1)
        // Edges are refused, so that they come back as data writes: that is how a real device behaves.
        if (bytes < alignment) throw BlockError.fromErrno('ENOTSUP')
        this.#requireWhole(offset, bytes, alignment)
        await this.#pass('write-zeroes', offset, bytes, this.limits.maxZeroes)
        await image.writeZeroes(offset, bytes, flags)
      },
      discard: async (offset, bytes) => {
        if (bytes < this.#alignment) throw BlockError.fromErrno('ENOTSUP')
        await this.#pass('discard', offset, bytes, this.limits.maxDiscard)
        await image.discard(offset, bytes)
      },
    }
    this.mapping = {
      blockStatus: async (offset, bytes) => {
        await this.#pass('block-status', offset, bytes, undefined)
        return { bytes, data: false, zero: false, raw: true, hostOffset: offset }
      },
    }
  }

  get length(): number {
    return this.#parts.image.length
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    await this.#pass('read', offset, into.length, this.limits.maxTransfer)
    await this.#parts.image.read(offset, into)
  }

  async readv(offset: number, into: readonly Uint8Array[]): Promise<void> {
    await this.#pass('read', offset, bytesIn(into), this.limits.maxTransfer)
    await this.#parts.image.read(offset, into)
  }

  async flushToDisk(): Promise<void> {
    await this.#inject({ type: 'flush', offset: 0, bytes: 0 })
  }

  /** Unknown, as in the reference: it answers like a protocol that cannot tell. */
  async allocatedBytes(): Promise<undefined> {
    return undefined
  }

  exactFilename(): string | undefined {
    const { image, namePrefix } = this.#parts
    const { filename } = image.node
    if (namePrefix === undefined || filename === '' || filename.startsWith('json:')) return undefined
    return namePrefix + filename
  }

  /** The node has no mode of its own. */
  async reopen(): Promise<void> {}

  childPermissions(
    _name: string,
    permissions: { readonly taken: number; readonly shared: number },
  ): { readonly taken: number; readonly shared: number } {
    const { take, unshare } = this.#parts
    return { taken: permissions.taken | take, shared: permissions.shared & ~unshare }
  }

  async close(): Promise<void> {}

  /** Lets a request go on, or fails it. The core keeps the limits; that it does is what the limits are here to test. */
  async #pass(type: IoType, offset: number, bytes: number, bytesMax: number | undefined): Promise<void> {
    this.#requireWhole(offset, bytes, this.#alignment)
    if (bytesMax) assert(bytes <= bytesMax, `a ${type} of ${bytes} bytes is longer than ${bytesMax}`)
    await this.#inject({ type, offset, bytes })
  }

  #requireWhole(offset: number, bytes: number, alignment: number): void {
    assert(offset % alignment === 0, `offset ${offset} is not a multiple of ${alignment}`)
    assert(bytes % alignment === 0, `${bytes} bytes are not a multiple of ${alignment}`)
  }

  async #inject(request: IoRequest): Promise<void> {
    const injected = this.#parts.rules.check(request)
    if (injected === undefined) return
    // Other requests get a turn first, as they would while a device works on the one that fails.
    if (!injected.immediately) await new Promise((resolve) => setTimeout(resolve, 0))
    throw BlockError.fromErrno(injected.errno)
  }
}
