/**
 * Internal snapshots: made, applied, deleted.
 *
 * A snapshot is a second L1 table over the same clusters. What could go wrong at a power cut is that a snapshot is in
 * the table while a cluster of it still counts as the active disk's alone: the guest would overwrite it in place. So
 * counts and COPIED flags are durable before the table or the header names what relies on them. In between, flags and
 * counts need not agree with each other; a version 3 image is marked dirty meanwhile, so that the next open mends that.
 * Version 2 has no such mark, and no order of writes would do without (docs/differences.md).
 *
 * @see spec/qcow2.md, section 3.13; QEMU 7.2 block/qcow2-snapshot.c
 */

import { BlockError, type SnapshotMoment, type SnapshotWanted, toBlockError } from '@blocklayer/block-core/driver'
import type { InFlightWrites } from '../../data/in-flight.ts'
import { encodeText } from '../../format/bytes.ts'
import { entryBytes, limits } from '../../format/constants.ts'
import { type Geometry, guestOffset, hostOffset, l1EntriesFor } from '../../format/geometry.ts'
import { validateTable } from '../../format/header-validate.ts'
import type { SnapshotEntry } from '../../format/snapshot-entry.ts'
import type { L1Table } from '../../mapping/l1-table.ts'
import type { Unmapper } from '../../mapping/unmap.ts'
import type { ImageFile } from '../../metadata/image-file.ts'
import type { MetadataCaches } from '../../metadata/metadata-caches.ts'
import type { MetadataLock } from '../../metadata/metadata-lock.ts'
import { vmStateOffset } from '../vmstate.ts'
import { findSnapshot, nextSnapshotId } from './find.ts'
import { RefcountWalk, type RefcountWalkParts } from './refcount-walk.ts'
import { type SnapshotStoreParts, type SnapshotTable, storeSnapshotTable } from './table-store.ts'

/** What snapshots are made of. */
export interface SnapshotParts extends SnapshotStoreParts, RefcountWalkParts {
  readonly file: ImageFile
  readonly geometry: Geometry
  readonly caches: MetadataCaches
  readonly allocator: SnapshotStoreParts['allocator']
  readonly lock: MetadataLock
  readonly inFlight: InFlightWrites
  readonly l1: L1Table
  readonly unmapper: Unmapper
  readonly state: {
    snapshots: SnapshotTable
    showsSnapshot?: true
    readonly useLazyRefcounts: boolean
    readonly readOnly: boolean
  }
  /** Gives the caches the sizes that go with the disk's; the lock is held. */
  fitCaches(): Promise<void>
  /** A failure that no request can report. */
  reportError(message: string): void
}

/**
 * Makes a snapshot of the disk as it is. The metadata lock is held, and no write is in flight.
 *
 * @returns its entry in the table
 * @throws BlockError `EFBIG` for one too many, `EINVAL` where a reference count cannot be raised; nothing has changed
 * @see QEMU 7.2 block/qcow2-snapshot.c: qcow2_snapshot_create
 */
export async function createSnapshot(parts: SnapshotParts, moment: SnapshotMoment): Promise<SnapshotEntry> {
  const { l1, allocator, state, header } = parts
  const old = state.snapshots
  if (old.entries.length >= limits.snapshots) throw BlockError.fromErrno('EFBIG')
  const l1Bytes = l1.bytes.length
  const entry = await underDirtyMark(parts, async () => {
    const place = l1Bytes === 0 ? hostOffset(0) : await allocator.allocate(l1Bytes)
    const made = newEntry(moment, old.entries, { offset: place, l1Size: l1.entryCount, diskSize: header.header.size })
    try {
      await storeL1Copy(parts, place)
      await shareActive(parts)
      try {
        await replaceTable(parts, [...old.entries, made])
      } catch (error) {
        // The table may be in force although its flush failed: then the snapshot is there.
        if (header.header.nbSnapshots > old.entries.length) throw error
        await release(parts, l1.bytes.slice())
        throw error
      }
    } catch (error) {
      if (header.header.nbSnapshots === old.entries.length) {
        await allocator.free(place, l1Bytes, { discard: 'always', unlinked: 'on-disk' })
      }
      throw toBlockError(error)
    }
    return made
  })
  await dropVmState(parts)
  return entry
}

/** Memory follows the header: after a failed flush, too, the next change must know which table it replaces. */
async function replaceTable(parts: SnapshotParts, entries: readonly SnapshotEntry[]): Promise<void> {
  const { state } = parts
  await storeSnapshotTable(parts, entries, state.snapshots, (table) => {
    state.snapshots = table
  })
}

