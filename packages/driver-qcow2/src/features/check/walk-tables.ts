/** Counting what the tables refer to: L1 tables, L2 tables, and through them the guest's clusters. */

import { toBlockError } from '@blocklayer/block-core/driver'
import { hexHalves, viewOf } from '../../format/bytes.ts'
import {
  entryBytes,
  l1ReservedHigh,
  l1ReservedLow,
  l2ReservedHigh,
  l2ReservedLow,
  limits,
  zeroFlagLow,
} from '../../format/constants.ts'
import { type HostOffset, isClusterAligned } from '../../format/geometry.ts'
import {
  clusterType,
  compressedBytes,
  compressedOffset,
  entryOffset,
  hasZeroFlag,
  isCopied,
  withCopied,
} from '../../format/l2-entry.ts'
import { hasSubclusters, storeSubclusters, subclusterType } from '../../format/subclusters.ts'
import type { SnapshotEntry } from '../../format/snapshot-entry.ts'
import { decodeText } from '../../format/bytes.ts'
import type { CheckJob, CheckParts } from './check-parts.ts'
import type { Findings } from './findings.ts'
import type { RefcountModel } from './refcount-model.ts'

/** A walk over tables. */
export interface TableWalk {
  readonly parts: CheckParts
  readonly findings: Findings
  readonly model: RefcountModel
  /** Mend what can be mended in the tables themselves. */
  readonly fixErrors: boolean
  readonly job: CheckJob
}

/** An L1 table in the file. */
interface L1Place {
  readonly offset: number
  /** Entries. */
  readonly entries: number
  /** Count allocated, fragmented and compressed clusters: only the active table is what the guest sees. */
  readonly statistics: boolean
}

/**
 * Counts the header and the active L1 table with everything below it.
 *
 * @throws BlockError where a table cannot be read
 */
export async function walkActiveTables(walk: TableWalk): Promise<void> {
  const { header, geometry } = walk.parts
  walk.model.add(0, geometry.clusterSize)
  const { l1TableOffset, l1Size } = header.header
  await walkL1(walk, { offset: l1TableOffset, entries: l1Size, statistics: true })
}

/**
 * Counts the L1 tables of snapshots with everything below them.
 *
 * @throws BlockError where a table cannot be read
 */
export async function walkSnapshotTables(walk: TableWalk, snapshots: readonly SnapshotEntry[]): Promise<void> {
  const { parts, findings } = walk
  if (parts.geometry.externalData && snapshots.length > 0) {
    parts.report(`ERROR ${snapshots.length} snapshots in image with data file`)
    findings.corruptions++
  }
  const corrupted = 'snapshot table entry corrupted'
  const titleOf = ({ id, name }: SnapshotEntry): string => `ERROR snapshot ${decodeText(id)} (${decodeText(name)})`
  for (const snapshot of snapshots) {
    const { l1TableOffset, l1TableOffsetLow, l1Size } = snapshot
    if (!isClusterAligned(parts.geometry, l1TableOffsetLow ?? l1TableOffset)) {
      const place = `l1_offset=0x${l1TableOffset.toString(16)}`
      parts.report(`${titleOf(snapshot)} ${place}: L1 table is not cluster aligned; ${corrupted}`)
      findings.corruptions++
    } else if (l1Size > limits.l1Entries) {
      parts.report(`${titleOf(snapshot)} l1_size=0x${l1Size.toString(16)}: L1 table is too large; ${corrupted}`)
      findings.corruptions++
    } else {
      await walkL1(walk, { offset: l1TableOffset, entries: l1Size, statistics: false })
    }
  }
}

