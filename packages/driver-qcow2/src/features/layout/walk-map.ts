/** The layout's walk from L1 tables down to the guest's data. */

import type { JobOptions, LayoutRun } from '@blocklayer/block-core/driver'
import { viewOf } from '../../format/bytes.ts'
import { entryBytes } from '../../format/constants.ts'
import { type Geometry, isClusterAligned } from '../../format/geometry.ts'
import { clusterType, compressedBytes, compressedOffset, entryOffset } from '../../format/l2-entry.ts'
import type { ImageFile } from '../../metadata/image-file.ts'
import type { FileClaims } from './claims-on-file.ts'

/** What a walk needs. */
export interface MapWalk {
  readonly file: ImageFile
  readonly geometry: Geometry
  readonly claims: FileClaims
  readonly job: JobOptions
}

/** An L1 table in the file. */
export interface L1Place {
  readonly offset: number
  /** Entries. */
  readonly entries: number
  /** A snapshot's: it shares most of what it names with the disk. */
  readonly ofSnapshot: boolean
}

/**
 * Claims an L1 table and everything below it; gives the runs as they are found. One cluster of each table is held at a
 * time, and a table that was met before is not read again: what a damaged image makes of it is bounded by its file.
 *
 * @throws BlockError where a table cannot be read
 */
export async function* walkMap(walk: MapWalk, { offset, entries, ofSnapshot }: L1Place): AsyncGenerator<LayoutRun> {
  const { claims, geometry, job } = walk
  if (!claims.table(ofSnapshot ? 'snapshot' : 'map-root', offset, entries * entryBytes)) return
  const table = new Uint8Array(geometry.clusterSize)
  for (let done = 0; done < entries; done += geometry.entriesPerCluster) {
    const part = table.subarray(0, Math.min(entries - done, geometry.entriesPerCluster) * entryBytes)
    await walk.file.read(offset + done * entryBytes, part)
    const view = viewOf(part)
    for (let at = 0; at < part.length; at += entryBytes) {
      const l2 = entryOffset(view.getUint32(at), view.getUint32(at + 4))
      if (l2 === 0) continue
      job.signal?.throwIfAborted()
      await walkL2(walk, l2, ofSnapshot)
      job.onProgress?.({ current: done + at / entryBytes, total: entries })
      yield* claims.ready()
    }
  }
}

async function walkL2(walk: MapWalk, offset: number, ofSnapshot: boolean): Promise<void> {
  const { claims, geometry, file } = walk
  // A snapshot shares a table with the disk until one of them is written to.
  if (ofSnapshot && isClusterAligned(geometry, offset) && sharesTable(walk, offset)) return
  if (!claims.table(ofSnapshot ? 'snapshot' : 'map', offset, geometry.clusterSize)) return
  const table = new Uint8Array(geometry.clusterSize)
  await file.read(offset, table)
  const view = viewOf(table)
  for (let at = 0; at < table.length; at += geometry.l2EntrySize) {
    const high = view.getUint32(at)
    const low = view.getUint32(at + 4)
    if (high !== 0 || low !== 0) claimEntry(walk, { high, low, hasData: hasData(view, at, geometry) }, ofSnapshot)
  }
}

function sharesTable({ claims, geometry }: MapWalk, offset: number): boolean {
  const cluster = offset / geometry.clusterSize
  if (cluster >= claims.taken.count) return false
  const before = claims.taken.get(cluster)
  return before === 'map' || before === 'snapshot'
}

/** Whether an entry has data: with subclusters, any of them; else it is the entry itself that says. */
function hasData(view: DataView, at: number, { extendedL2 }: Geometry): boolean {
  return !extendedL2 || view.getUint32(at + 12) !== 0
}

interface Entry {
  readonly high: number
  readonly low: number
  readonly hasData: boolean
}

function claimEntry({ claims, geometry }: MapWalk, { high, low, hasData }: Entry, ofSnapshot: boolean): void {
  const { clusterSize } = geometry
  const type = clusterType(high, low, geometry)
  if (type === 'compressed') {
    const offset = compressedOffset(geometry, high, low)
    const bytes = compressedBytes(geometry, high, low)
    claims.data(ofSnapshot ? 'snapshot-data' : 'compressed', offset, bytes, ofSnapshot ? 0 : clusterSize)
  } else if (type === 'normal' || type === 'zero-alloc') {
    const isReserved = type === 'zero-alloc' || !hasData
    const kind = isReserved ? 'reserved' : 'data'
    const offset = entryOffset(high, low)
    // What a data file holds is nobody else's: there is nothing to share or to overlap.
    if (geometry.externalData) {
      claims.tell({ kind, offset, bytes: clusterSize, guestBytes: clusterSize, child: 'data-file' })
    } else claims.data(ofSnapshot ? 'snapshot-data' : kind, offset, clusterSize, ofSnapshot ? 0 : clusterSize)
  }
}
