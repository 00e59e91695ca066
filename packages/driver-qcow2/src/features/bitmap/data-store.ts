/** The bits of a persistent bitmap on disk: a table, and a cluster for each part that is neither all clear nor all set. */

import { BlockError, type Child, type DirtyBitmap, toBlockError } from '@blocklayer/block-core/driver'
import { type BitmapEntry, bitmapDataOffset, isBrokenBitmapTableEntry } from '../../format/bitmap-entry.ts'
import { decodeText, viewOf, writeU64 } from '../../format/bytes.ts'
import { entryBytes } from '../../format/constants.ts'
import { clustersFor, type Geometry, type HostOffset, hostOffset, isClusterAligned } from '../../format/geometry.ts'
import type { OverlapCheck } from '../../metadata/overlap-check.ts'
import type { Allocator } from '../../refcount/allocator.ts'

/** What bits are read with. */
export interface BitmapReadParts {
  readonly file: Child
  readonly geometry: Geometry
}

/** What bits are stored with. */
export interface BitmapDataParts extends BitmapReadParts {
  readonly overlap: OverlapCheck
  readonly allocator: Allocator
}

/** Clusters in the file. */
export interface HostRun {
  readonly offset: HostOffset
  readonly bytes: number
}

/** Bytes of the disk that one cluster of bits stands for. */
function partBytes({ geometry }: BitmapReadParts, granularity: number): number {
  return geometry.clusterSize * 8 * granularity
}

/** Entries of the table of a bitmap. */
export function bitmapTableEntries({ geometry }: BitmapReadParts, bitmap: DirtyBitmap): number {
  return clustersFor(geometry, bitmap.encodedBytes(bitmap.length))
}

/** The table of a bitmap. @throws BlockError `Could not read bitmap_table table from image for bitmap '<name>': …` */
export async function loadBitmapTable(parts: BitmapReadParts, entry: BitmapEntry): Promise<DataView> {
  const table = viewOf(new Uint8Array(entry.tableSize * entryBytes))
  try {
    await parts.file.read(entry.tableOffset, new Uint8Array(table.buffer))
    for (let at = 0; at < table.byteLength; at += entryBytes) {
      const high = table.getUint32(at)
      const low = table.getUint32(at + 4)
      const isPlace = isClusterAligned(parts.geometry, bitmapDataOffset(high, low))
      if (!isPlace || isBrokenBitmapTableEntry(high, low)) throw BlockError.fromErrno('EINVAL')
    }
  } catch (error) {
    const text = `Could not read bitmap_table table from image for bitmap '${decodeText(entry.name)}'`
    throw BlockError.withErrno(toBlockError(error).code, text, { cause: error })
  }
  return table
}

/**
 * Fills `bitmap` with the bits of `entry`.
 *
 * @throws BlockError `Could not read bitmap '<name>' from image: …`, or as `loadBitmapTable`
 * @see QEMU 7.2 block/qcow2-bitmap.c: load_bitmap_data
 */
export async function loadBitmapBits(parts: BitmapReadParts, entry: BitmapEntry, bitmap: DirtyBitmap): Promise<void> {
  const table = await loadBitmapTable(parts, entry)
  try {
    if (entry.tableSize !== bitmapTableEntries(parts, bitmap)) throw BlockError.fromErrno('EINVAL')
    const step = partBytes(parts, bitmap.granularity)
    for (let index = 0; index < entry.tableSize; index++) {
      const offset = index * step
      const bytes = Math.min(step, bitmap.length - offset)
      const low = table.getUint32(index * entryBytes + 4)
      const place = bitmapDataOffset(table.getUint32(index * entryBytes), low)
      if (place === 0) {
        bitmap.decodeAll((low & 1) === 1 ? 1 : 0, offset, bytes)
        continue
      }
      const encoded = new Uint8Array(bitmap.encodedBytes(bytes))
      await parts.file.read(place, encoded)
      bitmap.decode(encoded, offset, bytes)
    }
  } catch (error) {
    const text = `Could not read bitmap '${decodeText(entry.name)}' from image`
    throw BlockError.withErrno(toBlockError(error).code, text, { cause: error })
  }
}

/**
 * Writes the bits to clusters of their own, and a table for them; nothing refers to the table yet.
 *
 * @param taken - gets every run of clusters as soon as it is counted, so that a failure can be undone
 * @returns the table
 * @see QEMU 7.2 block/qcow2-bitmap.c: store_bitmap_data, store_bitmap
 */
export async function storeBitmapBits(
  parts: BitmapDataParts,
  bitmap: DirtyBitmap,
  taken: HostRun[],
): Promise<{ readonly tableOffset: HostOffset; readonly tableSize: number }> {
  const { geometry } = parts
  const tableSize = bitmapTableEntries(parts, bitmap)
  const table = new Uint8Array(tableSize * entryBytes)
  const step = partBytes(parts, bitmap.granularity)
  for (let index = 0; index < tableSize; index++) {
    const offset = index * step
    const bytes = Math.min(step, bitmap.length - offset)
    if (bitmap.nextDirty(offset, offset + bytes) === undefined) continue
    const cluster = new Uint8Array(geometry.clusterSize)
    cluster.set(bitmap.encode(offset, bytes))
    writeU64(viewOf(table), index * entryBytes, await storeRun(parts, cluster, taken))
  }
  return { tableOffset: await storeRun(parts, table, taken), tableSize }
}

/** Writes `bytes` to new clusters. */
export async function storeRun(parts: BitmapDataParts, bytes: Uint8Array, taken: HostRun[]): Promise<HostOffset> {
  const offset = await parts.allocator.allocate(bytes.length)
  taken.push({ offset, bytes: bytes.length })
  await parts.overlap.check(offset, bytes.length)
  await parts.file.write(offset, bytes)
  return offset
}

/** Everything that the bitmap of `entry` takes but its directory entry. @throws BlockError as `loadBitmapTable` */
export async function bitmapRuns(
  parts: BitmapReadParts,
  entry: BitmapEntry,
): Promise<{ readonly data: readonly HostRun[]; readonly table: HostRun }> {
  const table = await loadBitmapTable(parts, entry)
  const data: HostRun[] = []
  for (let at = 0; at < table.byteLength; at += entryBytes) {
    const offset = bitmapDataOffset(table.getUint32(at), table.getUint32(at + 4))
    if (offset !== 0) data.push({ offset, bytes: parts.geometry.clusterSize })
  }
  return { data, table: { offset: hostOffset(entry.tableOffset), bytes: table.byteLength } }
}
