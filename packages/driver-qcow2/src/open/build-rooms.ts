/** The constructor chain: every room from the rooms on its left. This file is the picture of how an image is built. */

import type { Child } from '@blocklayer/block-core/driver'
import { deflate, inflate, zstdCompress, zstdDecompress } from '#codec'
import { BlockStatusReporter } from '../data/block-status.ts'
import { CompressedReader, type Decompress } from '../data/compressed.ts'
import { type Compress, CompressedWriter } from '../data/compressed-write.ts'
import { CopyOnWrite } from '../data/cow.ts'
import { HostRanges } from '../data/host-range.ts'
import { InFlightWrites } from '../data/in-flight.ts'
import { Reader } from '../data/read.ts'
import { Writer } from '../data/write.ts'
import { ZeroWriter } from '../data/write-zeroes.ts'
import type { SnapshotTable } from '../features/snapshot/table-store.ts'
import type { BitmapEntry } from '../format/bitmap-entry.ts'
import type { Geometry } from '../format/geometry.ts'
import { L1Table } from '../mapping/l1-table.ts'
import { L2Tables } from '../mapping/l2-table.ts'
import { Linker } from '../mapping/link.ts'
import { Lookup } from '../mapping/lookup.ts'
import { Unmapper } from '../mapping/unmap.ts'
import { Zeroizer } from '../mapping/zeroize.ts'
import { Corruption } from '../metadata/corruption.ts'
import type { DataFile } from '../metadata/data-file.ts'
import type { HeaderStore } from '../metadata/header-store.ts'
import type { ImageFile } from '../metadata/image-file.ts'
import { MetadataCaches } from '../metadata/metadata-caches.ts'
import { MetadataLock } from '../metadata/metadata-lock.ts'
import { OverlapCheck } from '../metadata/overlap-check.ts'
import { RegionMap } from '../metadata/region-map.ts'
import { TableCache } from '../metadata/table-cache.ts'
import { Allocator } from '../refcount/allocator.ts'
import { ByteAllocator } from '../refcount/byte-allocator.ts'
import { DiscardQueue } from '../refcount/discard-queue.ts'
import { FreeSearch } from '../refcount/free-search.ts'
import { RefcountGrowth } from '../refcount/grow.ts'
import { HostReads } from '../refcount/host-reads.ts'
import { Refblocks } from '../refcount/refblock.ts'
import { RefcountTable } from '../refcount/refcount-table.ts'
import { Refcounts } from '../refcount/refcounts.ts'
import type { RuntimeSettings } from './runtime-options.ts'

/** What changes while an image is open and belongs to no single room. */
export interface OpenState {
  readOnly: boolean
  useLazyRefcounts: boolean
  /** Guest clusters that are discarded keep their places. */
  keepsPlaces: boolean
  /** The header in memory names a snapshot's L1 table: it must never reach the disk. */
  showsSnapshot?: true
  /** Supplies what the image has not allocated. */
  backing: Child | undefined
  /** Persistent bitmaps, in the order of their directory. */
  bitmaps: readonly BitmapEntry[]
  /** Internal snapshots, in the order of their table; none where the image was opened for a check. */
  snapshots: SnapshotTable
}

/** What the rooms are built from. */
export interface RoomsOptions {
  readonly file: ImageFile
  readonly data: DataFile
  readonly header: HeaderStore
  readonly geometry: Geometry
  readonly settings: RuntimeSettings
  readonly state: OpenState
  /** The active L1 table as read from the disk. */
  readonly l1: Uint8Array
  report(line: string): void
}

/** All rooms of an open image. Each knows only those it was built from; only `open/` and the layer see all. */
export type Rooms = MetadataRooms & RefcountRooms & MappingRooms & DataRooms

interface MetadataRooms {
  readonly lock: MetadataLock
  readonly corruption: Corruption
  readonly regions: RegionMap
  readonly overlap: OverlapCheck
  readonly caches: MetadataCaches
}

function buildMetadata({ file, data, header, geometry, settings, state, report }: RoomsOptions): MetadataRooms {
  const lock = new MetadataLock()
  const corruption = new Corruption({ file, header, report, isWritable: () => !state.readOnly })
  const regions = new RegionMap()
  regions.register('main-header', (start) => start < geometry.clusterSize)
  const overlap = new OverlapCheck({ geometry, regions, corruption, enabled: settings.overlap })
  const l2Tables = new TableCache({
    file,
    data,
    name: 'L2 table',
    entryCount: settings.caches.l2Entries,
    entrySize: settings.caches.l2EntrySize,
    loadEvent: 'l2_load',
    storeEvent: 'l2_update',
    corruption,
    checkOverlap: (offset, bytes) => overlap.check(offset, bytes, 'active-l2'),
  })
  const refblocks = new TableCache({
    file,
    data,
    name: 'refcount block',
    entryCount: settings.caches.refblockEntries,
    entrySize: geometry.clusterSize,
    loadEvent: undefined,
    storeEvent: 'refblock_update_part',
    corruption,
    checkOverlap: (offset, bytes) => overlap.check(offset, bytes, 'refcount-block'),
  })
  return { lock, corruption, regions, overlap, caches: new MetadataCaches({ l2Tables, refblocks, file, header }) }
}

interface RefcountRooms {
  readonly refcountTable: RefcountTable
  readonly refblocks: Refblocks
  readonly reads: HostReads
  readonly freed: DiscardQueue
  /** Clusters of a data file. */
  readonly dataFreed: DiscardQueue
  readonly search: FreeSearch
  readonly refcounts: Refcounts
  readonly allocator: Allocator
  readonly byteAllocator: ByteAllocator
}

