/** Counting the refcount blocks themselves, and finding those that cannot be what the table says. */

import { BlockError, toBlockError } from '@blocklayer/block-core/driver'
import { viewOf } from '../../format/bytes.ts'
import { entryBytes, limits, refcountTableReservedLow } from '../../format/constants.ts'
import { isClusterAligned } from '../../format/geometry.ts'
import { clustersMax } from './refcount-model.ts'
import type { TableWalk } from './walk-tables.ts'

/**
 * Counts every refcount block that the table names.
 *
 * @returns whether the refcount structures are beyond repair in place
 * @see QEMU 7.2 block/qcow2-refcount.c: check_refblocks
 */
export async function walkRefblocks(walk: TableWalk): Promise<boolean> {
  const { parts, findings, model } = walk
  const { geometry, refblocks } = parts
  const view = viewOf(refblocks.table.bytes)
  const reach = walk.fixErrors ? clustersInReach(walk) : 0
  let rebuild = false
  const condemn = (message: string): void => {
    parts.report(`ERROR ${message}`)
    findings.corruptions++
    rebuild = true
  }
  for (let index = 0; index < refblocks.table.entryCount; index++) {
    const offset = refblocks.table.offsetOf(index)
    if ((view.getUint32(index * entryBytes + 4) & refcountTableReservedLow) !== 0) {
      condemn(`refcount table entry ${index} has reserved bits set`)
      continue
    }
    if (!isClusterAligned(geometry, offset)) {
      condemn(`refcount block ${index} is not cluster aligned; refcount table entry corrupted`)
      continue
    }
    if (offset / geometry.clusterSize >= model.clusterCount) {
      if (!(await coverOutside(walk, { index, offset, reach }))) rebuild = true
      if (!walk.fixErrors || offset / geometry.clusterSize >= model.clusterCount) continue
    }
    if (offset === 0) continue
    model.add(offset, geometry.clusterSize)
    const count = model.get(offset / geometry.clusterSize)
    if (count !== 1) condemn(`refcount block ${index} refcount=${count}`)
  }
  return rebuild
}

/**
 * How many clusters a repair may give the file.
 *
 * What no refcount table can count is no place for a block: the reference leaves it to the file to refuse, and where a
 * file may be so long, as in memory, nobody can check the image any more. And an entry that is not aligned ends a repair
 * as soon as a cluster of its range is looked at; behind the file's end nobody looks.
 */
function clustersInReach({ parts }: TableWalk): number {
  const { geometry, refblocks } = parts
  const { table } = refblocks
  let sound = 0
  while (sound < table.entryCount && isClusterAligned(geometry, table.offsetOf(sound))) sound++
  const entries = sound < table.entryCount ? sound : limits.refcountTableBytes / entryBytes
  return Math.min(clustersMax, entries * geometry.refblockEntries)
}

/** A block behind the file's end. */
interface OutsideBlock {
  readonly index: number
  readonly offset: number
  /** How many clusters a repair may give the file. */
  readonly reach: number
}

/** Reports the block; a repair makes the file long enough. `false` where that has failed. */
async function coverOutside(walk: TableWalk, { index, offset, reach }: OutsideBlock): Promise<boolean> {
  const { parts, findings, model } = walk
  findings.corruptions++
  parts.report(`${walk.fixErrors ? 'Repairing' : 'ERROR'} refcount block ${index} is outside image`)
  if (!walk.fixErrors) return true
  try {
    await growFile(walk, offset + parts.geometry.clusterSize, reach)
  } catch (error) {
    parts.report(`ERROR could not resize image: ${toBlockError(error).errnoText}`)
    return false
  }
  model.followFile()
  findings.corruptionMended()
  return true
}

async function growFile({ parts }: TableWalk, length: number, reach: number): Promise<void> {
  if (length >= 2 ** 63) throw BlockError.fromErrno('EINVAL')
  try {
    if (length / parts.geometry.clusterSize > reach) throw BlockError.withErrno('EFBIG', 'Could not resize file')
    await parts.file.truncate(length)
  } catch (error) {
    parts.reportError(toBlockError(error).message)
    throw error
  }
}
