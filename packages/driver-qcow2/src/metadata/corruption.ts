/** What happens when metadata turns out to be wrong: say so once, mark the image, and stop writing to it. */

import { BlockError } from '@blocklayer/block-core/driver'
import type { HeaderStore } from './header-store.ts'
import type { ImageFile } from './image-file.ts'

/** What corruption handling is made of. */
export interface CorruptionOptions {
  readonly file: ImageFile
  readonly header: HeaderStore
  /** Whether the node may write now. */
  isWritable(): boolean
  /** Takes a line for the user's eyes. */
  report(line: string): void
}

/**
 * Reports corruption. Fatal corruption of a writable image ejects it: going on would spread the damage.
 *
 * @see QEMU 7.2 block/qcow2.c: qcow2_signal_corruption
 */
export class Corruption {
  readonly #options: CorruptionOptions
  #signaled = false

  constructor(options: CorruptionOptions) {
    this.#options = options
  }

  /**
   * Reports `message` and gives the error with which the request ends.
   *
   * @param severity - fatal counts only while the image is writable
   * @returns `EIO`, to be thrown by the caller
   */
  async signal(severity: 'fatal' | 'minor', message: string): Promise<BlockError> {
    const { file, header, isWritable, report } = this.#options
    const fatal = severity === 'fatal' && isWritable()
    const failure = BlockError.fromErrno('EIO', { cause: message })
    if (this.#signaled && (!fatal || header.isCorrupt)) return failure
    this.#signaled = true
    if (!fatal) {
      report(`qcow2: Image is corrupt: ${message}; further non-fatal corruption events will be suppressed`)
      return failure
    }
    report(`qcow2: Marking image as corrupt: ${message}; further corruption events will be suppressed`)
    try {
      await header.markCorrupt()
    } catch (error) {
      return BlockError.fromErrno('EIO', { cause: error })
    } finally {
      file.eject()
    }
    return failure
  }
}
