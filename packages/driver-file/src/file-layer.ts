/** An open host file or device as a node's behaviour. */

import {
  BlockError,
  type BlockLayer,
  type BlockStatus,
  type LayerInfo,
  type LayerLimits,
  type MappingSupport,
  type ModeChange,
  type OpenFlags,
  type PreparedReopen,
  type ReopenChange,
  type TruncateRequest,
  type WriteSupport,
} from '@blocklayer/block-core/driver'
import { DeviceRanges } from './device-ranges.ts'
import { requestError } from './errors.ts'
import { extentAt } from './extents.ts'
import type { Libc } from './libc.ts'
import type { LockPermissions } from './lock.ts'
import { fileMode, type OpenFile } from './open-file.ts'
import { resizeDevice, resizeFile } from './preallocate.ts'
import type { StorageKind } from './storage.ts'
import { ZeroRanges } from './zero-ranges.ts'

/** What a layer is made of. */
export interface FileParts {
  readonly kind: StorageKind
  readonly open: OpenFile
  readonly flags: OpenFlags
  /** Bytes. */
  readonly length: number
  /** `undefined`: no holes. */
  readonly libc: Libc | undefined
}

/** Ways to make a range read as zero, or to give its blocks back; `ENOTSUP` where there is none. */
type RangeCalls = Pick<ZeroRanges, 'discard' | 'punch' | 'zero'>

/** Host files on any file system; what the file system cannot do is done by writing zeroes, or answered `ENOTSUP`. */
export class FileLayer implements BlockLayer {
  readonly writer: WriteSupport
  readonly mapping?: MappingSupport
  readonly #kind: StorageKind
  readonly #open: OpenFile
  readonly #libc: Libc | undefined
  #flags: OpenFlags
  #length: number
  #flushFailure: BlockError | undefined