async function walkL1(walk: TableWalk, place: L1Place): Promise<void> {
  const { parts, findings, model, job } = walk
  const table = new Uint8Array(place.entries * entryBytes)
  model.add(place.offset, table.length)
  if (table.length === 0) return
  await readTable(walk, place.offset, table, 'check_refcounts_l1')
  const view = viewOf(table)
  // One for all: damaged L1 tables name millions of tables.
  const l2Table = new Uint8Array(parts.geometry.clusterSize)
  for (let index = 0; index < place.entries; index++) {
    const high = view.getUint32(index * entryBytes)
    const low = view.getUint32(index * entryBytes + 4)
    if (high === 0 && low === 0) continue
    job.signal?.throwIfAborted()
    if ((high & l1ReservedHigh) !== 0 || (low & l1ReservedLow) !== 0) {
      parts.report(`ERROR found L1 entry with reserved bits set: ${hexHalves(high, low)}`)
      findings.corruptions++
    }
    const offset = entryOffset(high, low)
    model.add(offset, parts.geometry.clusterSize)
    if (!isClusterAligned(parts.geometry, offset)) {
      const place = `l2_offset=${offset.toString(16)}`
      parts.report(`ERROR ${place}: Table is not cluster aligned; L1 entry corrupted`)
      findings.corruptions++
    }
    await walkL2(walk, { tableOffset: offset, table: l2Table, statistics: place.statistics })
    job.onProgress?.({ current: index + 1, total: place.entries })
  }
}

/** Reads a table from the file; a failure ends the check. */
async function readTable(walk: TableWalk, offset: number, into: Uint8Array, where: string): Promise<void> {
  try {
    await walk.parts.file.read(offset, into)
  } catch (error) {
    walk.parts.report(`ERROR: I/O error in ${where}`)
    walk.findings.checkErrors++
    throw toBlockError(error)
  }
}

/** An L2 table in the file, and room for it in memory. */
interface L2Place {
  readonly tableOffset: HostOffset
  readonly table: Uint8Array
  readonly statistics: boolean
}

async function walkL2(walk: TableWalk, { tableOffset, table, statistics }: L2Place): Promise<void> {
  const { parts, findings, model } = walk
  const { geometry } = parts
  // Nothing but zeroes there; damaged L1 tables name thousands of such tables.
  if (tableOffset >= parts.file.length) return
  await readTable(walk, tableOffset, table, 'check_refcounts_l2')
  const view = viewOf(table)
  // Where the next cluster lies if the guest's neighbours are neighbours in the file.
  let expected = 0
  for (let index = 0; index < geometry.l2Entries; index++) {
    const at = index * geometry.l2EntrySize
    const high = view.getUint32(at)
    const low = view.getUint32(at + 4)
    const hasBits = geometry.extendedL2 && !hasSubclusters(view, at, 0, 0)
    if (high === 0 && low === 0 && !hasBits) continue
    const type = clusterType(high, low, geometry)
    if (type === 'compressed') {
      countCompressed(walk, { high, low, index, hasBits }, statistics)
      continue
    }
    if ((high & l2ReservedHigh) !== 0 || (low & l2ReservedLow) !== 0) {
      parts.report(`ERROR found l2 entry with reserved bits set: ${hexHalves(high, low)}`)
      findings.corruptions++
    }
    if (geometry.extendedL2) judgeSubclusters(walk, view, at)
    if (type !== 'normal' && type !== 'zero-alloc') continue
    const offset = entryOffset(high, low)
    if (!isClusterAligned(geometry, offset)) {
      const hasData = geometry.extendedL2 ? view.getUint32(at + 12) !== 0 : !hasZeroFlag(low)
      const zeroBits = geometry.extendedL2 ? view.getUint32(at + 8) : 0
      if (await judgeUnaligned(walk, { tableOffset, index, offset, hasData, zeroBits })) continue
    }
    if (statistics) {
      findings.allocatedClusters++
      if (expected !== 0 && offset !== expected) findings.fragmentedClusters++
      expected = offset + geometry.clusterSize
    }
    // Clusters of a data file are nobody else's: nothing counts them.
    if (!geometry.externalData) model.add(offset, geometry.clusterSize)
  }
}

