/** How much data an image can hold at most, as its first tables tell before any L2 table has been read. */

import { BlockError } from '@blocklayer/block-core/driver'
import { viewOf } from '../../format/bytes.ts'
import { entryBytes, headerBytesKnown } from '../../format/constants.ts'
import type { Geometry } from '../../format/geometry.ts'
import { decodeHeader, headerGeometry } from '../../format/header.ts'
import { entryOffset } from '../../format/l2-entry.ts'
import { getRefcount } from '../../format/refcount-bits.ts'

/** Entries that are read at once. */
const partBytes = 65536

/**
 * Most guest bytes for which an image has data: what its L2 tables cover, and what its refcounts count.
 *
 * @param read - reads the image's file
 * @param isCompressed - clusters may be compressed: then they are more than the refcounts count
 * @throws BlockError for a header that is none; what `read` throws
 */
export async function qcow2DataBytesMax(
  read: (offset: number, into: Uint8Array) => Promise<void>,
  isCompressed: boolean,
): Promise<number> {
  const head = new Uint8Array(headerBytesKnown)
  await read(0, head)
  const header = decodeHeader(head)
  const geometry = headerGeometry(header)
  let l2Tables = 0
  for await (const entry of entries(read, header.l1TableOffset, header.l1Size)) if (entry !== 0) l2Tables++
  const mapped = Math.min(header.size, l2Tables * geometry.l2Coverage)
  if (isCompressed) return mapped
  let used = 0
  const blockEntries = header.refcountTableClusters * geometry.entriesPerCluster
  for await (const entry of entries(read, header.refcountTableOffset, blockEntries)) {
    if (entry !== 0) used += await countUsed(read, geometry, entry)
  }
  return Math.min(mapped, used * geometry.clusterSize)
}

/** Clusters that a refcount block counts; all it could, where it cannot be read yet. */
async function countUsed(
  read: (offset: number, into: Uint8Array) => Promise<void>,
  geometry: Geometry,
  offset: number,
): Promise<number> {
  const { refblockEntries, refcountOrder, clusterSize } = geometry
  const block = new Uint8Array(clusterSize)
  try {
    await read(offset, block)
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    return refblockEntries
  }
  let used = 0
  for (let index = 0; index < refblockEntries; index++) if (getRefcount(block, refcountOrder, index) > 0) used++
  return used
}

/** Offsets in a table of pointers, 0 where an entry has none. */
async function* entries(
  read: (offset: number, into: Uint8Array) => Promise<void>,
  offset: number,
  count: number,
): AsyncGenerator<number> {
  for (let done = 0; done < count * entryBytes; done += partBytes) {
    const part = new Uint8Array(Math.min(partBytes, count * entryBytes - done))
    await read(offset + done, part)
    const view = viewOf(part)
    for (let at = 0; at < part.length; at += entryBytes) {
      yield entryOffset(view.getUint32(at), view.getUint32(at + 4))
    }
  }
}
