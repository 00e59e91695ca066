/** Changing the size of a disk; here, making it longer. */

import {
  BlockError,
  isZero,
  type JobOptions,
  type NodeBitmaps,
  type Preallocation,
  toBlockError,
  type TruncateRequest,
} from '@blocklayer/block-core/driver'
import { exclusively } from '../../data/exclusive.ts'
import type { Reader } from '../../data/read.ts'
import type { Writer } from '../../data/write.ts'
import { roundUp } from '../../format/bytes.ts'
import { guestOffset, l1EntriesFor, l1Index } from '../../format/geometry.ts'
import type { Lookup } from '../../mapping/lookup.ts'
import type { Unmapper } from '../../mapping/unmap.ts'
import type { Zeroizer } from '../../mapping/zeroize.ts'
import { named } from './named.ts'
import { hostMode, mapDataFile, type PreallocateParts, preallocate, reservePlace } from './preallocate.ts'
import { cropFiles, type ShrinkParts, shrink } from './shrink.ts'

/** What resizing is made of. */
export interface ResizeParts extends ShrinkParts, PreallocateParts {
  readonly lookup: Lookup
  readonly nodeBitmaps: NodeBitmaps
  readonly zeroizer: Zeroizer
  readonly unmapper: Unmapper
  readonly reader: Reader
  readonly writer: Writer
}

/**
 * Changes the virtual size. The metadata lock is free on entry.
 *
 * @param length - new size in bytes
 * @throws BlockError with the reference's messages; `options.signal.reason`, and all is as it was
 * @see QEMU 7.2 block/qcow2.c: qcow2_co_truncate
 */
export async function truncateImage(parts: ResizeParts, length: number, options: TruncateRequest): Promise<void> {
  const { header } = parts.header
  if (length % 512 !== 0) throw new BlockError('EINVAL', 'The new size must be a multiple of 512')
  if (header.nbSnapshots > 0 && header.version < 3) {
    throw new BlockError('ENOTSUP', "Can't resize a v2 image which has snapshots")
  }
  refuseBitmaps(parts)
  if (length < header.size) {
    if (options.preallocation !== 'off') {
      throw new BlockError('EINVAL', "Preallocation can't be used for shrinking an image")
    }
    await shrink(parts, length)
    return
  }
  const oldLength = header.size
  try {
    await grow(parts, length, options)
  } catch (error) {
    if (options.signal?.aborted === true && parts.header.header.size === oldLength) await undoGrowth(parts, oldLength)
    throw error
  }
}

/** Who stops the preparing of space does not want it any more. After a failure it stays for the next attempt. */
async function undoGrowth(parts: ResizeParts, length: number): Promise<void> {
  const start = roundUp(length, parts.geometry.clusterSize)
  await exclusively(parts, start, Number.POSITIVE_INFINITY, async () => {
    await dropLeftovers(parts, start, 'always')
    await cropFiles(parts, length)
  })
}

/** A bitmap whose bits mean nothing cannot follow the disk's size. */
function refuseBitmaps({ nodeBitmaps }: ResizeParts): void {
  const bad = nodeBitmaps.list().find(({ persistent, inconsistent }) => persistent && inconsistent)
  if (bad !== undefined) {
    throw new BlockError('ENOTSUP', `Bitmap '${bad.name}' is inconsistent and cannot be used`)
  }
}

async function grow(
  parts: ResizeParts,
  length: number,
  { zeroNewArea, preallocation, signal, onProgress }: TruncateRequest,
): Promise<void> {
  const { geometry, lock, header, data, caches, l1 } = parts
  // A raw data file shows by itself what is written: its mapping is there beforehand.
  const isMappedAhead = preallocation !== 'off' || data.isRaw
  const oldLength = header.header.size
  const first = Math.floor(oldLength / geometry.clusterSize) * geometry.clusterSize
  const start = roundUp(oldLength, geometry.clusterSize)
  const end = Math.min(length, start)
  const asData = !data.isExternal && (preallocation === 'falloc' || preallocation === 'full')
  const allocates = zeroNewArea || (isMappedAhead && !geometry.extendedL2)
  let hasLeftovers = false
  const rest = await exclusively(parts, first, Number.POSITIVE_INFINITY, async () => {
    hasLeftovers = await named('Failed to zero out the new area', () => dropLeftovers(parts, start, 'other'))
    await named('Failed to grow the L1 table', () => l1.grow(l1EntriesFor(geometry, length), true))
    if (data.isExternal)
      await named('Failed to grow the data file', () => growData(parts, { length, preallocation, signal, onProgress }))
    if (isMappedAhead) {
      const zero = zeroNewArea && header.header.version >= 3
      // The space of a data file is what takes long.
      const job = { signal, onProgress: data.isExternal ? undefined : onProgress }
      const range = { start, end: length, preallocation, zero, ...job }
      await named('Could not preallocate data clusters', async () => {
        // The cluster that the new area begins in belongs to it; without subclusters it is written below.
        if (geometry.extendedL2 && end > oldLength) await reservePlace(parts, guestOffset(first), preallocation)
        await (data.isExternal ? mapDataFile(parts, range) : preallocate(parts, range))
      })
    } else if (zeroNewArea) await zeroWholeClusters(parts, start, length)
    return allocates && end > oldLength ? [{ start: oldLength, end }] : mappedRanges(parts, oldLength, end)
  })
  // The rest of the last old cluster may show more of the backing file than was visible until now, or what the disk
  // held there before it was made shorter.
  await named('Failed to zero out the new area', async () => {
    for (const range of rest) {
      // What is compressed would have to become data for it, and data a flag that the reference does not set.
      if (!allocates && (await readsZero(parts, range))) continue
      await zeroRest(parts, { ...range, asData })
    }
  })
  await lock.run(async () => {
    // The reference makes the size durable first: after a power cut the backing file shows in the new area.
    if (zeroNewArea || rest.length > 0 || hasLeftovers || isMappedAhead) await caches.flush()
    await named('Failed to update the image size', () => header.storeSize(length))
    await parts.fitCaches()
  })
}

