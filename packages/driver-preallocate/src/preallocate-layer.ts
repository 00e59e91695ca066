/** An open preallocate node: the file is longer than the node says, so that most writes need not make it longer. */

import {
  AsyncMutex,
  BlockError,
  type BlockLayer,
  type Child,
  type LayerInfo,
  type OpenContext,
  type PermissionSet,
  Permissions,
  type PreparedReopen,
  type ReopenChange,
  type TruncateOptions,
  type TruncateRequest,
  type WriteSupport,
  type ZeroFlags,
} from '@blocklayer/block-core/driver'
import { type Ahead, checkAhead, rangeAhead } from './options.ts'

/** What it takes to grow the file: users who write without it cannot make the node longer. */
const growing = Permissions.write | Permissions.resize

/** What the layer asks of the graph after its open. */
export type LayerContext = Pick<OpenContext, 'permissionsChanged' | 'reportError'>

/** The file's data, and a tail of zeroes that nobody sees. */
export class PreallocateLayer implements BlockLayer {
  readonly writer: WriteSupport
  readonly #file: Child
  readonly #context: LayerContext
  #ahead: Ahead
  /** Somebody may make the node longer. Only then is the tail ours: nobody else may touch the file's length. */
  #active = false
  /** End of what users have, in bytes, since a write went past the end; before that the file's length is right. */
  #dataEnd: number | undefined
  /** From here to the end of the file, all bytes are known to be zero: preallocated, and not written since. */
  #zeroStart = 0
  /** End of the writes that went on past the end of the file because it could not be preallocated. */
  #looseEnd = 0
  /** The file may be longer than `#dataEnd`. */
  #hasTail = false
  /** Held for every change of the file's length. */
  readonly #lengthLock = new AsyncMutex()
  /** Start of what is being changed now. */
  #changingFrom = Number.POSITIVE_INFINITY

  constructor(file: Child, ahead: Ahead, context: LayerContext) {
    this.#file = file
    this.#ahead = ahead
    this.#context = context
    this.writer = {
      zeroFlags: { mayUnmap: true, noFallback: true },
      write: async (offset, data, flags) => {
        await this.#makeRoom(offset + data.length)
        await file.write(offset, data, flags)
      },
      writev: async (offset, data, flags) => {
        await this.#makeRoom(offset + data.reduce((sum, { length }) => sum + length, 0))
        await file.write(offset, data, flags)
      },
      writeZeroes: (offset, bytes, flags) => this.#writeZeroes(offset, bytes, flags),
      discard: (offset, bytes) => {
        // A discarded range may read as anything.
        this.#zeroStart = Math.max(this.#zeroStart, offset + bytes)
        return file.discard(offset, bytes)
      },
      truncate: (length, options) => this.#truncate(length, options),
      truncateFlags: { zeroNewArea: true },
    }
  }

  get length(): number {
    return this.#dataEnd ?? this.#file.length
  }

  read(offset: number, into: Uint8Array): Promise<void> {
    return this.#file.read(offset, into)
  }

  readv(offset: number, into: readonly Uint8Array[]): Promise<void> {
    return this.#file.read(offset, into)
  }

  /** What the file's format says of its clusters; the rest of its facts are its own. */
  info(): LayerInfo {
    const { clusterSize } = this.#file.info
    return clusterSize === undefined ? {} : { clusterSize }
  }