  constructor(parts: FileParts) {
    this.#kind = parts.kind
    this.#open = parts.open
    this.#flags = parts.flags
    this.#length = parts.length
    this.#libc = parts.libc
    const ranges = parts.libc && rangeCalls(parts.kind, parts.libc, parts.open.current.synchronous)
    this.writer = ranges === undefined ? this.#plainWriter() : this.#sparseWriter(ranges)
    // A device has no map: all of it is data.
    if (parts.kind === 'file') {
      this.mapping = { blockStatus: async (offset, bytes, wantZero) => this.#status(offset, bytes, wantZero) }
    }
  }

  get length(): number {
    return this.#length
  }

  get limits(): LayerLimits {
    return { requestAlignment: this.#open.current.alignment }
  }

  read(offset: number, into: Uint8Array): Promise<void> {
    return this.#open.current.read(offset, into)
  }

  readv(offset: number, into: readonly Uint8Array[]): Promise<void> {
    return this.#open.current.readv(offset, into)
  }

  async flushToDisk(): Promise<void> {
    // After a failed fdatasync the kernel calls the lost pages clean, and the next call would succeed: a lie.
    if (this.#flushFailure) throw this.#flushFailure
    try {
      await this.#open.current.datasync()
    } catch (error) {
      this.#flushFailure = requestError(error)
      throw this.#flushFailure
    }
  }

  async allocatedBytes(): Promise<number> {
    try {
      // `blocks` counts 512 bytes, whatever the file system's block size.
      return (await this.#open.current.stat()).blocks * 512
    } catch (error) {
      throw requestError(error)
    }
  }

  /** A file has no mark of its own that it was not closed well. */
  info(): LayerInfo {
    return { dirty: false }
  }

  /** A device shows what was on it before. */
  async hasZeroInit(): Promise<boolean> {
    return this.#kind === 'file'
  }

  /** @throws BlockError as `prepareReopen` */
  async reopen(change: ModeChange): Promise<void> {
    const prepared = await this.#open.prepare(fileMode(change.readOnly, this.#flags))
    await prepared.commit()
  }

  /**
   * Mode and `cache.direct` take another descriptor; the options that may change have no effect.
   *
   * @throws BlockError `Could not open 'x': …`; `ESTALE` where the name leads to another file by now
   */
  async prepareReopen(change: ReopenChange): Promise<PreparedReopen> {
    const prepared = await this.#open.prepare(fileMode(change.readOnly, change.flags))
    return {
      commit: () => {
        this.#flags = change.flags
        return prepared.commit()
      },
      abort: () => prepared.abort(),
    }
  }

  setPermissions(permissions: LockPermissions): void {
    this.#open.setPermissions(permissions)
  }

  async close(): Promise<void> {
    await this.#open.close()
  }

  #plainWriter(): WriteSupport {
    return {
      write: (offset, data) => this.#write(offset, data),
      writev: (offset, data) => this.#writev(offset, data),
      truncate: (length, options) => this.#truncate(length, options),
      truncateFlags: { zeroNewArea: this.#kind === 'file' },
    }
  }

  #sparseWriter(ranges: RangeCalls): WriteSupport {
    return {
      ...this.#plainWriter(),
      zeroFlags: { mayUnmap: true, noFallback: true },
      writeZeroes: (offset, bytes, flags) => this.#writeZeroes(ranges, offset, bytes, flags.mayUnmap),
      discard: (offset, bytes) => this.#open.current.during((fd) => ranges.discard({ fd, offset, bytes })),
    }
  }

  #write(offset: number, data: Uint8Array): Promise<void> {
    const end = offset + data.length
    const work = this.#open.current.write(offset, data)
    return end <= this.#length ? work : work.then(() => this.#grown(end))
  }

  #writev(offset: number, data: readonly Uint8Array[]): Promise<void> {
    let end = offset
    for (const buffer of data) end += buffer.length
    const work = this.#open.current.writev(offset, data)
    return end <= this.#length ? work : work.then(() => this.#grown(end))
  }

  async #writeZeroes(ranges: RangeCalls, offset: number, bytes: number, mayUnmap: boolean): Promise<void> {
    const end = offset + bytes
    const isInside = end <= this.#length
    const file = this.#open.current
    await file.during(async (fd) => {
      const range = { fd, offset, bytes }
      // A hole cannot make the file longer, and cutting it to a length could undo a write that is under way.
      if (mayUnmap && isInside && (await isSupported(ranges.punch(range)))) return
      // Through the page cache a device's own zeroes are no faster than ours, and the reference writes them.
      if (this.#kind !== 'file' && file.direct === undefined) throw BlockError.fromErrno('ENOTSUP')
      await ranges.zero(range)
    })
    this.#grown(end)
  }

  async #truncate(length: number, options: TruncateRequest): Promise<void> {
    const { preallocation, exact, signal, onProgress } = options
    const resize = { from: this.#length, to: length, preallocation, signal, onProgress }
    if (this.#kind !== 'file') {
      resizeDevice(resize, exact)
      return
    }
    if (!exact && length <= this.#length) return
    // New parts of a file always read as zeroes, so `zeroNewArea` asks for nothing more.
    await this.#open.buffered((file) => resizeFile(file, this.#libc, resize))
    this.#length = length
  }

  #grown(end: number): void {
    if (this.#kind === 'file') this.#length = Math.max(this.#length, end)
  }

  #status(offset: number, bytes: number, wantZero: boolean): BlockStatus {
    // Everything in a file is allocated in it, holes included.
    if (!wantZero) return { bytes, data: true, zero: false, hostOffset: offset }
    return extentAt(this.#libc, { fd: this.#open.current.fd, offset, bytes })
  }
}

function rangeCalls(kind: StorageKind, libc: Libc, synchronous: boolean): RangeCalls {
  if (kind === 'file') return new ZeroRanges(libc, synchronous)
  return new DeviceRanges(libc)
}

/** False for `ENOTSUP`; other failures are thrown. */
async function isSupported(work: Promise<void>): Promise<boolean> {
  try {
    await work
    return true
  } catch (error) {
    if (error instanceof BlockError && error.code === 'ENOTSUP') return false
    throw error
  }
}
