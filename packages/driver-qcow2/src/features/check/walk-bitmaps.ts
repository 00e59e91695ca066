/** Counting what persistent bitmaps take: directory, tables, data. */

import { BlockError, toBlockError } from '@blocklayer/block-core/driver'
import { viewOf } from '../../format/bytes.ts'
import { bitmapDataOffset, decodeBitmapEntry, isBrokenBitmapTableEntry } from '../../format/bitmap-entry.ts'
import { entryBytes, limits } from '../../format/constants.ts'
import type { TableWalk } from './walk-tables.ts'

/**
 * Counts the clusters of all bitmaps.
 *
 * @throws BlockError where directory or tables cannot be read, or make no sense
 * @see QEMU 7.2 block/qcow2-bitmap.c: qcow2_check_bitmaps_refcounts
 */
export async function walkBitmaps(walk: TableWalk): Promise<void> {
  const { parts, model } = walk
  const { bitmaps } = parts.header.extensions
  if (bitmaps === undefined) return
  model.add(bitmaps.directoryOffset, bitmaps.directorySize)
  const directory = new Uint8Array(bitmaps.directorySize)
  await readPart(walk, bitmaps.directoryOffset, directory)
  let at = 0
  for (let count = 0; at < directory.length; count++) {
    const entry = decodeBitmapEntry(directory, at)
    if (entry === undefined || count === bitmaps.count) throw broken(walk)
    at += entry.entryBytes
    model.add(entry.tableOffset, entry.tableSize * entryBytes)
    if (entry.tableSize > limits.bitmapTableEntries) throw broken(walk)
    const table = new Uint8Array(entry.tableSize * entryBytes)
    await readPart(walk, entry.tableOffset, table)
    countData(walk, table)
  }
}

function countData(walk: TableWalk, table: Uint8Array): void {
  const { parts, findings, model } = walk
  const view = viewOf(table)
  for (let at = 0; at < table.length; at += entryBytes) {
    const high = view.getUint32(at)
    const low = view.getUint32(at + 4)
    if (isBrokenBitmapTableEntry(high, low)) {
      findings.corruptions++
      continue
    }
    const offset = bitmapDataOffset(high, low)
    if (offset !== 0) model.add(offset, parts.geometry.clusterSize)
  }
}

function broken(walk: TableWalk): BlockError {
  walk.findings.corruptions++
  return BlockError.fromErrno('EINVAL')
}

async function readPart(walk: TableWalk, offset: number, into: Uint8Array): Promise<void> {
  try {
    await walk.parts.file.read(offset, into)
  } catch (error) {
    walk.findings.checkErrors++
    throw toBlockError(error)
  }
}