  setPermissions({ taken }: { readonly taken: number }): void {
    this.#active = mayGrow(taken)
    if (this.#active) return
    // Others may change the file's length now: what it is will be asked again. A tail is cut off first, and the
    // permissions below stay with us until that is done (`childPermissions`).
    if (this.#hasTail) void this.#cutLate()
    else this.#dataEnd = undefined
  }

  childPermissions(_name: string, permissions: PermissionSet, users: PermissionSet): PermissionSet {
    if (!mayGrow(users.taken) && !this.#hasTail) return permissions
    return { taken: permissions.taken | growing, shared: permissions.shared & ~growing }
  }

  /** Resolves when the file's length is at rest. */
  drainBegin(): Promise<void> {
    return this.#lengthLock.run(() => {})
  }

  drainEnd(): void {}

  /** Other numbers hold from the next write on; a node that becomes read-only leaves no tail behind. */
  async prepareReopen(change: ReopenChange): Promise<PreparedReopen> {
    const ahead = change.options === undefined ? this.#ahead : checkAhead(change.options)
    if (change.readOnly) await this.#cut()
    const commit = () => {
      this.#ahead = ahead
    }
    return { commit, abort: () => {} }
  }

  async close(): Promise<void> {
    await this.#cut()
  }

  /** Before a data write that ends at `end`. */
  async #makeRoom(end: number): Promise<void> {
    this.#zeroStart = Math.max(this.#zeroStart, end)
    if (!this.#reachesOut(end)) return
    await this.#lengthLock.run(async () => {
      // What is known may have been forgotten while we waited.
      this.#zeroStart = Math.max(this.#zeroStart, end)
      if (!this.#reachesOut(end)) return
      const grown = await this.#grow(Math.max(this.#file.length, this.#looseEnd), end)
      if (!grown) this.#looseEnd = Math.max(this.#looseEnd, end)
    })
  }

  /** Notes that the node ends at `end` at least. @returns whether a request up to there has to wait for the length lock */
  #reachesOut(end: number): boolean {
    if (!this.#active) return false
    if (this.#dataEnd === undefined) this.#zeroStart = Math.max(this.#zeroStart, this.#file.length)
    this.#dataEnd = Math.max(this.#dataEnd ?? this.#file.length, end)
    return end > this.#file.length || end > this.#changingFrom
  }

  /**
   * Makes the file longer than `end`, by zeroes from `from` on. A file that cannot be preallocated is no reason for a
   * write to fail: it makes the file longer itself, or meets the same error.
   *
   * @returns whether it was done
   */
  async #grow(from: number, end: number): Promise<boolean> {
    const range = rangeAhead(this.#ahead, from, end)
    if (range === undefined) return false
    this.#changingFrom = range.offset
    this.#hasTail = true
    try {
      // Without fallback: what has to be written as data costs more than it saves.
      await this.#file.writeZeroes(range.offset, range.bytes, { noFallback: true })
      return true
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      return false
    } finally {
      this.#changingFrom = Number.POSITIVE_INFINITY
    }
  }

  async #writeZeroes(offset: number, bytes: number, flags: ZeroFlags): Promise<void> {
    const end = offset + bytes
    if (this.#reachesOut(end)) {
      if (await this.#lengthLock.run(() => this.#growByZeroes(offset, end))) return
    }
    const isZero = this.#active && offset >= this.#zeroStart && end <= this.#file.length
    if (!isZero) await this.#file.writeZeroes(offset, bytes, flags)
  }

  /** @returns whether the zeroes of the new tail include the request's */
  async #growByZeroes(offset: number, end: number): Promise<boolean> {
    if (!this.#reachesOut(end)) return false
    const fileEnd = this.#file.length
    // One request for both, unless somebody else's data could lie between.
    const from = this.#looseEnd <= fileEnd ? Math.min(offset, fileEnd) : this.#looseEnd
    const grown = await this.#grow(from, end)
    if (!grown) this.#looseEnd = Math.max(this.#looseEnd, end)
    return grown && from <= offset && offset % 512 === 0
  }

  #truncate(length: number, options: TruncateRequest): Promise<void> {
    return this.#lengthLock.run(async () => {
      const dataEnd = this.#dataEnd
      if (dataEnd === undefined || length <= dataEnd || options.preallocation !== 'falloc') {
        // The tail is allocated: `off` and `full` are about a file that has none.
        if (this.#hasTail && length > this.length) await this.#resize(this.length)
        await this.#resize(length, options)
      } else if (length > this.#file.length) {
        await this.#resize(length, options)
      }
      // Without a tail the file's own length is right, also where it was not to be exact.
      if (dataEnd !== undefined) this.#dataEnd = options.exact ? length : Math.max(dataEnd, length)
    })
  }

  async #resize(length: number, options: TruncateOptions = {}): Promise<void> {
    this.#changingFrom = Math.min(length, this.length)
    try {
      await this.#file.truncate(length, options)
    } finally {
      this.#changingFrom = Number.POSITIVE_INFINITY
    }
  }

  /** Takes the tail off the file. @throws BlockError as the file */
  async #cut(): Promise<void> {
    await this.#lengthLock.run(async () => {
      if (this.#hasTail && this.#dataEnd !== undefined && this.#file.length > this.#dataEnd) {
        await this.#resize(this.#dataEnd)
      }
      this.#hasTail = false
      this.#dataEnd = undefined
      this.#zeroStart = 0
      this.#looseEnd = 0
    })
  }

  /** For users that are gone: nobody waits for it, so what fails is told apart. */
  async #cutLate(): Promise<void> {
    try {
      await this.#cut()
      this.#context.permissionsChanged()
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      this.#context.reportError(error.message)
    }
  }
}

function mayGrow(taken: number): boolean {
  return (taken & growing) === growing
}
