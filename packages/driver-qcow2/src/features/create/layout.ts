/** Where everything in a new image goes, without writing any of it. */

import type { Preallocation } from '@blocklayer/block-core/driver'
import { roundUp, viewOf, writeU64 } from '../../format/bytes.ts'
import { copiedFlagHigh, entryBytes } from '../../format/constants.ts'
import {
  autoclear,
  compatible,
  type FeatureWord,
  incompatible,
  noFeatures,
  withFeature,
} from '../../format/features.ts'
import { type Geometry, l1EntriesFor, makeGeometry } from '../../format/geometry.ts'
import type { Header } from '../../format/header.ts'
import type { CreateSettings } from './options.ts'
import { RefcountPlan } from './refcount-plan.ts'

/** A table, or a part of one, at a place of the file. */
export interface Piece {
  readonly table: 'refcounts' | 'l1' | 'l2'
  /** Byte offset in the file. */
  readonly offset: number
  readonly bytes: Uint8Array
}

/** A range of the file that is made long enough, and materialised as `preallocation` says, without being written. */
export interface DataArea {
  /** Byte offset in the file. */
  readonly start: number
  readonly end: number
  readonly preallocation: Preallocation
}

/** A whole new image. */
export interface ImageLayout {
  readonly geometry: Geometry
  /** Without extensions and backing file. */
  readonly header: Header
  readonly dataArea: DataArea | undefined
  /** Bytes of all tables. */
  readonly tableBytes: number
  /** Every table, one at a time: L2 tables of a large disk would not fit memory together. */
  tables(): Iterable<Piece>
}

/** Entries of an L2 table that are filled in one go; clusters are allocated in runs of at most this many. */
const sliceBytesMax = 4096

/**
 * Lays out an image.
 *
 * @param size - virtual size in bytes, a multiple of 512 whose L1 table has a legal length
 * @see spec/qcow2.md, 2.2
 */
export function layoutImage(settings: CreateSettings, size: number): ImageLayout {
  const geometry = makeGeometry(settings)
  const plan = new RefcountPlan(geometry)
  const l1Size = l1EntriesFor(geometry, size)
  const l1Cluster = l1Size === 0 ? 0 : plan.allocate(Math.ceil(l1Size / geometry.entriesPerCluster))
  // Who reads a raw data file alone needs no mapping; but what the mapping says must not change with every write.
  const isMapped = settings.preallocation !== 'off' || settings.dataFileRaw
  const mapping = isMapped ? mapClusters(plan, geometry, size, settings.preallocation) : undefined
  const header = makeHeader(settings, size, {
    l1Size,
    l1TableOffset: l1Cluster * geometry.clusterSize,
    refcountTableOffset: plan.tableCluster * geometry.clusterSize,
    refcountTableClusters: plan.tableClusters,
  })
  const clusters = plan.blocks.reduce((count, block) => count + Math.sign(block), mapping?.l2Clusters.length ?? 0)
  return {
    geometry,
    header,
    dataArea: mapping?.area,
    tableBytes: clusters * geometry.clusterSize + (plan.blocks.length + l1Size) * entryBytes,
    *tables() {
      yield* refcountPieces(plan, geometry)
      if (mapping !== undefined) yield* l2Pieces(mapping, geometry)
      if (l1Size > 0) yield { table: 'l1', offset: header.l1TableOffset, bytes: encodeL1(l1Size, mapping, geometry) }
    },
  }
}

/** Preallocated clusters: numbers of L2 tables, and runs of data clusters in guest order. */
interface Mapping {
  readonly l2Clusters: readonly number[]
  /** First host cluster of every run of `runClusters` guest clusters; the last run may be shorter. */
  readonly runs: Float64Array
  readonly runClusters: number
  readonly clusterCount: number
  /** Absent where the data has a file of its own. */
  readonly area: DataArea | undefined
}

function mapClusters(
  plan: RefcountPlan,
  geometry: Geometry,
  size: number,
  preallocation: Preallocation,
): Mapping | undefined {
  const clusterCount = Math.ceil(size / geometry.clusterSize)
  const runClusters = Math.min(sliceBytesMax, geometry.clusterSize) / geometry.l2EntrySize
  const runs = new Float64Array(Math.ceil(clusterCount / runClusters))
  const isReserved = preallocation !== 'metadata' && !geometry.externalData
  const reserved = isReserved ? reserveData(plan, geometry, clusterCount) : undefined
  if (clusterCount === 0) return undefined
  const l2Clusters: number[] = []
  for (let run = 0; run < runs.length; run++) {
    const first = run * runClusters
    if (first % geometry.l2Entries === 0) l2Clusters.push(plan.allocate(1))
    const count = Math.min(runClusters, clusterCount - first)
    if (geometry.externalData) runs[run] = first
    else runs[run] = reserved === undefined ? plan.allocate(count) : reserved + first
  }
  if (geometry.externalData) return { l2Clusters, runs, runClusters, clusterCount, area: undefined }
  const last = runs[runs.length - 1]! + (clusterCount - (runs.length - 1) * runClusters)
  // With metadata alone the file ends with the disk's last subcluster; else the space for whole clusters is made.
  const unused = clusterCount * geometry.clusterSize - roundUp(size, geometry.subclusterSize)
  const area = {
    start: runs[0]! * geometry.clusterSize,
    end: last * geometry.clusterSize - (preallocation === 'metadata' ? unused : 0),
    preallocation: preallocation === 'metadata' ? ('off' as const) : preallocation,
  }
  return { l2Clusters, runs, runClusters, clusterCount, area }
}

