/**
 * Persistent bitmaps over the life of an open image: loaded at open, marked as in use while it can be written, stored
 * when that ends.
 *
 * A bitmap that says "clean" of what was written loses data in the next backup, so a crash must make it useless, not
 * wrong: while a writer has the image open, its entry on disk says so, and who finds it in that state trusts none of its
 * bits.
 *
 * @see spec/qcow2.md, section 3.15; QEMU 7.2 block/qcow2-bitmap.c
 */

import { BlockError, type DirtyBitmap, type NodeBitmaps, toBlockError } from '@blocklayer/block-core/driver'
import { type BitmapEntry, bitmapEntryBytes, bitmapFlag, encodeBitmapDirectory } from '../../format/bitmap-entry.ts'
import { decodeText, encodeText } from '../../format/bytes.ts'
import { limits } from '../../format/constants.ts'
import { autoclear, withFeature, withoutFeature } from '../../format/features.ts'
import { clustersFor, hostOffset } from '../../format/geometry.ts'
import type { HeaderChange, HeaderStore } from '../../metadata/header-store.ts'
import type { MetadataCaches } from '../../metadata/metadata-caches.ts'
import {
  type BitmapDataParts,
  bitmapRuns,
  type HostRun,
  loadBitmapBits,
  storeBitmapBits,
  storeRun,
} from './data-store.ts'

/** What persistent bitmaps are kept with. */
export interface PersistentBitmapParts extends BitmapDataParts {
  readonly header: HeaderStore
  readonly caches: MetadataCaches
  readonly nodeBitmaps: NodeBitmaps
  /** The directory as it is on disk. */
  readonly state: { bitmaps: readonly BitmapEntry[]; readonly readOnly: boolean }
  /** A line for the user's eyes. */
  report(line: string): void
}

/** The node's bitmaps that the image keeps. */
function persistentOnes({ nodeBitmaps }: PersistentBitmapParts): readonly DirtyBitmap[] {
  return nodeBitmaps.list().filter(({ persistent }) => persistent)
}

/**
 * Makes a bitmap of the node for every entry of the directory.
 *
 * @throws BlockError with the reference's message where bits cannot be read
 * @see QEMU 7.2 block/qcow2-bitmap.c: qcow2_load_dirty_bitmaps
 */
export async function loadBitmaps(parts: PersistentBitmapParts): Promise<void> {
  const { state, nodeBitmaps, header } = parts
  const { size: length } = header.header
  for (const entry of state.bitmaps) {
    const name = decodeText(entry.name)
    const bitmap = nodeBitmaps.add({ name, granularity: 2 ** entry.granularityBits, length })
    bitmap.persistent = true
    bitmap.enabled = (entry.flags & bitmapFlag.auto) !== 0
    bitmap.readOnly = true
    if ((entry.flags & bitmapFlag.inUse) === 0) {
      await loadBitmapBits(parts, entry, bitmap)
    } else {
      bitmap.inconsistent = true
      bitmap.enabled = false
    }
  }
}

/**
 * Marks every good bitmap on disk as in use, durably: from now on only memory knows its bits.
 *
 * The directory is written where it stands. Meanwhile the feature bit that vouches for it is off: whoever finds it off
 * trusts no bitmap at all.
 *
 * @see QEMU 7.2 block/qcow2-bitmap.c: update_header_sync, update_ext_dirty_bitmaps_in_place
 */
export async function markBitmapsInUse(parts: PersistentBitmapParts): Promise<void> {
  const { file, header, state } = parts
  const entries = state.bitmaps.map((entry) => ({ ...entry, flags: entry.flags | bitmapFlag.inUse }))
  const { bitmaps: place } = header.extensions
  if (place !== undefined && state.bitmaps.some(({ flags }) => (flags & bitmapFlag.inUse) === 0)) {
    const { autoclearFeatures } = header.header
    await header.rewrite({ header: { autoclearFeatures: withoutFeature(autoclearFeatures, autoclear.bitmaps) } })
    await file.flush()
    await parts.overlap.check(place.directoryOffset, place.directorySize, 'bitmap-directory')
    await file.write(place.directoryOffset, encodeBitmapDirectory(entries))
    await header.rewrite()
    await file.flush()
    await header.rewrite({ header: { autoclearFeatures: withFeature(autoclearFeatures, autoclear.bitmaps) } })
    await file.flush()
    state.bitmaps = entries
  }
  for (const bitmap of persistentOnes(parts)) bitmap.readOnly = false
}