function newEntry(
  moment: SnapshotMoment,
  entries: readonly SnapshotEntry[],
  at: { readonly offset: number; readonly l1Size: number; readonly diskSize: number },
): SnapshotEntry {
  const none = moment.icount === undefined
  const icount = moment.icount ?? 0n
  return {
    l1TableOffset: at.offset,
    l1Size: at.l1Size,
    id: encodeText(nextSnapshotId(entries)),
    name: encodeText(moment.name),
    dateSeconds: moment.dateSeconds,
    dateNanoseconds: moment.dateNanoseconds,
    vmClockNanoseconds: moment.vmClockNanoseconds,
    vmStateSize: moment.vmStateBytes,
    diskSize: at.diskSize,
    icountHigh: none ? 0xffffffff : Number(icount / 2n ** 32n),
    icountLow: none ? 0xffffffff : Number(icount % 2n ** 32n),
    unknownExtra: new Uint8Array(0),
    extraBytes: 24,
  }
}

async function storeL1Copy({ file, l1, overlap }: SnapshotParts, place: number): Promise<void> {
  if (l1.bytes.length === 0) return
  await overlap.check(place, l1.bytes.length)
  await file.write(place, l1.bytes)
}

/** Everything that the active tables lead to has one owner more, durably. */
async function shareActive(parts: SnapshotParts): Promise<void> {
  const { l1 } = parts
  const table = l1.bytes.slice()
  await raise(parts, table)
  try {
    await flushAll(parts)
    await l1.storeFlags(table)
  } catch (error) {
    await release(parts, table)
    throw toBlockError(error)
  }
}

/** A walk that adds references, or nothing of it. */
async function raise(parts: SnapshotParts, l1: Uint8Array): Promise<void> {
  const walk = new RefcountWalk(parts, l1, 1)
  try {
    await walk.run()
  } catch (error) {
    await walk.undo(l1.slice())
    throw toBlockError(error)
  }
}

async function release(parts: SnapshotParts, l1: Uint8Array): Promise<void> {
  await new RefcountWalk(parts, l1, -1).run()
}

/** COPIED in the active tables as the counts now are; the flags are durable behind the counts. */
export async function refreshFlags(parts: SnapshotParts): Promise<void> {
  const { l1 } = parts
  const table = l1.bytes.slice()
  await new RefcountWalk(parts, table, 0).run()
  await flushAll(parts)
  await l1.storeFlags(table)
}

/** Both caches, the refcount blocks of an image that is marked dirty included. */
async function flushAll({ caches, file }: SnapshotParts): Promise<void> {
  await file.debugEvent('flush_to_os')
  await caches.l2Tables.flush()
  await caches.refblocks.flush()
}

/**
 * Runs a change during which counts and flags on disk may disagree. The mark that makes the next open mend that is gone
 * when it is over, unless refcounts are lazy anyway, or flags could not be set right after a failure.
 */
export async function underDirtyMark<Result>(parts: SnapshotParts, change: () => Promise<Result>): Promise<Result> {
  const { header, caches, state } = parts
  const marks = header.header.version >= 3 && !header.isDirty
  if (marks) await header.markDirty()
  const clean = async (): Promise<void> => {
    if (marks && !state.useLazyRefcounts) await caches.markClean()
  }
  let result: Result
  try {
    result = await change()
  } catch (error) {
    try {
      await refreshFlags(parts)
      await clean()
    } catch (second) {
      header.requireRepair()
      parts.reportError(`Failed to mark the image clean: ${toBlockError(second).message}`)
    }
    throw error
  }
  await clean()
  return result
}

/** The machine state belongs to the snapshot now, and not to the disk any more. */
async function dropVmState(parts: SnapshotParts): Promise<void> {
  const { geometry, header, l1, unmapper } = parts
  const start = vmStateOffset({ geometry, header })
  const bytes = l1.entryCount * geometry.l2Coverage - start
  if (bytes > 0) await unmapper.unmap(guestOffset(start), bytes, { discard: 'never', full: true })
}

/** The entry that the user means. @throws BlockError `ENOENT` */
function existing(parts: SnapshotParts, wanted: SnapshotWanted): SnapshotEntry {
  const { entries } = parts.state.snapshots
  const entry = entries[findSnapshot(entries, wanted)]
  if (entry === undefined) throw BlockError.fromErrno('ENOENT')
  return entry
}

