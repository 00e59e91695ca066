/**
 * Emptying an image: everything becomes unallocated, so that the backing file shows through.
 *
 * It is called when the backing file holds all of the image's data, durably. So each guest cluster may at any instant
 * be mapped to intact data or not be mapped at all; what must never be seen is a mapping to destroyed data.
 *
 * @see spec/commit-and-make-empty.md, sections 3 to 9
 */

import type { Child } from '@blocklayer/block-core/driver'
import { entryBytes } from '../format/constants.ts'
import { type Geometry, type GuestOffset, type HostOffset, clustersFor } from '../format/geometry.ts'
import type { L1Table } from '../mapping/l1-table.ts'
import type { Unmapper } from '../mapping/unmap.ts'
import type { DataFile } from '../metadata/data-file.ts'
import type { HeaderStore } from '../metadata/header-store.ts'
import type { ImageFile } from '../metadata/image-file.ts'
import type { MetadataCaches } from '../metadata/metadata-caches.ts'
import type { Allocator } from '../refcount/allocator.ts'
import type { ByteAllocator } from '../refcount/byte-allocator.ts'
import type { DiscardQueue } from '../refcount/discard-queue.ts'
import type { FreeSearch } from '../refcount/free-search.ts'
import type { RefcountTable } from '../refcount/refcount-table.ts'

/** What emptying is made of. */
export interface MakeEmptyParts {
  readonly file: ImageFile
  readonly data: DataFile
  readonly geometry: Geometry
  readonly header: HeaderStore
  readonly caches: MetadataCaches
  readonly refcountTable: RefcountTable
  readonly freed: DiscardQueue
  readonly search: FreeSearch
  readonly allocator: Allocator
  readonly byteAllocator: ByteAllocator
  readonly l1: L1Table
  readonly unmapper: Unmapper
}

/** Longest range of one step of the plain way: the largest signed 32-bit number. */
const stepBytesMax = 2 ** 31 - 1

/**
 * Empties the image, by the fast way where it is open. The metadata lock is held, and no write is in flight.
 *
 * @throws BlockError of the file; the image is then ejected if memory and disk can no longer agree
 * @see QEMU 7.2 block/qcow2.c: qcow2_make_empty
 */
export async function makeEmpty(parts: MakeEmptyParts): Promise<void> {
  await (canReset(parts) ? reset(parts) : unmapAll(parts))
}

/** Clusters that the active L1 table takes. */
function l1Clusters({ geometry, l1 }: MakeEmptyParts): number {
  return clustersFor(geometry, l1.entryCount * entryBytes)
}

/**
 * Whether the image may be made anew in place: nothing but the active tables and guest data is in the file, a dirty
 * mark can protect it meanwhile, and one refcount block counts all that stays.
 *
 * A feature that owns clusters must be added here, or emptying destroys what it owns.
 */
export function canReset(parts: MakeEmptyParts): boolean {
  const { header, geometry } = parts
  const { version, nbSnapshots } = header.header
  if (geometry.externalData) return false
  if (version < 3 || nbSnapshots > 0) return false
  if (header.extensions.bitmaps !== undefined) return false
  return 3 + l1Clusters(parts) <= geometry.refblockEntries
}

/** The fast way: a constant number of writes, whatever the size of the image. */
async function reset(parts: MakeEmptyParts): Promise<void> {
  const { caches, header, file, geometry } = parts
  // Up to the dirty mark every failure is harmless: at worst the image is marked for nothing.
  await caches.l2Tables.empty()
  await caches.refblocks.empty()
  await header.markDirty()
  try {
    await wipe(parts)
    await rebuild(parts)
  } catch (error) {
    // Refcounts in memory and on disk disagree, and mending them would take the very requests that have just failed.
    // The mark on disk stays: the next writable open repairs.
    file.eject()
    throw error
  }
  // Memory and disk agree again. A failure leaves the mark on disk, or the file longer than need be.
  await caches.markClean()
  await file.truncate((3 + l1Clusters(parts)) * geometry.clusterSize)
}

/** Everything unmapped, then everything at the file's beginning zeroed, and the header pointed there. */
async function wipe(parts: MakeEmptyParts): Promise<void> {
  const { file, geometry, header, l1 } = parts
  const { clusterSize } = geometry
  await file.debugEvent('l1_update')
  await zero(file, header.header.l1TableOffset, l1Clusters(parts) * clusterSize)
  l1.clear()
  // Durable before anything else goes: a mapping that comes back after a power cut would show zeroed clusters as data.
  // The reference has no flush here.
  await file.flush()
  await file.debugEvent('empty_image_prepare')
  await zero(file, clusterSize, (2 + l1Clusters(parts)) * clusterSize)
  // Durable before the header points there: what lay there (guest data, even) would be taken for tables.
  // The reference has no flush here either.
  await file.flush()
  await file.debugEvent('l1_update')
  await file.debugEvent('reftable_update')
  await header.storeL1AndRefcountTable({
    l1TableOffset: 3 * clusterSize,
    refcountTableOffset: clusterSize,
    refcountTableClusters: 1,
  })
}

async function zero(file: Child, offset: number, bytes: number): Promise<void> {
  if (bytes > 0) await file.writeZeroes(offset, bytes)
}

/** Counts the clusters that are left: header, refcount table, refcount block, L1 table. */
async function rebuild(parts: MakeEmptyParts): Promise<void> {
  const { file, geometry, refcountTable, freed, search, allocator, byteAllocator, l1 } = parts
  const { clusterSize } = geometry
  refcountTable.replace(new Uint8Array(clusterSize))
  await file.debugEvent('refblock_alloc')
  await refcountTable.store(0, (2 * clusterSize) as HostOffset)
  freed.clear()
  search.reset()
  byteAllocator.reset()
  const offset = await allocator.allocate(3 * clusterSize + l1.entryCount * entryBytes)
  if (offset !== 0) throw new TypeError(`the first cluster of an emptied image is in use (got ${offset})`)
}

/**
 * The plain way: cluster by cluster, for images that other structures live in.
 *
 * Holes are punched only when the L2 entries are durably gone: the reference punches first, and a power cut in between
 * shows zeroes where the backing file's data should be.
 */
async function unmapAll(parts: MakeEmptyParts): Promise<void> {
  const { geometry, header, data, unmapper, caches } = parts
  const { size } = header.header
  // A raw data file is to show what the guest will see, and that is nothing: it has no backing file.
  if (data.isRaw) await data.file.writeZeroes(0, size, { mayUnmap: true })
  const step = Math.floor(stepBytesMax / geometry.clusterSize) * geometry.clusterSize
  for (let offset = 0; offset < size; offset += step) {
    await unmapper.unmap(offset as GuestOffset, Math.min(step, size - offset), { discard: 'snapshot', full: true })
  }
  await caches.flush()
}
