/** Snapshots of an image that is being opened: their tables are metadata that no write may hit. */

import type { Child } from '@blocklayer/block-core/driver'
import { loadSnapshotTable, type SnapshotTable } from '../features/snapshot/table-store.ts'
import { entryBytes, limits } from '../format/constants.ts'
import { viewOf } from '../format/bytes.ts'
import type { Geometry } from '../format/geometry.ts'
import { entryOffset } from '../format/l2-entry.ts'
import type { HeaderStore } from '../metadata/header-store.ts'
import { type RegionMap, rangesOverlap } from '../metadata/region-map.ts'

/** What the tables are registered with. */
export interface SnapshotRegionsOptions {
  readonly file: Child
  readonly header: HeaderStore
  readonly geometry: Geometry
  readonly regions: RegionMap
  /** Gets the table, and holds the one in force from then on. */
  readonly state: { snapshots: SnapshotTable }
}

/**
 * Reads the snapshot table and registers it, the L1 tables and, read from the disk at every question, the L2 tables of
 * all snapshots there are at the time of the question.
 *
 * @throws BlockError with the reference's message
 */
export async function loadSnapshots(options: SnapshotRegionsOptions): Promise<void> {
  const { file, header, geometry, regions, state } = options
  state.snapshots = await loadSnapshotTable(file, header.header)
  const l1Tables = () => state.snapshots.entries.filter(({ l1Size }) => l1Size > 0 && l1Size <= limits.l1Entries)
  regions.register('snapshot-table', (start, end) => {
    const { snapshotsOffset } = header.header
    return rangesOverlap(start, end, snapshotsOffset, snapshotsOffset + state.snapshots.bytes)
  })
  regions.register('inactive-l1', (start, end) => {
    if (state.snapshots.entries.length === 0) return false
    return l1Tables().some(({ l1TableOffset, l1Size }) =>
      rangesOverlap(start, end, l1TableOffset, l1TableOffset + l1Size * entryBytes),
    )
  })
  const hitsAny = async (start: number, end: number): Promise<boolean> => {
    for (const place of l1Tables()) if (await hitsL2Table(file, place, { start, end, geometry })) return true
    return false
  }
  regions.register('inactive-l2', (start, end) => state.snapshots.entries.length > 0 && hitsAny(start, end))
}

async function hitsL2Table(
  file: Child,
  place: { readonly l1TableOffset: number; readonly l1Size: number },
  range: { readonly start: number; readonly end: number; readonly geometry: Geometry },
): Promise<boolean> {
  const bytes = new Uint8Array(place.l1Size * entryBytes)
  await file.read(place.l1TableOffset, bytes)
  const view = viewOf(bytes)
  for (let at = 0; at < bytes.length; at += entryBytes) {
    const offset = entryOffset(view.getUint32(at), view.getUint32(at + 4))
    if (offset !== 0 && rangesOverlap(range.start, range.end, offset, offset + range.geometry.clusterSize)) return true
  }
  return false
}
