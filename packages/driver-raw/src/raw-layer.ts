/** An open raw node: requests go to the file, moved by the window's offset. */

import {
  BlockError,
  type BlockLayer,
  bytesIn,
  type Child,
  doneAtOnce,
  type IoBuffers,
  type LayerInfo,
  type LayerLimits,
  type LayerWriteFlags,
  type MappingSupport,
  type PreparedReopen,
  type ReopenChange,
  type TruncateRequest,
  type WriteSupport,
} from '@blocklayer/block-core/driver'
import { checkWindow, type Window, windowLength } from './window.ts'

/** Permissions of writing and resizing. */
const write = 2
const resize = 8

/** How an open raw node differs from a plain one. */
export interface RawSetting {
  /** Where the disk begins and ends until a reopening moves it. */
  readonly window: Window
  /** The user gave `offset` or `size`: the node no longer shows exactly its file. */
  readonly isWindow: boolean
  /** The format was guessed: sectors are written whole, so that each new first sector can be looked at. */
  readonly probed: boolean
}

/** Guest bytes are file bytes. */
export class RawLayer implements BlockLayer {
  readonly limits: LayerLimits
  readonly writer: WriteSupport
  readonly mapping: MappingSupport
  readonly #file: Child
  readonly #setting: RawSetting
  #window: Window
  #usersTake = 0

  constructor(file: Child, setting: RawSetting) {
    this.#file = file
    this.#setting = setting
    this.#window = setting.window
    this.limits = setting.probed ? { requestAlignment: 512 } : {}
    this.mapping = {
      blockStatus: async (offset, bytes) => ({
        bytes,
        data: false,
        zero: false,
        raw: true,
        hostOffset: this.#window.offset + offset,
      }),
    }
    this.writer = {
      zeroFlags: { mayUnmap: true, noFallback: true },
      write: (offset, data, flags) => this.#write(offset, data, flags),
      writeZeroes: async (offset, bytes, flags) => {
        this.#requireInside(offset, bytes)
        await file.writeZeroes(this.#window.offset + offset, bytes, flags)
      },
      writev: (offset, data, flags) => this.#write(offset, data, flags),
      discard: async (offset, bytes) => {
        this.#requireInside(offset, bytes)
        await file.discard(this.#window.offset + offset, bytes)
      },
      truncate: (length, options) => this.#truncate(length, options),
      truncateFlags: { zeroNewArea: true },
    }
  }

  hasZeroInit(): Promise<boolean> {
    return this.#file.hasZeroInit()
  }

  get length(): number {
    return windowLength(this.#window, this.#file.length)
  }

  read(offset: number, into: Uint8Array): Promise<void> {
    return this.#read(offset, into.length, into)
  }

  readv(offset: number, into: readonly Uint8Array[]): Promise<void> {
    return this.#read(offset, bytesIn(into), into)
  }

  #read(offset: number, bytes: number, into: IoBuffers): Promise<void> {
    if (this.#isOutside(offset, bytes)) return Promise.reject(BlockError.fromErrno('EINVAL'))
    const told = this.#file.debugEvent('read_aio')
    // Mostly nobody listens: then the read is what the file makes of it, and costs nothing more.
    if (told === doneAtOnce) return this.#file.read(this.#window.offset + offset, into)
    return told.then(() => this.#file.read(this.#window.offset + offset, into))
  }

  /** What the file says, but for what belongs to the file's own format. */
  info(): LayerInfo {
    const { clusterSize, dirty } = this.#file.info
    return { ...(clusterSize === undefined ? {} : { clusterSize }), ...(dirty === undefined ? {} : { dirty }) }
  }

  /** The node itself has no mode: its file switches. The window moves, but stays what it is to the file. */
  async prepareReopen({ options }: ReopenChange): Promise<PreparedReopen> {
    const window = options === undefined ? this.#window : checkWindow(options, this.#file.length)
    return {
      commit: () => {
        this.#window = window
      },
      abort: () => {},
    }
  }

  setPermissions(permissions: { readonly taken: number }): void {
    this.#usersTake = permissions.taken
  }

  /** A format with metadata may have to write where its users do not; a window only does what they do. */
  childPermissions(
    _name: string,
    permissions: { readonly taken: number; readonly shared: number },
  ): { readonly taken: number; readonly shared: number } {
    if (!this.#setting.isWindow) return permissions
    const notAsked = (write | resize) & ~this.#usersTake
    return { taken: permissions.taken & ~notAsked, shared: permissions.shared }
  }

  async close(): Promise<void> {}

  async #write(offset: number, data: IoBuffers, flags: LayerWriteFlags): Promise<void> {
    this.#requireInside(offset, bytesIn(data))
    await this.#file.debugEvent('write_aio')
    await this.#file.write(this.#window.offset + offset, data, flags)
  }

  async #truncate(length: number, options: TruncateRequest): Promise<void> {
    const { offset, size } = this.#window
    if (size !== undefined) throw new BlockError('ENOTSUP', 'Cannot resize fixed-size raw disks')
    if (offset + length > Number.MAX_SAFE_INTEGER) {
      throw new BlockError('EINVAL', 'Disk size too large for the chosen offset')
    }
    await this.#file.truncate(offset + length, options)
  }

  #requireInside(offset: number, bytes: number): void {
    if (this.#isOutside(offset, bytes)) throw BlockError.fromErrno('ENOSPC')
  }

  /** With a size, what lies behind the window belongs to somebody else. */
  #isOutside(offset: number, bytes: number): boolean {
    const { size } = this.#window
    return size !== undefined && offset + bytes > size
  }
}