/**
 * Stores every good bitmap and lets go of what it took before. Afterwards the disk is right, and the node's bitmaps are
 * read-only.
 *
 * @throws BlockError; the old directory then stands, with all of its bitmaps in use: nobody trusts them
 * @see QEMU 7.2 block/qcow2-bitmap.c: qcow2_store_persistent_dirty_bitmaps
 */
export async function storeBitmaps(parts: PersistentBitmapParts): Promise<void> {
  const bitmaps = persistentOnes(parts)
  const changed = bitmaps.filter(({ inconsistent, readOnly }) => !inconsistent && !readOnly)
  if (changed.length === 0) return
  const taken: HostRun[] = []
  try {
    const stored: BitmapEntry[] = []
    for (const bitmap of changed) {
      const place = await storeBitmapBits(parts, bitmap, taken)
      stored.push(newEntry(bitmap, place))
    }
    await switchDirectory(parts, inOrder(parts.state.bitmaps, stored), taken)
  } catch (error) {
    await freeAll(parts, taken, 'always')
    throw toBlockError(error)
  }
  for (const bitmap of bitmaps) bitmap.readOnly = true
}

/** As the reference: what the directory has keeps its place there, and of what is new the youngest comes first. */
function inOrder(old: readonly BitmapEntry[], stored: readonly BitmapEntry[]): BitmapEntry[] {
  const byName = new Map(stored.map((entry) => [decodeText(entry.name), entry]))
  const take = (name: string): BitmapEntry | undefined => {
    const entry = byName.get(name)
    byName.delete(name)
    return entry
  }
  const kept = old.map((entry) => take(decodeText(entry.name)) ?? entry)
  return [...kept, ...[...byName.values()].reverse()]
}

function newEntry(bitmap: DirtyBitmap, place: { tableOffset: number; tableSize: number }): BitmapEntry {
  const name = encodeText(bitmap.name ?? '')
  return {
    ...place,
    flags: bitmap.enabled ? bitmapFlag.auto : 0,
    type: 1,
    granularityBits: Math.log2(bitmap.granularity),
    extraBytes: 0,
    name,
    entryBytes: bitmapEntryBytes(name),
  }
}

/** Puts another directory in force, durably, and frees what only the old one refers to. */
async function switchDirectory(
  parts: PersistentBitmapParts,
  entries: readonly BitmapEntry[],
  taken: HostRun[],
): Promise<void> {
  const { header, caches, file, state } = parts
  const gone = state.bitmaps.filter((old) => !entries.some(({ tableOffset }) => tableOffset === old.tableOffset))
  const old = header.extensions.bitmaps
  const { autoclearFeatures } = header.header
  const change = entries.length === 0 ? withoutFeature : withFeature
  const directory = encodeBitmapDirectory(entries)
  const directoryOffset = entries.length === 0 ? hostOffset(0) : await storeRun(parts, directory, taken)
  const place = { count: entries.length, directorySize: directory.length, directoryOffset }
  // What the new directory leads to is counted, and durable, before the header leads to the directory.
  await caches.flush()
  const bitmaps = entries.length === 0 ? undefined : place
  const headerChange = {
    header: { autoclearFeatures: change(autoclearFeatures, autoclear.bitmaps) },
    extensions: { bitmaps },
  }
  try {
    // An extension that comes or goes moves what lies behind it, the backing file's name above all.
    if ((old === undefined) !== (bitmaps === undefined)) await header.rewriteLayout(headerChange)
    else if (header.isOneSector(headerChange)) await header.rewrite(headerChange)
    else await rewriteUnvouched(parts, headerChange)
  } finally {
    // In force: after a failed flush, too, what is new must not be freed.
    if (header.extensions.bitmaps === bitmaps) {
      taken.length = 0
      state.bitmaps = entries
    }
  }
  await file.flush()
  if (old !== undefined) {
    await free(parts, { offset: hostOffset(old.directoryOffset), bytes: old.directorySize }, 'other')
  }
  for (const entry of gone) await freeBitmap(parts, entry)
}

