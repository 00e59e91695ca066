/** Reads a finished log: what was written, in which order, and where the flushes were. */

import { BlockError } from '@blocklayer/block-core/driver'
import { entryBytes, LogFlags, payloadSectors } from './format.ts'
import { type LogSource, loadSuperblock, type PlacedEntry, walkLog } from './walk-log.ts'

/** One entry of a log. */
export interface LogEntry {
  /** Counts from 0. */
  readonly index: number
  /** `write`: data, or zeroes. `flush`: all before it was durable. `mark`: a text from whoever drove the test. */
  readonly kind: 'write' | 'discard' | 'flush' | 'mark'
  /** Where on the disk, in bytes, and how many; both 0 for flushes and marks. */
  readonly offset: number
  readonly bytes: number
  /** All before it was durable when it began (a flush, or a write that came with one). */
  readonly flush: boolean
  /** It was durable itself when it ended. */
  readonly fua: boolean
  /** What a mark says; otherwise empty. */
  readonly text: string
  /** What was written; empty for all but writes. @throws BlockError what reading the log meets */
  data(): Promise<Uint8Array>
}

/** A log as it is read. */
export interface Log {
  /** Bytes; every offset and length is a multiple. */
  readonly sectorSize: number
  /** How many entries the superblock counts; those behind may be there, but nobody vouches for them. */
  readonly entryCount: number
  /** The entries in order, read one by one. @throws BlockError `Failed to read log entry 3: …`, `Invalid flags …` */
  entries(): AsyncIterable<LogEntry>
}

/**
 * Opens a log for reading.
 *
 * @param source - a child, an open disk, or the bytes themselves
 * @throws BlockError `Could not read log superblock: …`, `Invalid log superblock magic`, `Unsupported log version 2`,
 *   `Invalid log sector size 3`
 * @example
 * // Not run: it needs a disk that is a log.
 * const { entries } = await readLog(disk)
 * for await (const { kind, offset, bytes } of entries()) console.log(kind, offset, bytes)
 */
export async function readLog(source: LogSource | Uint8Array): Promise<Log> {
  const log = source instanceof Uint8Array ? bytesSource(source) : source
  const superblock = await loadSuperblock(log)
  return {
    ...superblock,
    async *entries() {
      for await (const placed of walkLog(log, superblock)) yield await logEntry(log, superblock.sectorSize, placed)
    },
  }
}

/** Where entries are replayed: an open disk, a child, a store. */
export interface ReplayTarget {
  write(offset: number, data: Uint8Array): unknown
  /** Discarded ranges may hold anything; absent, they are left alone. */
  discard?(offset: number, bytes: number): unknown
}

/** Does to `target` what the entry says; flushes and marks do nothing. Whatever `target` returns is awaited. */
export async function replayEntry(entry: LogEntry, target: ReplayTarget): Promise<void> {
  if (entry.kind === 'write') await target.write(entry.offset, await entry.data())
  if (entry.kind === 'discard') await target.discard?.(entry.offset, entry.bytes)
}

async function logEntry(log: LogSource, sectorSize: number, placed: PlacedEntry): Promise<LogEntry> {
  const { header, index } = placed
  const { flags, sectorCount } = header
  const bytes = sectorCount * sectorSize
  const payload = payloadSectors(header) * sectorSize
  const kind = kindOf(flags, bytes)
  return {
    index,
    kind,
    offset: bytes === 0 ? 0 : header.sector * sectorSize,
    bytes,
    flush: (flags & LogFlags.flush) !== 0,
    fua: (flags & LogFlags.fua) !== 0,
    text: kind === 'mark' ? await markText(log, sectorSize, placed) : '',
    async data() {
      const data = new Uint8Array(kind === 'write' ? payload : 0)
      if (data.length > 0) await log.read(placed.offset + sectorSize, data)
      return data
    },
  }
}

function kindOf(flags: number, bytes: number): LogEntry['kind'] {
  if ((flags & LogFlags.mark) !== 0) return 'mark'
  if ((flags & LogFlags.discard) !== 0) return 'discard'
  // A write that came together with a flush has both: it is a write first.
  return bytes === 0 && (flags & LogFlags.flush) !== 0 ? 'flush' : 'write'
}

/** The text stands behind the header, and may not leave its sector. */
async function markText(log: LogSource, sectorSize: number, { header, offset }: PlacedEntry): Promise<string> {
  const bytes = new Uint8Array(Math.min(header.textBytes, sectorSize - entryBytes))
  if (bytes.length > 0) await log.read(offset + entryBytes, bytes)
  return new TextDecoder().decode(bytes)
}

function bytesSource(bytes: Uint8Array): LogSource {
  return {
    length: bytes.length,
    async read(offset, into) {
      if (offset + into.length > bytes.length) throw BlockError.fromErrno('EIO')
      into.set(bytes.subarray(offset, offset + into.length))
    },
  }
}
