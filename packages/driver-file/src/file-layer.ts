/** An open host file as a node's behaviour. */

import {
  BlockError,
  type BlockLayer,
  type BlockStatus,
  type LayerInfo,
  type MappingSupport,
  type ModeChange,
  type TruncateOptions,
  type WriteSupport,
} from '@blocklayer/block-core/driver'
import { requestError } from './errors.ts'
import { extentAt } from './extents.ts'
import { HostFile } from './host-file.ts'
import type { Libc } from './libc.ts'
import type { ImageLock, LockPermissions } from './lock.ts'
import { resizeFile } from './preallocate.ts'
import { ZeroRanges } from './zero-ranges.ts'

/** What an open file consists of. */
export interface FileParts {
  readonly filename: string
  readonly file: HostFile
  /** Bytes. */
  readonly length: number
  /** `undefined`: no holes, no locks. */
  readonly libc: Libc | undefined
  /** `undefined`: others are not kept out. */
  readonly lock: ImageLock | undefined
}

/** Host files on any file system; what the file system cannot do is done by writing zeroes, or answered `ENOTSUP`. */
export class FileLayer implements BlockLayer {
  readonly writer: WriteSupport
  readonly mapping: MappingSupport
  readonly #filename: string
  readonly #libc: Libc | undefined
  readonly #lock: ImageLock | undefined
  readonly #zeroes: ZeroRanges | undefined
  #file: HostFile
  #length: number
  #flushFailure: BlockError | undefined

  constructor(parts: FileParts) {
    this.#filename = parts.filename
    this.#file = parts.file
    this.#length = parts.length
    this.#libc = parts.libc
    this.#lock = parts.lock
    this.#zeroes = parts.libc && new ZeroRanges(parts.libc, parts.file.synchronous)
    this.mapping = { blockStatus: async (offset, bytes, wantZero) => this.#status(offset, bytes, wantZero) }
    this.writer = this.#zeroes ? this.#sparseWriter(this.#zeroes) : this.#plainWriter()
  }

  get length(): number {
    return this.#length
  }

  read(offset: number, into: Uint8Array): Promise<void> {
    return this.#file.read(offset, into)
  }

  async flushToDisk(): Promise<void> {
    // After a failed fdatasync the kernel calls the lost pages clean, and the next call would succeed: a lie.
    if (this.#flushFailure) throw this.#flushFailure
    try {
      await this.#file.datasync()
    } catch (error) {
      this.#flushFailure = requestError(error)
      throw this.#flushFailure
    }
  }

  async allocatedBytes(): Promise<number> {
    try {
      // `blocks` counts 512 bytes, whatever the file system's block size.
      return (await this.#file.stat()).blocks * 512
    } catch (error) {
      throw requestError(error)
    }
  }

  /** A file has no mark of its own that it was not closed well. */
  info(): LayerInfo {
    return { dirty: false }
  }

  async hasZeroInit(): Promise<boolean> {
    return true
  }

  /** @throws BlockError `Could not open 'x': …`; `ESTALE` where the name leads to another file by now */
  async reopen(change: ModeChange): Promise<void> {
    const old = this.#file
    const file = await HostFile.open(this.#filename, { readOnly: change.readOnly, synchronous: old.synchronous })
    try {
      const [before, after] = [await old.stat(), await file.stat()]
      if (before.dev !== after.dev || before.ino !== after.ino) {
        throw BlockError.withErrno('ESTALE', `Could not open '${this.#filename}'`)
      }
      this.#lock?.moveTo(file.fd)
    } catch (error) {
      await file.close()
      throw error
    }
    this.#file = file
    await old.close()
  }

  setPermissions(permissions: LockPermissions): void {
    this.#lock?.update(permissions)
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  #plainWriter(): WriteSupport {
    return {
      write: (offset, data) => this.#write(offset, data),
      truncate: (length, options) => this.#truncate(length, options),
      truncateFlags: { zeroNewArea: true },
    }
  }

  #sparseWriter(zeroes: ZeroRanges): WriteSupport {
    return {
      ...this.#plainWriter(),
      zeroFlags: { mayUnmap: true, noFallback: true },
      writeZeroes: (offset, bytes, flags) => this.#writeZeroes(zeroes, offset, bytes, flags.mayUnmap),
      discard: (offset, bytes) => zeroes.punch({ fd: this.#file.fd, offset, bytes }),
    }
  }

  #write(offset: number, data: Uint8Array): Promise<void> {
    const end = offset + data.length
    if (end <= this.#length) return this.#file.write(offset, data)
    return this.#file.write(offset, data).then(() => this.#grown(end))
  }

  async #writeZeroes(zeroes: ZeroRanges, offset: number, bytes: number, mayUnmap: boolean): Promise<void> {
    const end = offset + bytes
    const range = { fd: this.#file.fd, offset, bytes }
    // A hole cannot make the file longer, and cutting it to a length could undo a write that is under way.
    if (!(mayUnmap && end <= this.#length && (await isSupported(zeroes.punch(range))))) await zeroes.zero(range)
    this.#grown(end)
  }

  async #truncate(length: number, options: Required<TruncateOptions>): Promise<void> {
    if (!options.exact && length <= this.#length) return
    // New parts of a file always read as zeroes, so `zeroNewArea` asks for nothing more.
    const { preallocation } = options
    await resizeFile(this.#file, this.#libc, { from: this.#length, to: length, preallocation })
    this.#length = length
  }

  #grown(end: number): void {
    this.#length = Math.max(this.#length, end)
  }

  #status(offset: number, bytes: number, wantZero: boolean): BlockStatus {
    // Everything in a file is allocated in it, holes included.
    if (!wantZero) return { bytes, data: true, zero: false, hostOffset: offset }
    return extentAt(this.#libc, { fd: this.#file.fd, offset, bytes })
  }
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
