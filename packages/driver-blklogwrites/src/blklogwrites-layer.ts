/** An open blklogwrites node: every request goes to the file, and everything that changes it into the log. */

import {
  BlockError,
  type BlockLayer,
  bytesIn,
  type Child,
  type IoBuffers,
  type LayerInfo,
  type LayerLimits,
  type LayerWriteFlags,
  RangeLock,
  toBlockError,
  type WriteSupport,
} from '@blocklayer/block-core/driver'
import type { LogWriter } from './log-writer.ts'

/** The file's data, and a journal of all that is done to it. */
export class BlklogwritesLayer implements BlockLayer {
  readonly limits: LayerLimits
  readonly writer: WriteSupport
  readonly #file: Child
  readonly #log: LogWriter
  /** The file may serve overlapping writes in any order; the log must have them in the same one. */
  readonly #ranges = new RangeLock()

  constructor(file: Child, log: LogWriter) {
    this.#file = file
    this.#log = log
    this.limits = { requestAlignment: log.sectorSize }
    // Durable writes are the core's business: it flushes the node after them, and the log gets to see that flush.
    this.writer = {
      zeroFlags: { mayUnmap: true, noFallback: true },
      write: (offset, data, flags) => this.#write(offset, data, flags),
      // One request is one entry, in however many buffers it comes.
      writev: (offset, data, flags) => this.#write(offset, data, flags),
      writeZeroes: (offset, bytes, flags) =>
        this.#logged(offset, bytes, {
          act: () => file.writeZeroes(offset, bytes, flags),
          note: () => log.writeZeroes({ offset, bytes }),
        }),
      discard: async (offset, bytes) => {
        // Edges smaller than a log sector cannot be logged, so they are left as they are.
        if (offset % log.sectorSize !== 0 || bytes % log.sectorSize !== 0) throw BlockError.fromErrno('ENOTSUP')
        await this.#logged(offset, bytes, {
          act: () => file.discard(offset, bytes),
          note: () => log.discard({ offset, bytes }),
        })
      },
    }
  }

  get length(): number {
    return this.#file.length
  }

  read(offset: number, into: Uint8Array): Promise<void> {
    return this.#file.read(offset, into)
  }

  readv(offset: number, into: readonly Uint8Array[]): Promise<void> {
    return this.#file.read(offset, into)
  }

  async flushToDisk(): Promise<void> {
    let failed: BlockError | undefined
    await this.#log.flush(async () => {
      failed = await failureOf(() => this.#file.flush())
    })
    if (failed !== undefined) throw failed
  }

  info(): LayerInfo {
    return this.#file.info
  }

  /** The log is not part of the disk. */
  allocatedBytes(): Promise<number | undefined> {
    return this.#file.allocatedBytes()
  }

  hasZeroInit(): Promise<boolean> {
    return this.#file.hasZeroInit()
  }

  async close(): Promise<void> {}

  #write(offset: number, data: IoBuffers, flags: LayerWriteFlags): Promise<void> {
    return this.#logged(offset, bytesIn(data), {
      act: () => this.#file.write(offset, data, flags),
      note: () => this.#log.write(offset, data),
    })
  }

  /**
   * The file first, then the log: also for what failed, because some of it may have been done. What fails with
   * `ENOTSUP` has not been tried. An error of the log comes before one of the file.
   */
  #logged(offset: number, bytes: number, { act, note }: Logged): Promise<void> {
    return this.#ranges.run('exclusive', offset, bytes, async () => {
      const failed = await failureOf(act)
      if (failed?.code !== 'ENOTSUP') await note()
      if (failed !== undefined) throw failed
    })
  }
}

interface Logged {
  readonly act: () => Promise<void>
  readonly note: () => Promise<void>
}

async function failureOf(act: () => Promise<void>): Promise<BlockError | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    return toBlockError(error)
  }
}
