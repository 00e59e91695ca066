/** The snapshot table: reading it as it is, reading what of it can be kept, and writing it to a new place. */

import { BlockError, type Child, toBlockError } from '@blocklayer/block-core/driver'
import { roundUp } from '../../format/bytes.ts'
import { limits } from '../../format/constants.ts'
import { type Geometry, hostOffset } from '../../format/geometry.ts'
import type { Header } from '../../format/header.ts'
import {
  decodeSnapshotEntry,
  decodeSnapshotFixed,
  encodeSnapshotTable,
  type SnapshotEntry,
  type SnapshotFixed,
  snapshotFixedBytes,
} from '../../format/snapshot-entry.ts'
import type { HeaderStore } from '../../metadata/header-store.ts'
import type { MetadataCaches } from '../../metadata/metadata-caches.ts'
import type { OverlapCheck } from '../../metadata/overlap-check.ts'
import type { Allocator } from '../../refcount/allocator.ts'

/** The table as it was found. */
export interface SnapshotTable {
  readonly entries: readonly SnapshotEntry[]
  /** Bytes that it takes on disk. */
  readonly bytes: number
}

/** The table of an image without snapshots. */
export const noSnapshots: SnapshotTable = { entries: [], bytes: 0 }

/** The table without what the reference would not read; entries at its end may be missing. */
export interface SalvagedSnapshotTable extends SnapshotTable {
  /** Entries whose extra data was cut. */
  readonly extraDropped: number
}

/** Where the table lies. */
export type SnapshotPlace = Pick<Header, 'nbSnapshots' | 'snapshotsOffset'>

/** Lines that say what was left out. */
export type ReportLine = (line: string) => void

/**
 * Reads the table.
 *
 * @throws BlockError `EFBIG` `Too much extra metadata in snapshot table entry <n>` or `Snapshot table is too big`, with
 *   the reference's hint; `Failed to read snapshot table: …`
 * @see QEMU 7.2 block/qcow2-snapshot.c: qcow2_do_read_snapshots
 */
export async function loadSnapshotTable(file: Child, header: SnapshotPlace): Promise<SnapshotTable> {
  return readEntries(file, header, undefined)
}

/**
 * Reads what can be kept of the table, for a repair.
 *
 * @throws BlockError `Failed to read snapshot table: …`
 */
export async function salvageSnapshotTable(
  file: Child,
  header: SnapshotPlace,
  report: ReportLine,
): Promise<SalvagedSnapshotTable> {
  return readEntries(file, header, report)
}

async function readEntries(
  file: Child,
  header: SnapshotPlace,
  salvage: ReportLine | undefined,
): Promise<SalvagedSnapshotTable> {
  const table = new TableReader(file, header.snapshotsOffset)
  const entries: SnapshotEntry[] = []
  let extraDropped = 0
  // From the table's start, which is aligned: places in the file may be past what numbers hold exactly.
  let end = 0
  for (let index = 0; index < header.nbSnapshots; index++) {
    const at = roundUp(end, 8)
    const wait = table.prepare(at, snapshotFixedBytes)
    if (wait !== undefined) await wait
    const fixed = decodeSnapshotFixed(table.bytes(at, snapshotFixedBytes))
    const isExtraTooLong = fixed.extraBytes > limits.snapshotExtraBytes
    if (isExtraTooLong) {
      judgeExtra(index, fixed, salvage)
      extraDropped++
    }
    const next = at + snapshotFixedBytes + fixed.extraBytes + fixed.idBytes + fixed.nameBytes
    if (next > limits.snapshotTableBytes) {
      judgeTableSize(header.nbSnapshots - index, salvage)
      return { entries, bytes: end, extraDropped }
    }
    entries.push(await readEntry(table, at + snapshotFixedBytes, fixed))
    end = next
  }
  return { entries, bytes: end, extraDropped }
}

function judgeExtra(index: number, fixed: SnapshotFixed, salvage: ReportLine | undefined): void {
  if (salvage === undefined) {
    throw new BlockError('EFBIG', `Too much extra metadata in snapshot table entry ${index}`, {
      hint: 'You can force-remove this extra metadata with qemu-img check -r all',
    })
  }
  const sizes = `(${fixed.extraBytes} > ${limits.snapshotExtraBytes})`
  salvage(`Discarding too much extra metadata in snapshot table entry ${index} ${sizes}`)
}