/** Gives a data file the length of the disk. What it held behind the old end is not to show. */
async function growData({ data, header }: ResizeParts, { length, preallocation, ...job }: DataGrowth): Promise<void> {
  const { file } = data
  const { size } = header.header
  if (file.length > size) await file.truncate(size)
  await file.truncate(length, { preallocation: hostMode(preallocation), ...job })
  await data.flush()
}

interface DataGrowth extends JobOptions {
  readonly length: number
  readonly preallocation: Preallocation
}

/**
 * Unmaps what lies behind the end of the disk: machine state that no snapshot has taken, or space of a preallocation that
 * failed.
 *
 * @param discard - whether the file gives the space back to the host in any case
 * @returns whether any L2 table covers the range: it must be durable before the disk shows it
 */
async function dropLeftovers(parts: ResizeParts, start: number, discard: 'always' | 'other'): Promise<boolean> {
  const { geometry, l1, unmapper } = parts
  let found = false
  for (let index = l1Index(geometry, guestOffset(start)); index < l1.entryCount; index++) {
    if (l1.offsetOf(index) === 0) continue
    found = true
    const from = Math.max(start, index * geometry.l2Coverage)
    const bytes = (index + 1) * geometry.l2Coverage - from
    await unmapper.unmap(guestOffset(from), bytes, { discard, full: true })
  }
  return found
}

/** A range inside one cluster. */
interface Range {
  readonly start: number
  readonly end: number
}

/** What of the range, which lies in one cluster, has content of its own. */
async function mappedRanges({ lookup }: ResizeParts, start: number, end: number): Promise<Range[]> {
  const ranges: Range[] = []
  for (let at = start; at < end; ) {
    const { type, bytes } = await lookup.find(guestOffset(at), end - at)
    if (type === 'normal' || type === 'compressed') ranges.push({ start: at, end: at + bytes })
    at += bytes
  }
  return ranges
}

async function readsZero({ reader }: ResizeParts, { start, end }: Range): Promise<boolean> {
  const bytes = new Uint8Array(end - start)
  await reader.read(start, bytes)
  return isZero(bytes)
}

/** Makes the range read as zeroes: whole subclusters, where there are any, by their flags. */
async function zeroRest(parts: ResizeParts, { start, end, asData }: Range & { asData: boolean }): Promise<void> {
  const { geometry, writer, zeroizer } = parts
  const hasFlags = geometry.extendedL2 && !asData
  const flagged = hasFlags ? Math.min(end, roundUp(start, geometry.subclusterSize)) : end
  const write = (from: number, to: number): Promise<void> => writer.write(from, new Uint8Array(to - from))
  if (flagged > start) await write(start, flagged)
  if (flagged === end) return
  const options = { mayUnmap: false, toDiskEnd: false }
  try {
    await exclusively(parts, flagged, end, () => zeroizer.zeroize(guestOffset(flagged), end - flagged, options))
  } catch (error) {
    // What is compressed has no flags for its parts.
    if (toBlockError(error).code !== 'ENOTSUP') throw error
    await write(flagged, end)
  }
}
async function zeroWholeClusters({ zeroizer }: ResizeParts, start: number, end: number): Promise<void> {
  if (start >= end) return
  await named('Failed to zero out new clusters', () =>
    zeroizer.zeroize(guestOffset(start), end - start, { mayUnmap: false, toDiskEnd: true }),
  )
}
