/** All rooms of an image over one child, built in their order, for tests of what uses them. */

import type { Child } from '@blocklayer/block-core/driver'
import { viewOf } from '../../src/format/bytes.ts'
import type { Geometry } from '../../src/format/geometry.ts'
import { decodeHeader, withUnknownFields } from '../../src/format/header.ts'
import { decodeBackingFile, decodeExtensions, readFeatureNames } from '../../src/format/header-extension.ts'
import { validateHeader } from '../../src/format/header-validate.ts'
import { L1Table } from '../../src/mapping/l1-table.ts'
import { L2Tables } from '../../src/mapping/l2-table.ts'
import { Unmapper } from '../../src/mapping/unmap.ts'
import { Corruption } from '../../src/metadata/corruption.ts'
import { HeaderStore } from '../../src/metadata/header-store.ts'
import { ImageFile } from '../../src/metadata/image-file.ts'
import { MetadataCaches } from '../../src/metadata/metadata-caches.ts'
import { OverlapCheck, overlapTemplates } from '../../src/metadata/overlap-check.ts'
import { RegionMap } from '../../src/metadata/region-map.ts'
import { TableCache } from '../../src/metadata/table-cache.ts'
import { Allocator } from '../../src/refcount/allocator.ts'
import { DiscardQueue } from '../../src/refcount/discard-queue.ts'
import { FreeSearch } from '../../src/refcount/free-search.ts'
import { RefcountGrowth } from '../../src/refcount/grow.ts'
import { Refblocks } from '../../src/refcount/refblock.ts'
import { RefcountTable } from '../../src/refcount/refcount-table.ts'
import { Refcounts } from '../../src/refcount/refcounts.ts'

/** How the rooms are built. */
export interface RoomOptions {
  readonly readOnly?: boolean
  /** Tolerate what a repair could mend. */
  readonly check?: boolean
  readonly hasBacking?: boolean
  /** Slots of either cache. */
  readonly cacheEntries?: number
}

/** Every room, and the lines that they reported. */
export interface Rooms {
  readonly file: ImageFile
  readonly geometry: Geometry
  readonly header: HeaderStore
  readonly caches: MetadataCaches
  readonly overlap: OverlapCheck
  readonly corruption: Corruption
  readonly refblocks: Refblocks
  readonly refcounts: Refcounts
  readonly search: FreeSearch
  readonly freed: DiscardQueue
  readonly allocator: Allocator
  readonly l1: L1Table
  readonly l2Tables: L2Tables
  readonly unmapper: Unmapper
  readonly lines: string[]
  report(line: string): void
  reportError(message: string): void
}

/** Opens the image in `child`. */
export async function openRooms(child: Child, options: RoomOptions = {}): Promise<Rooms> {
  const lines: string[] = []
  const report = (line: string): void => void lines.push(line)
  const readOnly = options.readOnly ?? false
  const file = new ImageFile(child, () => undefined)
  const { header, geometry } = await readHeader(file, readOnly, options.check ?? false)
  const corruption = new Corruption({ file, header, isWritable: () => !readOnly, report })
  const regions = new RegionMap()
  regions.register('main-header', (start) => start < geometry.clusterSize)
  const overlap = new OverlapCheck({ geometry, regions, corruption, enabled: overlapTemplates.cached })
  const cacheOptions = { file, entryCount: options.cacheEntries ?? 16, entrySize: geometry.clusterSize, corruption }
  const l2Cache = new TableCache({
    ...cacheOptions,
    name: 'L2 table',
    loadEvent: 'l2_load',
    storeEvent: 'l2_update',
    checkOverlap: (offset, bytes) => overlap.check(offset, bytes, 'active-l2'),
  })
  const refblockCache = new TableCache({
    ...cacheOptions,
    name: 'refcount block',
    loadEvent: undefined,
    storeEvent: 'refblock_update_part',
    checkOverlap: (offset, bytes) => overlap.check(offset, bytes, 'refcount-block'),
  })
  const caches = new MetadataCaches({ l2Tables: l2Cache, refblocks: refblockCache, file, header })
  const table = new RefcountTable({ file, header, geometry, regions })
  await table.load()
  const refblocks = new Refblocks({ cache: refblockCache, table, geometry, corruption })
  const passthrough = { never: false, always: true, request: false, snapshot: true, other: false }
  const freed = new DiscardQueue({ file, geometry, passthrough })
  l2Cache.onDurable(() => freed.release())
  const search = new FreeSearch(refblocks, freed)
  const growth = new RefcountGrowth({ file, header, refblocks, search, l2Cache, corruption, overlap })
  const refcounts = new Refcounts({ refblocks, growth, search, freed, l2Cache })
  const allocator = new Allocator({ file, geometry, search, refcounts, l2Cache, refblockCache, report })
  const bytes = new Uint8Array(header.header.l1Size * 8)
  await file.read(header.header.l1TableOffset, bytes)
  const l1 = new L1Table({ file, header, geometry, regions, overlap, allocator, refblockCache, bytes })
  const l2Tables = new L2Tables({ file, geometry, l1, cache: l2Cache, refblockCache, allocator, corruption })
  const unmapper = new Unmapper({
    geometry,
    allocator,
    corruption,
    l2Tables,
    hasBacking: () => options.hasBacking ?? true,
    version: () => header.header.version,
  })
  const reportError = (message: string): void => report(`qemu-img: ${message}`)
  const rooms = { file, geometry, header, caches, overlap, corruption, refblocks, refcounts, search, freed }
  return { ...rooms, allocator, l1, l2Tables, unmapper, lines, report, reportError }
}

async function readHeader(file: Child, readOnly: boolean, check: boolean) {
  const head = new Uint8Array(112)
  await file.read(0, head)
  const bare = decodeHeader(head)
  const cluster = new Uint8Array(2 ** bare.clusterBits)
  await file.read(0, cluster)
  const decoded = withUnknownFields(bare, cluster)
  const geometry = validateHeader(decoded, { readOnly, check, featureNames: readFeatureNames(decoded, cluster) })
  const extensions = { ...decodeExtensions(decoded, cluster), backingFile: decodeBackingFile(decoded, cluster) }
  return { header: new HeaderStore(file, decoded, extensions), geometry }
}

/** The big-endian 64-bit value at `offset` of a file's content. */
export function u64At(content: Uint8Array, offset: number): bigint {
  return viewOf(content).getBigUint64(offset)
}
