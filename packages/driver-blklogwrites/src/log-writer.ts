/** Appends entries to a log and keeps its superblock up to date. */

import { AsyncMutex, bytesIn, type Child, type IoBuffers } from '@blocklayer/block-core/driver'
import { encodeEntry, encodeSuperblock, LogFlags } from './format.ts'

/** Where the next entry of a log goes. */
export interface LogPosition {
  /** Bytes from the log's start. */
  readonly offset: number
  readonly entryCount: number
}

/** How a log is written. */
export interface LogWriterSetting {
  /** Bytes. */
  readonly sectorSize: number
  /** The superblock is rewritten after every so many entries, and after every flush. */
  readonly updateInterval: number
  readonly position: LogPosition
}

/** A range of the disk, in whole log sectors. */
export interface LogRange {
  /** Bytes, like `bytes`. */
  readonly offset: number
  readonly bytes: number
}

/** The end of a log. Entries are written one at a time, in the order in which they were asked for. */
export class LogWriter {
  readonly sectorSize: number
  readonly #log: Child
  readonly #updateInterval: number
  readonly #mutex = new AsyncMutex()
  #offset: number
  #entryCount: number

  constructor(log: Child, setting: LogWriterSetting) {
    this.#log = log
    this.sectorSize = setting.sectorSize
    this.#updateInterval = setting.updateInterval
    this.#offset = setting.position.offset
    this.#entryCount = setting.position.entryCount
  }

  /** Logs that `data` was written at `offset`. @throws what the log's node reports */
  write(offset: number, data: IoBuffers): Promise<void> {
    const parts = data instanceof Uint8Array ? [data] : data
    const range = { offset, bytes: bytesIn(data) }
    return this.#mutex.run(() =>
      this.#append(range, 0, range.bytes, (header) => this.#log.write(this.#offset, [header, ...parts])),
    )
  }

  /** Logs that zeroes were written. */
  writeZeroes(range: LogRange): Promise<void> {
    return this.#mutex.run(() =>
      this.#append(range, 0, range.bytes, async (header) => {
        await this.#log.write(this.#offset, header)
        await this.#log.writeZeroes(this.#offset + this.sectorSize, range.bytes)
      }),
    )
  }

  discard(range: LogRange): Promise<void> {
    return this.#mutex.run(() =>
      this.#append(range, LogFlags.discard, 0, (header) => this.#log.write(this.#offset, header)),
    )
  }

  /**
   * Logs a flush.
   *
   * @param flush - does it. No entry is written meanwhile: a write that ends during the flush may not be covered by it,
   *   and must not stand in front of it
   */
  flush(flush: () => Promise<void>): Promise<void> {
    const nothing = { offset: 0, bytes: 0 }
    return this.#mutex.run(async () => {
      await flush()
      await this.#append(nothing, LogFlags.flush, 0, (header) => this.#log.write(this.#offset, header))
    })
  }

  /** An entry that could not be written is overwritten by the next one: a gap would end the log for its readers. */
  async #append(
    { offset, bytes }: LogRange,
    flags: number,
    payload: number,
    store: (header: Uint8Array) => Promise<void>,
  ): Promise<void> {
    const { sectorSize } = this
    const header = { sector: offset / sectorSize, sectorCount: bytes / sectorSize, flags }
    await store(encodeEntry(header, sectorSize))
    this.#offset += sectorSize + payload
    this.#entryCount++
    if ((flags & LogFlags.flush) !== 0 || this.#entryCount % this.#updateInterval === 0) await this.#updateSuperblock()
  }

  async #updateSuperblock(): Promise<void> {
    const { sectorSize } = this
    await this.#log.write(0, encodeSuperblock({ entryCount: this.#entryCount, sectorSize }))
    await this.#log.flush()
  }
}
