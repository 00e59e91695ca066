/** Where the tables of a streamed image go: refcount table, L1 table, L2 tables and refcount blocks, in one piece. */

import { BlockError } from '@blocklayer/block-core/driver'
import { entryBytes, limits } from '../../format/constants.ts'
import { type Geometry, l1Clusters, l1EntriesFor } from '../../format/geometry.ts'

/** What the tables are planned for. */
export interface TableNeeds {
  /** Virtual size in bytes. */
  readonly length: number
  readonly l2Tables: number
  /** Host clusters of all data. */
  readonly dataClusters: number
  /** Cluster where the tables begin. */
  readonly tablesStart: number
  /** Cluster where the data begins; absent: right behind the tables. */
  readonly dataStart?: number
  /** The refcount table is at least that many clusters long. */
  readonly refcountTableClustersMin?: number
}

/** Places in clusters; every range is one piece. */
export interface TablePlan {
  readonly length: number
  /** Entries. */
  readonly l1Size: number
  readonly refcountTableStart: number
  readonly refcountTableClusters: number
  readonly l1Start: number
  readonly l2Start: number
  readonly refblocksStart: number
  /** Which entries of the refcount table have a block, in ascending order. */
  readonly refblocks: readonly number[]
  readonly tablesEnd: number
  readonly dataStart: number
  readonly dataEnd: number
}

/**
 * Plans the tables. The refcounts count themselves, so that the plan is made again until it holds what it needs.
 *
 * @throws BlockError `EFBIG` where L1 or refcount table would be longer than the format's readers accept
 */
export function planTables(geometry: Geometry, needs: TableNeeds): TablePlan {
  const l1Size = l1EntriesFor(geometry, needs.length)
  if (l1Size > limits.l1Entries) tooLarge()
  let refblocks: readonly number[] = []
  let tableClusters = Math.max(1, needs.refcountTableClustersMin ?? 1)
  for (;;) {
    const plan = arrange(geometry, needs, { l1Size, refblocks, tableClusters })
    const end = Math.max(plan.tablesEnd, plan.dataEnd)
    if (Math.ceil(end / geometry.refblockEntries) * entryBytes > limits.refcountTableBytes) tooLarge()
    const wanted = blocksInUse(geometry, needs.tablesStart, plan)
    const wantedClusters = Math.ceil(((wanted.at(-1) ?? 0) + 1) / geometry.entriesPerCluster)
    if (wanted.length <= refblocks.length && wantedClusters <= tableClusters) return { ...plan, refblocks: wanted }
    refblocks = wanted
    tableClusters = Math.max(tableClusters, wantedClusters)
    if (tableClusters * geometry.clusterSize > limits.refcountTableBytes) tooLarge()
  }
}

function arrange(
  geometry: Geometry,
  needs: TableNeeds,
  sizes: { readonly l1Size: number; readonly refblocks: readonly number[]; readonly tableClusters: number },
): TablePlan {
  const { l1Size, refblocks, tableClusters } = sizes
  const l1Start = needs.tablesStart + tableClusters
  const l2Start = l1Start + l1Clusters(geometry, l1Size)
  const refblocksStart = l2Start + needs.l2Tables
  const tablesEnd = refblocksStart + refblocks.length
  const dataStart = needs.dataStart ?? tablesEnd
  const dataEnd = dataStart + needs.dataClusters
  const places = { refcountTableStart: needs.tablesStart, refcountTableClusters: tableClusters, l1Start, l2Start }
  return { length: needs.length, l1Size, ...places, refblocksStart, refblocks, tablesEnd, dataStart, dataEnd }
}

/** Refcount blocks that count a cluster in use: the header's, the tables', the data's. */
function blocksInUse(geometry: Geometry, tablesStart: number, { tablesEnd, dataStart, dataEnd }: TablePlan): number[] {
  const { refblockEntries } = geometry
  const blocks = new Set<number>([0])
  for (const [start, end] of [
    [tablesStart, tablesEnd],
    [dataStart, dataEnd],
  ] as const) {
    if (start === end) continue
    for (let block = Math.floor(start / refblockEntries); block * refblockEntries < end; block++) blocks.add(block)
  }
  return [...blocks].sort((a, b) => a - b)
}

function tooLarge(): never {
  throw new BlockError('EFBIG', "The image size is too large for file format 'qcow2' (try using a larger cluster size)")
}