/**
 * The L1 table of a snapshot.
 *
 * @throws BlockError `EFBIG` `Snapshot L1 table too large`, `EINVAL` `Snapshot L1 table offset invalid`, or of the file
 */
export async function loadSnapshotL1(
  { file, geometry }: Pick<SnapshotParts, 'file' | 'geometry'>,
  { l1TableOffset, l1Size }: SnapshotEntry,
): Promise<Uint8Array> {
  validateTable(geometry, {
    name: 'Snapshot L1 table',
    offset: l1TableOffset,
    entries: l1Size,
    entryBytes,
    bytesMax: limits.l1Entries * entryBytes,
  })
  const table = new Uint8Array(l1Size * entryBytes)
  if (table.length > 0) await file.read(l1TableOffset, table)
  return table
}

/**
 * Makes the disk what it was when the snapshot was made, its size included: one header write puts the snapshot's
 * mapping in force, so that a power cut leaves the disk of before or that of the snapshot. (The reference overwrites
 * the active L1 table where it stands.) The metadata lock is held, and no write is in flight.
 *
 * @throws BlockError `ENOENT`, or as `loadSnapshotL1`; the disk is then as it was
 * @see QEMU 7.2 block/qcow2-snapshot.c: qcow2_snapshot_goto
 */
export async function applySnapshot(parts: SnapshotParts, wanted: SnapshotWanted): Promise<void> {
  const { l1, header } = parts
  const entry = existing(parts, wanted)
  const snapshotL1 = await loadSnapshotL1(parts, entry)
  const size = entry.diskSize ?? header.header.size
  if (size % 512 !== 0) throw new BlockError('EINVAL', 'The new size must be a multiple of 512')
  if (l1EntriesFor(parts.geometry, size) > limits.l1Entries) {
    throw BlockError.withErrno('EFBIG', 'Failed to grow the L1 table')
  }
  const table = new Uint8Array(
    Math.max(snapshotL1.length, l1.bytes.length, l1EntriesFor(parts.geometry, size) * entryBytes),
  )
  table.set(snapshotL1)
  await underDirtyMark(parts, async () => {
    await raise(parts, table)
    const old = l1.bytes.slice()
    try {
      await flushAll(parts)
      await l1.switchTo(table, size)
    } catch (error) {
      if (l1.bytes !== table) await release(parts, table)
      throw toBlockError(error)
    }
    await parts.fitCaches()
    await release(parts, old)
    await refreshFlags(parts)
  })
}

/**
 * Forgets a snapshot and frees what only it held. The metadata lock is held, and no write is in flight.
 *
 * @throws BlockError `ENOENT`, or as `loadSnapshotL1`; once the table is written without it, a failure only leaks
 * @see QEMU 7.2 block/qcow2-snapshot.c: qcow2_snapshot_delete
 */
export async function deleteSnapshot(parts: SnapshotParts, wanted: SnapshotWanted): Promise<void> {
  const { allocator, state } = parts
  const entry = existing(parts, wanted)
  const snapshotL1 = await loadSnapshotL1(parts, entry)
  await underDirtyMark(parts, async () => {
    const rest = state.snapshots.entries.filter((other) => other !== entry)
    await replaceTable(parts, rest)
    await release(parts, snapshotL1)
    await allocator.free(hostOffset(entry.l1TableOffset), snapshotL1.length, {
      discard: 'snapshot',
      unlinked: 'on-disk',
    })
    await refreshFlags(parts)
  })
}

/**
 * Shows the disk as the snapshot has it, in memory only, until the image is closed. The size stays the present one.
 *
 * @throws BlockError `EINVAL` on a writable image, `ENOENT` `Can't find snapshot`, or as `loadSnapshotL1`
 * @see QEMU 7.2 block/qcow2-snapshot.c: qcow2_snapshot_load_tmp
 */
export async function showSnapshot(parts: SnapshotParts, wanted: SnapshotWanted): Promise<void> {
  const { state, header, l1 } = parts
  if (!state.readOnly) throw BlockError.fromErrno('EINVAL')
  const entry = state.snapshots.entries[findSnapshot(state.snapshots.entries, wanted)]
  if (entry === undefined) throw new BlockError('ENOENT', "Can't find snapshot")
  const table = await loadSnapshotL1(parts, entry)
  state.showsSnapshot = true
  l1.replace(table)
  const { l1TableOffset, l1Size } = entry
  header.replace({ ...header.header, l1TableOffset, l1Size }, header.extensions)
}