function buildRefcount(options: RoomsOptions, metadata: MetadataRooms): RefcountRooms {
  const { file, data, header, geometry, settings, report } = options
  const { regions, corruption, overlap, caches } = metadata
  const l2Cache = caches.l2Tables
  const refcountTable = new RefcountTable({ file, header, geometry, regions })
  const refblocks = new Refblocks({ cache: caches.refblocks, table: refcountTable, geometry, corruption })
  const reads = new HostReads()
  const { passthrough } = settings
  const freed = new DiscardQueue({ file, geometry, reads, passthrough })
  const dataFreed = new DiscardQueue({ file: data, geometry, reads, passthrough })
  l2Cache.onDurable(() => freed.release())
  const search = new FreeSearch(refblocks, freed)
  const growth = new RefcountGrowth({ file, header, refblocks, search, l2Cache, corruption, overlap })
  const refcounts = new Refcounts({ refblocks, growth, search, freed, l2Cache })
  const refblockCache = caches.refblocks
  const allocator = new Allocator({ file, geometry, search, refcounts, l2Cache, refblockCache, report })
  const byteAllocator = new ByteAllocator({ file, geometry, search, refcounts, corruption })
  return { refcountTable, refblocks, reads, freed, dataFreed, search, refcounts, allocator, byteAllocator }
}

interface MappingRooms {
  readonly l1: L1Table
  readonly l2Tables: L2Tables
  readonly lookup: Lookup
  readonly linker: Linker
  readonly unmapper: Unmapper
  readonly zeroizer: Zeroizer
}

function buildMapping(options: RoomsOptions, metadata: MetadataRooms, refcount: RefcountRooms): MappingRooms {
  const { file, data, header, geometry, state } = options
  const { regions, overlap, corruption, caches } = metadata
  const { allocator, dataFreed } = refcount
  const refblockCache = caches.refblocks
  const version = (): number => header.header.version
  const hasBacking = (): boolean => state.backing !== undefined
  const useLazyRefcounts = (): boolean => state.useLazyRefcounts
  const l1 = new L1Table({ file, header, geometry, regions, overlap, allocator, refblockCache, bytes: options.l1 })
  const l2Tables = new L2Tables({ file, geometry, l1, cache: caches.l2Tables, refblockCache, allocator, corruption })
  const lookup = new Lookup({ geometry, l2Tables, corruption, version })
  const freeing = { geometry, allocator, dataFreed, corruption }
  const linker = new Linker({ ...freeing, header, l2Tables, refblockCache, useLazyRefcounts })
  const giving = { ...freeing, l2Tables, hasBacking, version, keepsPlaces: (): boolean => state.keepsPlaces }
  const unmapper = new Unmapper(giving)
  const zeroizer = new Zeroizer({ ...giving, unmapper, data })
  return { l1, l2Tables, lookup, linker, unmapper, zeroizer }
}

interface DataRooms {
  readonly inFlight: InFlightWrites
  readonly reader: Reader
  readonly writer: Writer
  readonly compressedWriter: CompressedWriter
  readonly zeroWriter: ZeroWriter
  readonly status: BlockStatusReporter
}

function buildData(
  options: RoomsOptions,
  { lock, overlap, corruption, caches }: MetadataRooms,
  { allocator, byteAllocator, refblocks, reads, dataFreed }: RefcountRooms,
  { l2Tables, lookup, linker, unmapper, zeroizer }: MappingRooms,
): DataRooms {
  const { file, data, header, geometry, state } = options
  const backing = (): Child | undefined => state.backing
  const inFlight = new InFlightWrites()
  // Asked for each time: an amendment changes the type of an image in which nothing is compressed.
  const isZstd = (): boolean => header.header.compressionType === 1
  const decompress: Decompress = (input, into) => (isZstd() ? zstdDecompress(input, into) : inflate(input, into))
  const compress: Compress = (input) => (isZstd() ? zstdCompress(input) : deflate(input))
  const compressed = new CompressedReader({ file, geometry, decompress })
  const reader = new Reader({ file, data, lock, lookup, reads, compressed, backing })
  const cow = new CopyOnWrite({ file, data, reader, overlap, backing })
  const hostRanges = new HostRanges({ geometry, lock, l2Tables, allocator, inFlight, overlap, corruption })
  const writer = new Writer({ file, data, lock, hostRanges, cow, linker, l2Cache: caches.l2Tables })
  const length = (): number => header.header.size
  const compressing = { lookup, l2Tables, linker, overlap, allocator, byteAllocator, writer, compress, length }
  const compressedWriter = new CompressedWriter({ file, geometry, lock, inFlight, ...compressing })
  const zeroWriter = new ZeroWriter({
    geometry,
    lock,
    lookup,
    zeroizer,
    unmapper,
    data,
    dataFreed,
    inFlight,
    backing,
    length,
    version: () => header.header.version,
  })
  const status = new BlockStatusReporter({ file, data, geometry, lock, lookup, refblocks })
  return { inFlight, reader, writer, compressedWriter, zeroWriter, status }
}

/** Builds all rooms, from left to right. */
export function buildRooms(options: RoomsOptions): Rooms {
  const metadata = buildMetadata(options)
  const refcount = buildRefcount(options, metadata)
  const mapping = buildMapping(options, metadata, refcount)
  const data = buildData(options, metadata, refcount, mapping)
  return { ...metadata, ...refcount, ...mapping, ...data }
}
