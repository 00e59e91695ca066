/** A file in memory behind the `Child` interface, for rooms that are tested without a graph. */

import {
  type BlkdebugEvent,
  BlockError,
  type BlockNode,
  type BlockStatus,
  type Child,
  ChildRoles,
  type Errno,
  type LayerInfo,
  type TruncateOptions,
} from '@blocklayer/block-core/driver'

/** One request that changed or flushed the file, in the order of their arrival. */
export interface Request {
  readonly kind: 'write' | 'zero' | 'discard' | 'flush' | 'truncate' | 'event'
  readonly offset: number
  readonly bytes: number
  /** Name of an event. */
  readonly event?: BlkdebugEvent
}

/** Bytes, a log of what was done to them, and failures on demand. */
export class MemoryChild implements Child {
  readonly name = 'file'
  readonly role: number = ChildRoles.image
  readonly log: Request[] = []
  /** Asked before every request but events; an errno code makes the request fail. */
  fail: (request: Request | { kind: 'read'; offset: number; bytes: number }) => Errno | undefined = () => undefined
  #bytes: Uint8Array
  #length: number

  readonly #filename: string | undefined

  /** @param filename - of the node in the graph that it pretends to be in */
  constructor(content: Uint8Array = new Uint8Array(0), filename?: string) {
    this.#filename = filename
    this.#bytes = content.slice()
    this.#length = content.length
  }

  get node(): BlockNode {
    if (this.#filename === undefined) throw new Error('a file in memory is in no graph')
    return { filename: this.#filename } as BlockNode
  }

  get length(): number {
    return this.#length
  }

  get info(): LayerInfo {
    return {}
  }

  /** The whole file, copied. */
  get content(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    // As the core does: no request ends behind the last offset there can be.
    if (offset + into.length >= 2 ** 63) throw BlockError.fromErrno('EIO')
    this.#failMaybe({ kind: 'read', offset, bytes: into.length })
    into.fill(0)
    if (offset < this.#length) into.set(this.#bytes.subarray(offset, Math.min(this.#length, offset + into.length)))
  }

  get canCompress(): boolean {
    return false
  }

  async writeCompressed(): Promise<void> {
    throw BlockError.fromErrno('ENOTSUP')
  }

  async write(offset: number, data: Uint8Array): Promise<void> {
    this.#record({ kind: 'write', offset, bytes: data.length })
    this.#reserve(offset + data.length)
    this.#bytes.set(data, offset)
  }

  async writeZeroes(offset: number, bytes: number): Promise<void> {
    this.#record({ kind: 'zero', offset, bytes })
    this.#reserve(offset + bytes)
    this.#bytes.fill(0, offset, offset + bytes)
  }

  async discard(offset: number, bytes: number): Promise<void> {
    this.#record({ kind: 'discard', offset, bytes })
    this.#bytes.fill(0, offset, Math.min(this.#length, offset + bytes))
  }

  async flush(): Promise<void> {
    this.#record({ kind: 'flush', offset: 0, bytes: 0 })
  }

  async truncate(length: number, _options?: TruncateOptions): Promise<void> {
    if (length > 2 ** 36) throw BlockError.withErrno('EFBIG', 'Could not resize file')
    this.#record({ kind: 'truncate', offset: length, bytes: 0 })
    if (length < this.#length) this.#bytes.fill(0, length, this.#length)
    this.#reserve(length)
    this.#length = length
  }

  async blockStatus(_offset: number, bytes: number): Promise<BlockStatus> {
    return { bytes, data: true, zero: false }
  }

  async isZeroFast(): Promise<boolean> {
    return false
  }

  async readsZero(): Promise<boolean> {
    return false
  }

  async allocatedBytes(): Promise<number> {
    return this.#length
  }

  async hasZeroInit(): Promise<boolean> {
    return true
  }

  async debugEvent(event: BlkdebugEvent): Promise<void> {
    this.log.push({ kind: 'event', offset: 0, bytes: 0, event })
  }

  #record(request: Request): void {
    this.#failMaybe(request)
    this.log.push(request)
  }

  #failMaybe(request: Parameters<MemoryChild['fail']>[0]): void {
    const code = this.fail(request)
    if (code !== undefined) throw BlockError.fromErrno(code)
  }

  #reserve(length: number): void {
    if (length > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(length, 2 * this.#bytes.length))
      bytes.set(this.#bytes)
      this.#bytes = bytes
    }
    this.#length = Math.max(this.#length, length)
  }
}
