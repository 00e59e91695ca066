/** Checking an image, and mending it: the steps and their order. */

import { BlockError, type CheckOptions, type CheckResult, type JobOptions } from '@blocklayer/block-core/driver'
import { clustersFor } from '../../format/geometry.ts'
import type { CheckParts } from './check-parts.ts'
import { type CompareOptions, compareRefcounts, noFixes } from './compare.ts'
import { checkCopiedFlags } from './copied-flag.ts'
import { Findings } from './findings.ts'
import { rebuildRefcounts } from './rebuild.ts'
import { RefcountModel } from './refcount-model.ts'
import { mendSnapshots, readSnapshots, type SnapshotCheck } from './snapshots.ts'
import { walkBitmaps } from './walk-bitmaps.ts'
import { walkRefblocks } from './walk-refblocks.ts'
import { type TableWalk, walkActiveTables, walkSnapshotTables } from './walk-tables.ts'

/**
 * Checks all metadata of an image, and mends what `options.repair` allows. The caller holds the metadata lock.
 *
 * @throws BlockError where the check could not be completed; what it found until then has been reported
 * @see QEMU 7.2 block/qcow2.c: qcow2_co_check_locked
 */
export async function checkImage(parts: CheckParts, options: CheckOptions = {}): Promise<CheckResult> {
  const findings = new Findings(options.repair ?? 'none')
  // Tables are read from the file: what only the caches know must be there.
  if (parts.caches.l2Tables.isDirty) await parts.caches.flush()
  if (findings.fixLeaks) await letGoOfFreed(parts)
  // Counted apart: a rebuild of the refcounts mends everything that it has counted, and only that.
  const ofSnapshots = new Findings(options.repair ?? 'none')
  const snapshots = await readSnapshots(parts, ofSnapshots)
  await checkRefcounts({ parts, findings, snapshots, job: options })
  await mendSnapshots(parts, ofSnapshots, snapshots)
  findings.add(ofSnapshots)
  // Leaks are no danger: the marks go as soon as nothing is corrupt any more.
  if (findings.fixLeaks && findings.checkErrors === 0 && findings.corruptions === 0) {
    parts.header.repaired()
    await parts.caches.markClean()
    await parts.caches.markConsistent()
  }
  return findings.result(clustersFor(parts.geometry, parts.header.header.size))
}

/** A repair may put its structures where freed clusters wait to be punched: they must be, before and not after. */
async function letGoOfFreed({ caches, freed }: CheckParts): Promise<void> {
  if (freed.isEmpty) return
  await caches.flush()
  await freed.releaseAll()
}

/** What the steps below share. */
interface CheckRun {
  readonly parts: CheckParts
  readonly findings: Findings
  readonly snapshots: SnapshotCheck
  readonly job: JobOptions
}

/** @see QEMU 7.2 block/qcow2-refcount.c: qcow2_check_refcounts */
async function checkRefcounts(run: CheckRun): Promise<void> {
  const { parts, findings, job } = run
  const model = makeModel(run)
  const walkedRebuild = await countReferences(run, model, findings.fixErrors)
  // Leaks and corruptions of the walk stay; those of this comparison are counted again when it is repeated to mend.
  const { corruptions, leaks, checkErrors } = findings
  const compare: CompareOptions = { parts, findings, model, fixes: noFixes, job }
  const found = await compareRefcounts(compare)
  let { highest } = found
  if ((walkedRebuild || found.rebuild) && findings.fixErrors) {
    highest = await rebuild(run, compare)
  } else if (findings.fixLeaks) {
    if (walkedRebuild || found.rebuild) {
      parts.report('ERROR need to rebuild refcount structures')
      findings.checkErrors++
      throw BlockError.fromErrno('EIO')
    }
    if (findings.leaks > 0 || findings.corruptions > 0) {
      Object.assign(findings, { corruptions, leaks, checkErrors })
      const fixes = { leaks: findings.fixLeaks, errors: findings.fixErrors }
      highest = (await compareRefcounts({ ...compare, fixes })).highest
    }
  }
  // A flag is only as good as the refcount it is compared with.
  const repair = findings.fixErrors || (findings.fixLeaks && findings.isClean)
  await checkCopiedFlags({ parts, findings, repair, job })
  findings.imageEndOffset = (highest + 1) * parts.geometry.clusterSize
}

function makeModel({ parts, findings }: CheckRun): RefcountModel {
  const { geometry, file, report } = parts
  try {
    return new RefcountModel({ geometry, findings, fileLength: () => file.length, report })
  } catch (error) {
    findings.checkErrors++
    throw error
  }
}

/** Counts every reference; `true` where the refcount structures turn out to be beyond repair in place. */
async function countReferences(run: CheckRun, model: RefcountModel, fixErrors: boolean): Promise<boolean> {
  const { parts, findings, snapshots, job } = run
  const { header, geometry } = parts
  const tables = [header.header, ...snapshots.table.entries]
  const entries = tables.reduce((sum, { l1Size }) => sum + l1Size, 0)
  const walk: TableWalk = { parts, findings, model, fixErrors, job: overTables(job, entries) }
  findings.clearStatistics()
  await walkActiveTables(walk)
  await walkSnapshotTables(walk, snapshots.table.entries)
  model.add(header.header.snapshotsOffset, snapshots.table.bytes)
  const { refcountTableOffset, refcountTableClusters } = header.header
  model.add(refcountTableOffset, refcountTableClusters * geometry.clusterSize)
  await walkBitmaps(walk)
  return walkRefblocks(walk)
}

/** Tells of the progress through one table after the other as of one, of `total` entries together. */
function overTables(job: JobOptions, total: number): JobOptions {
  const { onProgress } = job
  if (onProgress === undefined) return job
  let before = 0
  let table = { current: 0, total: 0 }
  return {
    ...job,
    onProgress(next) {
      if (next.current <= table.current) before += table.total
      table = next
      onProgress({ current: before + next.current, total })
    },
  }
}

/** Builds new refcount structures, counts again, and frees the old ones; gives the highest cluster in use. */
async function rebuild(run: CheckRun, compare: CompareOptions): Promise<number> {
  const { parts, findings, job } = run
  const { model } = compare
  const before = { corruptions: findings.corruptions, leaks: findings.leaks }
  parts.report('Rebuilding refcount structure')
  await rebuildRefcounts({ parts, model, job })
  // Everything is counted again, and what could not be read before does not matter any more.
  Object.assign(findings, { corruptions: 0, leaks: 0, checkErrors: 0 })
  model.clear()
  const stillBroken = await countReferences(run, model, false)
  // The old structures have become leaks. They are no findings: nothing was wrong with them but their content.
  const scratch = new Findings('leaks')
  const fixes = { leaks: true, errors: false }
  const comparison = await compareRefcounts({ ...compare, findings: scratch, fixes })
  if (stillBroken || comparison.rebuild) parts.report('ERROR rebuilt refcount structure is still broken')
  findings.corruptionsFixed += Math.max(0, before.corruptions - findings.corruptions)
  findings.leaksFixed += Math.max(0, before.leaks - findings.leaks)
  return comparison.highest
}