/** Reports an uncompressed entry whose bitmap contradicts the entry, or itself. */
function judgeSubclusters({ parts, findings }: TableWalk, view: DataView, at: number): void {
  const high = view.getUint32(at)
  const low = view.getUint32(at + 4)
  const type = clusterType(high, low, parts.geometry)
  if (subclusterType(type, view.getUint32(at + 8), view.getUint32(at + 12), 0) !== 'invalid') return
  const what =
    type === 'normal'
      ? `ERROR offset=${entryOffset(high, low).toString(16)}: Allocated cluster has corrupted subcluster allocation bitmap`
      : 'ERROR: Unallocated cluster has non-zero subcluster allocation map'
  parts.report(what)
  findings.corruptions++
}

/** A compressed entry. */
interface CompressedEntry {
  readonly high: number
  readonly low: number
  readonly index: number
  /** It has a bitmap that is not zero. */
  readonly hasBits: boolean
}

function countCompressed(walk: TableWalk, entry: CompressedEntry, statistics: boolean): void {
  const { parts, findings, model } = walk
  const { high, low } = entry
  const offset = compressedOffset(parts.geometry, high, low)
  if (isCopied(high)) {
    const place = `coffset=0x${offset.toString(16)}`
    parts.report(`ERROR: ${place}: copied flag must never be set for compressed clusters`)
    findings.corruptions++
  }
  if (parts.geometry.externalData) {
    const text = `ERROR compressed cluster ${entry.index} with data file`
    parts.report(`${text}, entry=0x${hexHalves(withCopied(high, false), low)}`)
    findings.corruptions++
    return
  }
  if (entry.hasBits) {
    const bitmap = 'non-zero subcluster allocation bitmap'
    parts.report(`ERROR compressed cluster ${entry.index} with ${bitmap}, entry=0x${hexHalves(high, low)}`)
    findings.corruptions++
    return
  }
  model.add(offset, compressedBytes(parts.geometry, high, low))
  if (!statistics) return
  findings.allocatedClusters++
  findings.compressedClusters++
  // Compressed clusters are fragmented by nature: reading them together is not possible.
  findings.fragmentedClusters++
}

/** An entry whose cluster does not begin where clusters begin. */
interface UnalignedEntry {
  readonly tableOffset: HostOffset
  readonly index: number
  readonly offset: HostOffset
  /** It is not all zeroes, or backing file. */
  readonly hasData: boolean
  /** Upper half of its bitmap; 0 where entries have none. */
  readonly zeroBits: number
}

/** Reports the entry, and turns it into a plain zero cluster where nothing can be lost by that: then `true`. */
async function judgeUnaligned(walk: TableWalk, entry: UnalignedEntry): Promise<boolean> {
  const { parts, findings } = walk
  const place = `offset=${entry.offset.toString(16)}`
  findings.corruptions++
  if (entry.hasData) {
    parts.report(`ERROR ${place}: Data cluster is not properly aligned; L2 entry corrupted.`)
    return false
  }
  const word = walk.fixErrors ? 'Repairing' : 'ERROR'
  parts.report(`${word} ${place}: Preallocated cluster is not properly aligned; L2 entry corrupted.`)
  if (!walk.fixErrors) return false
  await storePlainZero(walk, entry)
  findings.corruptionMended()
  return true
}

async function storePlainZero(walk: TableWalk, { tableOffset, index, zeroBits }: UnalignedEntry): Promise<void> {
  const { file, overlap, caches, geometry } = walk.parts
  const bytes = new Uint8Array(geometry.l2EntrySize)
  if (geometry.extendedL2) storeSubclusters(viewOf(bytes), 0, zeroBits, 0)
  else viewOf(bytes).setUint32(4, zeroFlagLow)
  const place = tableOffset + index * geometry.l2EntrySize
  try {
    await overlap.check(place, bytes.length, 'active-l2')
    await file.write(place, bytes)
    await file.flush()
  } catch (error) {
    walk.findings.checkErrors++
    throw toBlockError(error)
  }
  const slice = Math.floor((place - tableOffset) / caches.l2Tables.entrySize) * caches.l2Tables.entrySize
  caches.l2Tables.forget(tableOffset + slice)
}
