/** Keeps a journal of all that reaches one or several disks in memory. */

import { MemoryStore } from '../memory-driver.ts'
import type { GuestChange, Journal, JournalDisk, JournalEntry } from './journal.ts'

/**
 * A recorder and its disks. All of them share one journal, since a power cut takes them all at the same moment.
 *
 * @example
 * import { createBlockGraph } from '@blocklayer/block-core'
 * import { crashStates, DiskRecorder, memory } from '@blocklayer/block-core/testing'
 *
 * const recorder = new DiskRecorder()
 * const store = recorder.disk('image', new Uint8Array(4096))
 * const graph = createBlockGraph({ drivers: [], implicitOpen: 'deny' })
 * const disk = await graph.open(memory(store))
 * await disk.write(0, new Uint8Array(1024).fill(1))
 * await disk.flush()
 * await disk.write(1024, new Uint8Array(512).fill(2))
 * await graph.close()
 * for (const state of crashStates(recorder.journal)) console.log(state.id, state.disks[0]?.bytes()[0])
 */
export class DiskRecorder {
  readonly #disks: JournalDisk[] = []
  readonly #entries: JournalEntry[] = []
  #flushes = 0

  /** A new disk; give its changes to nobody but the returned store. */
  disk(name: string, content: Uint8Array | number = 0): MemoryStore {
    const start = typeof content === 'number' ? new Uint8Array(content) : content.slice()
    const disk = this.#disks.push({ name, start }) - 1
    return new RecordedDisk(start, disk, (entry) => void this.#entries.push(entry))
  }

  /** What happened so far; it grows as the disks change. */
  get journal(): Journal {
    return { disks: this.#disks, entries: this.#entries }
  }

  /** A line of text between the requests, for reports. */
  note(text: string): void {
    this.#entries.push({ kind: 'note', text })
  }

  /**
   * Runs `act`, after which the guest may see `change`: from its beginning on the new content is allowed.
   *
   * @param change - its `data` and `facts` may be filled in as late as in `act`
   */
  async change(change: GuestChange, act: () => Promise<void>): Promise<void> {
    this.#entries.push({ kind: 'guest', event: 'begin', change })
    await act()
    this.#entries.push({ kind: 'guest', event: 'end', change })
  }

  /** Runs `act`, a flush: what had ended before it must be there after it. */
  async flush(act: () => Promise<void>): Promise<void> {
    const flush = this.#flushes++
    this.#entries.push({ kind: 'guest', event: 'flush begin', flush })
    await act()
    this.#entries.push({ kind: 'guest', event: 'flush end', flush })
  }

  /**
   * Runs `act`, which closes the image: as a flush, and from then on nothing may say that it is not to be trusted.
   *
   * @param act - gives `false` where closing did not do all that it should, and has said so
   */
  async close(act: () => Promise<boolean>): Promise<void> {
    const flush = this.#flushes++
    this.#entries.push({ kind: 'guest', event: 'flush begin', flush })
    if (!(await act())) return
    this.#entries.push({ kind: 'guest', event: 'flush end', flush }, { kind: 'guest', event: 'closed' })
  }
}

/** A store whose changes are written down once they are done. */
class RecordedDisk extends MemoryStore {
  readonly #disk: number
  readonly #record: (entry: JournalEntry) => void

  constructor(content: Uint8Array, disk: number, record: (entry: JournalEntry) => void) {
    super(content)
    this.#disk = disk
    this.#record = record
  }

  override write(offset: number, data: Uint8Array): void {
    super.write(offset, data)
    if (data.length > 0) this.#record({ kind: 'write', disk: this.#disk, offset, data: data.slice() })
  }

  override zero(offset: number, bytes: number): void {
    super.zero(offset, bytes)
    if (bytes > 0) this.#record({ kind: 'zero', disk: this.#disk, offset, bytes })
  }

  override discard(offset: number, bytes: number): void {
    if (bytes <= 0) return
    super.zero(offset, bytes)
    this.#record({ kind: 'discard', disk: this.#disk, offset, bytes })
  }

  override resize(length: number): void {
    const changed = length !== this.length
    super.resize(length)
    // Growing is part of the write that grows: recorded once.
    if (changed && !this.growing) this.#record({ kind: 'resize', disk: this.#disk, length })
  }

  override flush(): void {
    super.flush()
    this.#record({ kind: 'flush', disk: this.#disk })
  }
}
