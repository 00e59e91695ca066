/** The log on disk: a superblock, then entries, all little endian and in units of the log's sector size. */

import { BlockError } from '@blocklayer/block-core/driver'

/** Bits of an entry's flags. @see Linux drivers/md/dm-log-writes.c, as documented in its target's guide */
export const LogFlags = {
  /** Everything before it was durable. */
  flush: 1,
  /** This write was durable when it ended. */
  fua: 2,
  /** No data follows. */
  discard: 4,
  /** A text from whoever drives the test. */
  mark: 8,
} as const

/** Bytes of the superblock that mean something; the rest of its sector is zero. */
export const superblockBytes = 28
/** Bytes of an entry that mean something; a mark's text follows in the same sector. */
export const entryBytes = 32

const magic = 0x6a736677736872n
const version = 1n
const allFlags = 15n

/** What the superblock says. */
export interface Superblock {
  readonly entryCount: number
  /** Bytes. */
  readonly sectorSize: number
}

/** An entry as it stands in its sector. */
export interface EntryHeader {
  /** Where on the disk, in log sectors. */
  readonly sector: number
  readonly sectorCount: number
  /** A sum of `LogFlags`. */
  readonly flags: number
  /** Bytes of a mark's text. */
  readonly textBytes: number
}

/** A sector with the superblock. */
export function encodeSuperblock({ entryCount, sectorSize }: Superblock): Uint8Array {
  const sector = new Uint8Array(sectorSize)
  const view = new DataView(sector.buffer)
  view.setBigUint64(0, magic, true)
  view.setBigUint64(8, version, true)
  setUint64(view, 16, entryCount)
  view.setUint32(24, sectorSize, true)
  return sector
}

/**
 * The superblock in the first `superblockBytes` bytes of a log.
 *
 * @throws BlockError `EINVAL` `Invalid log superblock magic`, `Unsupported log version 2`, `Invalid log sector size 768`
 */
export function decodeSuperblock(bytes: Uint8Array): Superblock {
  const view = new DataView(bytes.buffer, bytes.byteOffset, superblockBytes)
  if (view.getBigUint64(0, true) !== magic) throw new BlockError('EINVAL', 'Invalid log superblock magic')
  const found = view.getBigUint64(8, true)
  if (found !== version) throw new BlockError('EINVAL', `Unsupported log version ${found}`)
  const sectorSize = checkSectorSize(view.getUint32(24, true))
  return { entryCount: Number(view.getBigUint64(16, true)), sectorSize }
}

/**
 * A sector size that a log can have.
 *
 * @throws BlockError `EINVAL` `Invalid log sector size 3`: not a power of two, below 32 or not below 2^24
 */
export function checkSectorSize(size: number | bigint): number {
  const bytes = Number(size)
  if (bytes < entryBytes || bytes >= 2 ** 24 || (bytes & (bytes - 1)) !== 0) {
    throw new BlockError('EINVAL', `Invalid log sector size ${size}`)
  }
  return bytes
}

/** A sector with an entry's header. */
export function encodeEntry(entry: Omit<EntryHeader, 'textBytes'>, sectorSize: number): Uint8Array {
  const sector = new Uint8Array(sectorSize)
  const view = new DataView(sector.buffer)
  setUint64(view, 0, entry.sector)
  setUint64(view, 8, entry.sectorCount)
  setUint64(view, 16, entry.flags)
  return sector
}

/**
 * The header in the first `entryBytes` bytes of an entry.
 *
 * @param index - for the message; entries count from 0
 * @throws BlockError `EINVAL` `Invalid flags 0x10 in log entry 0`
 */
export function decodeEntry(bytes: Uint8Array, index: number): EntryHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, entryBytes)
  const flags = view.getBigUint64(16, true)
  if (flags > allFlags) throw new BlockError('EINVAL', `Invalid flags 0x${flags.toString(16)} in log entry ${index}`)
  return {
    sector: Number(view.getBigUint64(0, true)),
    sectorCount: Number(view.getBigUint64(8, true)),
    flags: Number(flags),
    textBytes: Number(view.getBigUint64(24, true)),
  }
}

/** Sectors of data behind an entry's header: a discard has none, whatever it covers. */
export function payloadSectors({ flags, sectorCount }: EntryHeader): number {
  return (flags & LogFlags.discard) === 0 ? sectorCount : 0
}

function setUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true)
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true)
}
