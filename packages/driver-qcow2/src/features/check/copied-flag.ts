/** COPIED in the active tables: set exactly where the refcount is one. */

import { BlockError, toBlockError } from '@blocklayer/block-core/driver'
import { hexHalves, viewOf } from '../../format/bytes.ts'
import { entryBytes } from '../../format/constants.ts'
import { clusterIndex, type HostOffset } from '../../format/geometry.ts'
import { clusterType, entryOffset, isCopied, withCopied } from '../../format/l2-entry.ts'
import type { CheckJob, CheckParts } from './check-parts.ts'
import type { Findings } from './findings.ts'
import { RefcountReader } from './refcount-reader.ts'

/** What the step works with. */
export interface CopiedFlagOptions {
  readonly parts: CheckParts
  readonly findings: Findings
  /** Set and clear flags; else only report them. */
  readonly repair: boolean
  readonly job: CheckJob
}

/**
 * Checks the flag of every entry of the active L1 table and of the L2 tables below it.
 *
 * @throws BlockError where a table cannot be read or written
 * @see QEMU 7.2 block/qcow2-refcount.c: check_oflag_copied
 */
export async function checkCopiedFlags(options: CopiedFlagOptions): Promise<void> {
  const { parts, job } = options
  const reader = new RefcountReader(parts.refblocks)
  const table = new Uint8Array(parts.geometry.clusterSize)
  for (let index = 0; index < parts.l1.entryCount; index++) {
    const offset = parts.l1.offsetOf(index)
    if (offset === 0) continue
    job.signal?.throwIfAborted()
    const cluster = clusterIndex(parts.geometry, offset)
    const wait = reader.prepare(cluster)
    if (wait !== undefined && !(await succeeds(wait))) continue
    const refcount = reader.get(cluster)
    if ((refcount === 1) !== parts.l1.isCopied(index)) await judgeL1(options, index, refcount)
    await checkL2(options, reader, { offset, table })
  }
}

/** `false` where a refcount block cannot be read, which the comparison has reported. */
async function succeeds(load: Promise<void>): Promise<boolean> {
  try {
    await load
    return true
  } catch (error) {
    if (error instanceof BlockError) return false
    throw error
  }
}

async function judgeL1(options: CopiedFlagOptions, index: number, refcount: number): Promise<void> {
  const { parts, findings, repair } = options
  const view = viewOf(parts.l1.bytes)
  const high = view.getUint32(index * entryBytes)
  const low = view.getUint32(index * entryBytes + 4)
  const entry = `l1_index=${index} l1_entry=${hexHalves(high, low)} refcount=${refcount}`
  parts.report(`${repair ? 'Repairing' : 'ERROR'} OFLAG_COPIED L2 cluster: ${entry}`)
  findings.corruptions++
  if (!repair) return
  try {
    await parts.l1.storeCopied(index, refcount === 1)
  } catch (error) {
    findings.checkErrors++
    throw toBlockError(error)
  }
  findings.corruptionMended()
}

/** An L2 table in the file, and room for it in memory. */
interface L2Place {
  readonly offset: HostOffset
  readonly table: Uint8Array
}

async function checkL2(options: CopiedFlagOptions, reader: RefcountReader, place: L2Place): Promise<void> {
  const { parts, findings, repair } = options
  const { geometry } = parts
  // A table behind the file's end is all zeroes: it names nothing.
  if (place.offset >= parts.file.length) return
  const { table } = place
  await readL2(options, place.offset, table)
  const view = viewOf(table)
  let changed = 0
  for (let at = 0; at < table.length; at += geometry.l2EntrySize) {
    const high = view.getUint32(at)
    const low = view.getUint32(at + 4)
    if (high === 0 && low === 0) continue
    const type = clusterType(high, low, geometry)
    if (type !== 'normal' && type !== 'zero-alloc') continue
    const cluster = clusterIndex(geometry, entryOffset(high, low))
    // Clusters of a data file are not counted, and each belongs to its entry alone.
    const wait = geometry.externalData ? undefined : reader.prepare(cluster)
    if (wait !== undefined && !(await succeeds(wait))) continue
    const refcount = geometry.externalData ? 1 : reader.get(cluster)
    if ((refcount === 1) === isCopied(high)) continue
    const entry = `l2_entry=${hexHalves(high, low)} refcount=${refcount}`
    parts.report(`${repair ? 'Repairing' : 'ERROR'} OFLAG_COPIED data cluster: ${entry}`)
    findings.corruptions++
    view.setUint32(at, withCopied(high, refcount === 1))
    changed++
  }
  if (!repair || changed === 0) return
  await writeL2(options, place.offset, table)
  for (; changed > 0; changed--) findings.corruptionMended()
}

async function readL2({ parts, findings }: CopiedFlagOptions, offset: HostOffset, table: Uint8Array): Promise<void> {
  try {
    await parts.file.read(offset, table)
  } catch (error) {
    const failure = toBlockError(error)
    parts.report(`ERROR: I/O error in check_oflag_copied: ${failure.errnoText}`)
    findings.checkErrors++
    throw failure
  }
}

async function writeL2(options: CopiedFlagOptions, offset: HostOffset, table: Uint8Array): Promise<void> {
  const { file, overlap, caches } = options.parts
  try {
    await overlap.check(offset, table.length, 'active-l2')
  } catch (error) {
    throw notWritten(options, error, '; metadata overlap check failed')
  }
  try {
    await file.write(offset, table)
  } catch (error) {
    throw notWritten(options, error, '')
  }
  for (let at = 0; at < table.length; at += caches.l2Tables.entrySize) caches.l2Tables.forget(offset + at)
}

function notWritten({ parts, findings }: CopiedFlagOptions, error: unknown, why: string): BlockError {
  const failure = toBlockError(error)
  parts.report(`ERROR: Could not write L2 table${why}: ${failure.errnoText}`)
  findings.checkErrors++
  return failure
}
