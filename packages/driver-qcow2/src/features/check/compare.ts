/** Counts on disk against counts that should be: leaks, corruptions, and their repair in place. */

import { toBlockError } from '@blocklayer/block-core/driver'
import { refblockIndex } from '../../format/geometry.ts'
import { setRefcount } from '../../format/refcount-bits.ts'
import type { CheckJob, CheckParts } from './check-parts.ts'
import type { Findings } from './findings.ts'
import type { RefcountModel } from './refcount-model.ts'
import { RefcountReader } from './refcount-reader.ts'

/** What a comparison mends. */
export interface Fixes {
  readonly leaks: boolean
  readonly errors: boolean
}

/** Looks only. */
export const noFixes: Fixes = { leaks: false, errors: false }

/** What a comparison has found beyond its counts. */
export interface Comparison {
  /** A cluster in use counts as free: the refcount structures must be built anew. */
  readonly rebuild: boolean
  /** Number of the last cluster that is counted or referred to; 0 where none is. */
  readonly highest: number
}

/** Clusters whose counts cannot be read that are tried, and named, one by one. */
const triedMax = 16_384

/** What a comparison works with. */
export interface CompareOptions {
  readonly parts: CheckParts
  readonly findings: Findings
  readonly model: RefcountModel
  readonly fixes: Fixes
  readonly job: CheckJob
}

/**
 * Compares every cluster of the file; what lies behind its end is not looked at.
 *
 * @see QEMU 7.2 block/qcow2-refcount.c: compare_refcounts
 */
export async function compareRefcounts(options: CompareOptions): Promise<Comparison> {
  const { parts, findings, model, job } = options
  const reader = new RefcountReader(parts.refblocks)
  const { refblockEntries } = parts.geometry
  let rebuild = false
  let highest = 0
  let unreadable = 0
  const unused = new UnusedRanges(options)
  for (let cluster = unused.skip(0); cluster < model.clusterCount; cluster = unused.skip(cluster + 1)) {
    const end = Math.min(model.clusterCount, cluster - (cluster % refblockEntries) + refblockEntries)
    try {
      const wait = reader.prepare(cluster)
      if (wait !== undefined) {
        job.signal?.throwIfAborted()
        await wait
      }
    } catch (error) {
      if (job.signal?.aborted === true) throw error
      parts.report(`Can't get refcount for cluster ${cluster}: ${toBlockError(error).errnoText}`)
      unreadable++
      // A table of nonsense may count a file of terabytes: what is left of such a block is not tried one by one.
      const tried = unreadable <= triedMax ? cluster + 1 : end
      findings.checkErrors += tried - cluster
      cluster = tried - 1
      continue
    }
    const next = model.firstDifference(reader.block, cluster, end)
    if (next > cluster) {
      highest = Math.max(highest, model.lastUsed(cluster, next))
      cluster = next - 1
      continue
    }
    const counted = reader.get(cluster)
    const referenced = model.get(cluster)
    if (counted > 0 || referenced > 0) highest = cluster
    if (counted === referenced) continue
    rebuild ||= counted === 0
    await judge(options, { cluster, counted, referenced })
    // A repair may have pushed the block out of the cache.
    reader.forget()
  }
  return { rebuild, highest }
}

/** Ranges that no block counts and nothing refers to: a file of terabytes may have nothing else. */
class UnusedRanges {
  readonly #options: CompareOptions
  /** First cluster in use at or after where the last look began. */
  #used = -1

  constructor(options: CompareOptions) {
    this.#options = options
  }

  /** `cluster`, or, where a block would begin to count, the first cluster of the next range that is of interest. */
  skip(cluster: number): number {
    const { model, parts } = this.#options
    const { refblockEntries } = parts.geometry
    const { table } = parts.refblocks
    let index = cluster / refblockEntries
    if (!Number.isInteger(index) || table.offsetOf(index) !== 0) return cluster
    if (this.#used < cluster) {
      const used = model.nextUsed(cluster)
      this.#used = used < 0 ? Number.POSITIVE_INFINITY : used
    }
    const usedIndex = Math.floor(this.#used / refblockEntries)
    while (index < usedIndex && index < table.entryCount && table.offsetOf(index) === 0) index++
    return (index < table.entryCount ? index : usedIndex) * refblockEntries
  }
}

/** A cluster whose counts disagree. */
interface Mismatch {
  readonly cluster: number
  readonly counted: number
  readonly referenced: number
}

async function judge(options: CompareOptions, mismatch: Mismatch): Promise<void> {
  const { parts, findings, fixes } = options
  const { cluster, counted, referenced } = mismatch
  const isLeak = counted > referenced
  const fix = isLeak ? fixes.leaks : fixes.errors && counted !== 0
  const word = fix ? 'Repairing' : isLeak ? 'Leaked' : 'ERROR'
  parts.report(`${word} cluster ${cluster} refcount=${counted} reference=${referenced}`)
  if (fix && (await settle(options, mismatch))) {
    if (isLeak) findings.leaksFixed++
    else findings.corruptionsFixed++
  } else if (isLeak) findings.leaks++
  else findings.corruptions++
}

/** Sets the count on disk right. A failure has no message of its own: the cluster is counted as not mended. */
async function settle(options: CompareOptions, mismatch: Mismatch): Promise<boolean> {
  const { cluster, counted, referenced } = mismatch
  const { refcounts } = options.parts
  try {
    if (counted > Number.MAX_SAFE_INTEGER && referenced > 0) await replaceCount(options, mismatch)
    else {
      const change = { first: cluster, clusterCount: 1, delta: referenced - counted } as const
      await refcounts.update({ ...change, discard: 'always', unlinked: 'on-disk' })
    }
    return true
  } catch (error) {
    toBlockError(error)
    return false
  }
}

/** A count past 2^53 cannot be brought down by subtraction: the difference would be rounded. */
async function replaceCount({ parts }: CompareOptions, { cluster, referenced }: Mismatch): Promise<void> {
  const { refblocks, geometry } = parts
  const slot = await refblocks.cache.load(await refblocks.offsetFor(cluster))
  const block = refblocks.slotBytes(slot)
  setRefcount(block, geometry.refcountOrder, refblockIndex(geometry, cluster), referenced)
  refblocks.cache.markDirty(slot)
}