/** While the bit that vouches for it is off, nobody looks at the extension: a power cut may leave half of it. */
async function rewriteUnvouched({ header, file }: PersistentBitmapParts, change: HeaderChange): Promise<void> {
  const { autoclearFeatures } = header.header
  await header.rewrite({ header: { autoclearFeatures: withoutFeature(autoclearFeatures, autoclear.bitmaps) } })
  await file.flush()
  await header.rewrite({ extensions: change.extensions ?? {} })
  await file.flush()
  await header.rewrite({ header: change.header ?? {} })
}

/** Nothing refers to the bitmap any more: a table that cannot be read costs leaks, and is no failure of the change. */
async function freeBitmap(parts: PersistentBitmapParts, entry: BitmapEntry): Promise<void> {
  try {
    const runs = await bitmapRuns(parts, entry)
    await freeAll(parts, runs.data, 'always')
    await free(parts, runs.table, 'other')
  } catch (error) {
    parts.report(`qcow2_free_clusters failed: ${toBlockError(error).errnoText}`)
  }
}

async function freeAll(parts: PersistentBitmapParts, runs: readonly HostRun[], discard: 'always'): Promise<void> {
  for (const run of runs) await free(parts, run, discard)
}

function free({ allocator }: PersistentBitmapParts, run: HostRun, discard: 'always' | 'other'): Promise<void> {
  return allocator.free(run.offset, run.bytes, { discard, unlinked: 'on-disk' })
}

/** Takes a bitmap out of the image; one that is not there is no error. The metadata lock is held. */
export async function removeBitmap(parts: PersistentBitmapParts, name: string): Promise<void> {
  const rest = parts.state.bitmaps.filter((entry) => decodeText(entry.name) !== name)
  if (rest.length === parts.state.bitmaps.length) return
  const taken: HostRun[] = []
  try {
    await switchDirectory(parts, rest, taken)
  } catch (error) {
    await freeAll(parts, taken, 'always')
    throw toBlockError(error)
  }
}

/**
 * Whether the image can keep one bitmap more.
 *
 * @throws BlockError `ENOTSUP`, `EINVAL` or `EFBIG` with the reference's reason
 * @see QEMU 7.2 block/qcow2-bitmap.c: qcow2_co_can_store_new_dirty_bitmap
 */
export function checkNewBitmap(parts: PersistentBitmapParts, name: string, granularity: number): void {
  const { header, geometry } = parts
  if (header.header.version < 3) throw new BlockError('ENOTSUP', 'Cannot store dirty bitmaps in qcow2 v2 files')
  if (granularity > 2 ** 31) throw new BlockError('EINVAL', 'Granularity exceeds maximum (2147483648 bytes)')
  const bytes = Math.ceil(Math.ceil(header.header.size / granularity) / 64) * 8
  const tableBytes = clustersFor(geometry, bytes) * geometry.clusterSize
  if (clustersFor(geometry, bytes) > limits.bitmapTableEntries || tableBytes > limits.bitmapPayloadBytes) {
    throw new BlockError('EINVAL', 'Too much space will be occupied by the bitmap. Use larger granularity')
  }
  const kept = persistentOnes(parts)
  if (kept.length >= limits.bitmaps) {
    throw new BlockError('EINVAL', 'Maximum number of persistent bitmaps is already reached')
  }
  const used = [...kept.map((bitmap) => bitmap.name ?? ''), name].reduce(
    (sum, text) => sum + bitmapEntryBytes(encodeText(text)),
    0,
  )
  if (used > limits.bitmapDirectoryBytes) throw new BlockError('EINVAL', 'Not enough space in the bitmap directory')
}
