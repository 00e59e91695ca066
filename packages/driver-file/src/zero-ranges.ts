/** Making ranges of a file read as zeroes without writing them: holes, and allocated but unwritten blocks. */

import { BlockError } from '@blocklayer/block-core/driver'
import { errnoOfResult, isUnsupported } from './errors.ts'
import { FallocateModes, type Libc } from './libc.ts'

/** A range of an open file. */
export interface FileRange {
  readonly fd: number
  readonly offset: number
  readonly bytes: number
}

/** Frees and zeroes ranges as well as the file system can; remembers what it cannot. */
export class ZeroRanges {
  readonly #libc: Libc
  readonly #synchronous: boolean
  #canPunch = true
  #canZero = true
  #canAllocate = true

  constructor(libc: Libc, synchronous: boolean) {
    this.#libc = libc
    this.#synchronous = synchronous
  }

  /**
   * Gives the range's blocks back; it then reads as zeroes. The file keeps its length.
   *
   * @throws BlockError `ENOTSUP` where the file system has no holes
   */
  async punch(range: FileRange): Promise<void> {
    if (!this.#canPunch) throw BlockError.fromErrno('ENOTSUP')
    this.#canPunch = await this.#try(FallocateModes.punchHole, range)
    if (!this.#canPunch) throw BlockError.fromErrno('ENOTSUP')
  }

  /** Files keep no promise about discarded ranges; holes are what there is. @throws BlockError as `punch` */
  discard(range: FileRange): Promise<void> {
    return this.punch(range)
  }

  /**
   * Zeroes the range and keeps (or gets) its blocks; makes the file longer where the range passes its end.
   *
   * @throws BlockError `ENOTSUP` where the file system cannot
   */
  async zero(range: FileRange): Promise<void> {
    if (this.#canZero) {
      this.#canZero = await this.#try(FallocateModes.zeroRange, range)
      if (this.#canZero) return
    }
    if (!this.#canAllocate) throw BlockError.fromErrno('ENOTSUP')
    // A hole first: allocating alone would leave the old data where there are blocks already.
    await this.punch(range)
    this.#canAllocate = await this.#try(FallocateModes.allocate, range)
    if (!this.#canAllocate) throw BlockError.fromErrno('ENOTSUP')
  }

  /** False where the file system does not know the mode; other failures are thrown. */
  async #try(mode: number, range: FileRange): Promise<boolean> {
    const { fd, offset, bytes } = range
    const result = this.#synchronous
      ? this.#libc.fallocate(fd, mode, offset, bytes)
      : await this.#libc.fallocatePooled(fd, mode, offset, bytes)
    // Some file systems zero whole blocks only: this range is written, the next one may do.
    if (result === -invalidArgument && mode === FallocateModes.zeroRange) throw BlockError.fromErrno('ENOTSUP')
    if (result < 0 && !isUnsupported(result)) throw BlockError.fromErrno(errnoOfResult(result))
    return result >= 0
  }
}

const invalidArgument = 22