/** Makes room for all data in one piece, behind a refcount table that can count it; gives its first cluster. */
function reserveData(plan: RefcountPlan, geometry: Geometry, clusterCount: number): number {
  const l2Estimate = Math.ceil(clusterCount / geometry.l2Entries)
  const start = plan.growArea(plan.end, clusterCount + l2Estimate, true)
  plan.allocateAt(start, clusterCount)
  return start
}

function* refcountPieces(plan: RefcountPlan, geometry: Geometry): Generator<Piece> {
  const { clusterSize } = geometry
  const table = new Uint8Array(plan.blocks.length * entryBytes)
  for (let index = 0; index < plan.blocks.length; index++) {
    const cluster = plan.blocks[index]!
    if (cluster === 0) continue
    writeU64(viewOf(table), index * entryBytes, cluster * clusterSize)
    const bytes = new Uint8Array(clusterSize)
    plan.encodeBlock(index, bytes)
    yield { table: 'refcounts', offset: cluster * clusterSize, bytes }
  }
  yield { table: 'refcounts', offset: plan.tableCluster * clusterSize, bytes: table }
}

function* l2Pieces(mapping: Mapping, geometry: Geometry): Generator<Piece> {
  const { clusterSize, l2Entries } = geometry
  for (const [index, cluster] of mapping.l2Clusters.entries()) {
    const bytes = new Uint8Array(clusterSize)
    const view = viewOf(bytes)
    const first = index * l2Entries
    const count = Math.min(l2Entries, mapping.clusterCount - first)
    for (let entry = 0; entry < count; entry++) {
      const guest = first + entry
      const run = mapping.runs[Math.floor(guest / mapping.runClusters)]!
      const at = entry * geometry.l2EntrySize
      // Subclusters, where there are any, stay unallocated: the backing file shows until they are written.
      writeU64(view, at, (run + (guest % mapping.runClusters)) * clusterSize)
      view.setUint32(at, (view.getUint32(at) | copiedFlagHigh) >>> 0)
    }
    yield { table: 'l2', offset: cluster * clusterSize, bytes }
  }
}

function encodeL1(l1Size: number, mapping: Mapping | undefined, geometry: Geometry): Uint8Array {
  const bytes = new Uint8Array(l1Size * entryBytes)
  const view = viewOf(bytes)
  for (const [index, cluster] of (mapping?.l2Clusters ?? []).entries()) {
    writeU64(view, index * entryBytes, cluster * geometry.clusterSize)
    view.setUint32(index * entryBytes, (view.getUint32(index * entryBytes) | copiedFlagHigh) >>> 0)
  }
  return bytes
}

/** Where the header finds the tables. */
export type TablePlaces = Pick<Header, 'l1Size' | 'l1TableOffset' | 'refcountTableOffset' | 'refcountTableClusters'>

function incompatibleFeatures({ compressionType, externalData, extendedL2 }: CreateSettings): FeatureWord {
  let word = noFeatures
  if (compressionType !== 0) word = withFeature(word, incompatible.compressionType)
  if (externalData) word = withFeature(word, incompatible.externalDataFile)
  if (extendedL2) word = withFeature(word, incompatible.extendedL2)
  return word
}

/** The header of a new image, without extensions and backing file. */
export function makeHeader(settings: CreateSettings, size: number, places: TablePlaces): Header {
  return {
    version: settings.version,
    backingFileOffset: 0,
    backingFileSize: 0,
    clusterBits: settings.clusterBits,
    size: roundUp(size, 512),
    sizeRemainder: 0,
    cryptMethod: 0,
    ...places,
    nbSnapshots: 0,
    snapshotsOffset: 0,
    incompatibleFeatures: incompatibleFeatures(settings),
    compatibleFeatures: settings.lazyRefcounts ? { high: 0, low: compatible.lazyRefcounts } : noFeatures,
    autoclearFeatures: settings.dataFileRaw ? { high: 0, low: autoclear.rawExternalData } : noFeatures,
    refcountOrder: settings.refcountOrder,
    headerLength: 0,
    compressionType: settings.compressionType,
    unknownFields: new Uint8Array(0),
  }
}
