/** Walks along the entries of a log, from the superblock to as many as it counts. */

import { BlockError } from '@blocklayer/block-core/driver'
import {
  decodeEntry,
  decodeSuperblock,
  type EntryHeader,
  entryBytes,
  payloadSectors,
  type Superblock,
  superblockBytes,
} from './format.ts'

/** Where a log is: a child of a node, an open disk, or anything else that can be read. */
export interface LogSource {
  /** Bytes. */
  readonly length: number
  read(offset: number, into: Uint8Array): Promise<void>
}

/** An entry and where it stands in the log. */
export interface PlacedEntry {
  readonly header: EntryHeader
  readonly index: number
  /** Bytes from the log's start to the header's sector; its data is in the sectors behind. */
  readonly offset: number
}

/** @throws BlockError `Could not read log superblock: …`, or as `decodeSuperblock` */
export async function loadSuperblock(source: LogSource): Promise<Superblock> {
  const bytes = new Uint8Array(superblockBytes)
  await named('Could not read log superblock', () => readInside(source, 0, bytes))
  return decodeSuperblock(bytes)
}

/**
 * Every entry that the superblock counts.
 *
 * @throws BlockError `Failed to read log entry 3: …`, also for one that is not all there; or as `decodeEntry`
 */
export async function* walkLog(source: LogSource, { entryCount, sectorSize }: Superblock): AsyncGenerator<PlacedEntry> {
  const bytes = new Uint8Array(entryBytes)
  for (let index = 0, offset = sectorSize; index < entryCount; index++) {
    const unreadable = `Failed to read log entry ${index}`
    await named(unreadable, () => readInside(source, offset, bytes))
    const header = decodeEntry(bytes, index)
    const end = offset + (1 + payloadSectors(header)) * sectorSize
    // What is appended behind a cut entry would be taken for the data that is missing.
    if (end > source.length) throw BlockError.withErrno('EIO', unreadable)
    yield { header, index, offset }
    offset = end
  }
}

/** A log that ends too early is no log; nodes would fill up with zeroes, which are valid entries. */
async function readInside(source: LogSource, offset: number, into: Uint8Array): Promise<void> {
  if (offset + into.length > source.length) throw BlockError.fromErrno('EIO')
  await source.read(offset, into)
}

async function named(what: string, read: () => Promise<void>): Promise<void> {
  try {
    await read()
  } catch (error) {
    throw error instanceof BlockError ? BlockError.withErrno(error.code, what, { cause: error }) : error
  }
}
