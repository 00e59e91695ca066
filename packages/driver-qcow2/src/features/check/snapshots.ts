/** The snapshot table's part of a check: what can be read of it, and writing it anew where that was not all. */

import { BlockError, toBlockError } from '@blocklayer/block-core/driver'
import { limits } from '../../format/constants.ts'
import { validateTable } from '../../format/header-validate.ts'
import { snapshotExtraV3Min } from '../../format/snapshot-entry.ts'
import {
  loadSnapshotTable,
  noSnapshots,
  overhangingSnapshotsHint,
  type SalvagedSnapshotTable,
  type SnapshotPlace,
  type SnapshotTable,
  salvageSnapshotTable,
  storeSnapshotTable,
} from '../snapshot/table-store.ts'
import type { CheckParts } from './check-parts.ts'
import type { Findings } from './findings.ts'

/** What reading the table has shown. */
export interface SnapshotCheck {
  readonly table: SnapshotTable
  /** Corruptions that writing the table anew will mend. */
  readonly toMend: number
}

/**
 * Reads the snapshot table; with `fixErrors`, what of it can be kept.
 *
 * @throws BlockError after a message where it cannot be read
 * @see QEMU 7.2 block/qcow2-snapshot.c: qcow2_check_read_snapshot_table
 */
export async function readSnapshots(parts: CheckParts, findings: Findings): Promise<SnapshotCheck> {
  const { header } = parts
  const { nbSnapshots, snapshotsOffset } = header.header
  const place = { nbSnapshots, snapshotsOffset }
  if (findings.fixErrors && nbSnapshots > limits.snapshots) {
    place.nbSnapshots = limits.snapshots
    parts.report(`Discarding ${nbSnapshots - limits.snapshots} overhanging snapshots`)
  }
  validate(parts, findings, place)
  const table = await load(parts, findings, place)
  const dropped = nbSnapshots - table.entries.length
  findings.corruptions += dropped + table.extraDropped
  if (dropped > 0) await storeCount(parts, findings, table.entries.length, dropped)
  let toMend = table.extraDropped
  if (header.header.version >= 3) {
    table.entries.forEach(({ extraBytes }, index) => {
      if (extraBytes >= snapshotExtraV3Min) return
      findings.corruptions++
      toMend++
      parts.report(`${findings.fixErrors ? 'Repairing' : 'ERROR'} snapshot table entry ${index} is incomplete`)
    })
  }
  return { table, toMend }
}

/** Writes the table anew where that mends something. */
export async function mendSnapshots(parts: CheckParts, findings: Findings, found: SnapshotCheck): Promise<void> {
  if (found.toMend === 0 || !findings.fixErrors) return
  const { state, header } = parts
  // An image that is mended while it is open must know which table it replaces the next time.
  const isKnown = state.snapshots !== noSnapshots
  // Behind all that can be counted there is nothing to free.
  const isCounted = header.header.snapshotsOffset < limits.hostOffset
  const old = isCounted ? found.table : { ...found.table, bytes: 0 }
  try {
    await storeSnapshotTable(parts, found.table.entries, old, (table) => {
      if (isKnown) state.snapshots = table
    })
  } catch (error) {
    const failure = toBlockError(error)
    findings.checkErrors++
    parts.reportError(`ERROR failed to update snapshot table: ${failure.errnoText}`)
    throw failure
  }
  findings.corruptionMended(found.toMend)
}

/** Makes a smaller number of snapshots durable at once: what was left out must not be counted as in use. */
async function storeCount(parts: CheckParts, findings: Findings, count: number, dropped: number): Promise<void> {
  try {
    await parts.header.storeSnapshotCount(count)
  } catch (error) {
    const failure = toBlockError(error)
    findings.checkErrors++
    parts.reportError(`ERROR failed to update the snapshot count in the image header: ${failure.errnoText}`)
    throw failure
  }
  // One call: the header may have claimed billions.
  findings.corruptionMended(dropped)
}

function validate(parts: CheckParts, findings: Findings, { nbSnapshots, snapshotsOffset }: SnapshotPlace): void {
  try {
    validateTable(parts.geometry, {
      name: 'snapshot table',
      offset: snapshotsOffset,
      entries: nbSnapshots,
      entryBytes: limits.snapshotTableBytes / limits.snapshots,
      bytesMax: limits.snapshotTableBytes,
    })
  } catch (error) {
    const failure = toBlockError(error)
    findings.checkErrors++
    parts.reportError(`ERROR ${failure.message}`)
    if (nbSnapshots > limits.snapshots) parts.report(overhangingSnapshotsHint(nbSnapshots - limits.snapshots))
    throw BlockError.fromErrno(failure.code, { cause: error })
  }
}

async function load(parts: CheckParts, findings: Findings, place: SnapshotPlace): Promise<SalvagedSnapshotTable> {
  try {
    if (findings.fixErrors) return await salvageSnapshotTable(parts.file, place, parts.report)
    return { ...(await loadSnapshotTable(parts.file, place)), extraDropped: 0 }
  } catch (error) {
    const failure = toBlockError(error)
    findings.checkErrors++
    parts.reportError(`ERROR failed to read the snapshot table: ${failure.message}`)
    if (failure.hint !== undefined) parts.report(failure.hint)
    throw BlockError.fromErrno(failure.code, { cause: error })
  }
}