function judgeTableSize(dropped: number, salvage: ReportLine | undefined): void {
  if (salvage === undefined) {
    throw new BlockError('EFBIG', 'Snapshot table is too big', { hint: overhangingSnapshotsHint(dropped) })
  }
  salvage(`Discarding ${dropped} overhanging snapshots (snapshot table is too big)`)
}

/** What the reference advises about snapshots that do not fit the table. */
export function overhangingSnapshotsHint(count: number): string {
  return `You can force-remove all ${count} overhanging snapshots with qemu-img check -r all`
}

async function readEntry(table: TableReader, at: number, fixed: SnapshotFixed): Promise<SnapshotEntry> {
  const extraBytes = Math.min(fixed.extraBytes, limits.snapshotExtraBytes)
  const wait = table.prepare(at, extraBytes)
  if (wait !== undefined) await wait
  const extra = table.bytes(at, extraBytes)
  const names = at + fixed.extraBytes
  const more = table.prepare(names, fixed.idBytes + fixed.nameBytes)
  if (more !== undefined) await more
  const id = table.bytes(names, fixed.idBytes)
  return decodeSnapshotEntry(fixed, { extra, id, name: table.bytes(names + fixed.idBytes, fixed.nameBytes) })
}

const nothing = new Uint8Array(0)

/** Bytes that are read at once: entries are small, and there may be very many. */
const windowBytes = 16_384

/** The table in the file, read front to back. */
class TableReader {
  readonly #file: Child
  /** Offset in the file. */
  readonly #start: number
  #window: Uint8Array = new Uint8Array(0)
  /** Where the window begins, from the table's start. */
  #at = 0

  constructor(file: Child, start: number) {
    this.#file = file
    this.#start = start
  }

  /** Makes `bytes` ready for this range, counted from the table's start; nothing to wait for where it is at hand. */
  prepare(at: number, bytes: number): Promise<void> | undefined {
    return at < this.#at || at + bytes > this.#at + this.#window.length ? this.#load(at, bytes) : undefined
  }

  /** A range for which `prepare` was awaited last; not to be changed. */
  bytes(at: number, bytes: number): Uint8Array {
    return bytes === 0 ? nothing : this.#window.subarray(at - this.#at, at - this.#at + bytes)
  }

  async #load(at: number, bytes: number): Promise<void> {
    // Another one, not the same filled again: entries that were read are views of it.
    const window = new Uint8Array(Math.max(bytes, windowBytes))
    try {
      await this.#file.read(this.#start + at, window)
    } catch (error) {
      throw toBlockError(error).prepend('Failed to read snapshot table: ')
    }
    this.#window = window
    this.#at = at
  }
}

/** What writing the table needs. */
export interface SnapshotStoreParts {
  readonly file: Child
  readonly geometry: Geometry
  readonly header: HeaderStore
  readonly caches: MetadataCaches
  readonly overlap: OverlapCheck
  readonly allocator: Allocator
}

/**
 * Writes the table to clusters of its own, switches the header to it and frees the old one.
 *
 * @param old - the table that the header names now
 * @param inForce - told as soon as the header names the new one: also where what follows fails
 * @returns the table in force
 * @see QEMU 7.2 block/qcow2-snapshot.c: qcow2_write_snapshots
 */
export async function storeSnapshotTable(
  parts: SnapshotStoreParts,
  entries: readonly SnapshotEntry[],
  old: SnapshotTable,
  inForce?: (table: SnapshotTable) => void,
): Promise<SnapshotTable> {
  const { file, header, caches, overlap, allocator } = parts
  const { size, snapshotsOffset: oldOffset } = header.header
  const table = encodeSnapshotTable(entries, size)
  const offset = table.length === 0 ? hostOffset(0) : await allocator.allocate(table.length)
  try {
    // Counted durably before the header may name it: a crash in between leaks it.
    await file.debugEvent('flush_to_os')
    await caches.flush()
    if (table.length > 0) {
      await overlap.check(offset, table.length)
      await file.write(offset, table)
    }
    await file.debugEvent('flush_to_os')
    await file.flush()
    await header.storeSnapshotTable({ nbSnapshots: entries.length, snapshotsOffset: offset })
  } catch (error) {
    if (header.header.snapshotsOffset === offset) {
      inForce?.({ entries, bytes: table.length })
    } else {
      await allocator.free(offset, table.length, { discard: 'always', unlinked: 'on-disk' })
    }
    throw toBlockError(error)
  }
  inForce?.({ entries, bytes: table.length })
  await allocator.free(hostOffset(oldOffset), old.bytes, { discard: 'snapshot', unlinked: 'on-disk' })
  return { entries, bytes: table.length }
}
