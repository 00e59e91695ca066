/** From the runtime options to the settings of one image: cache shapes, checks and policies. */

import { BlockError, type OpenFlags } from '@blocklayer/block-core/driver'
import { roundUp } from '../format/bytes.ts'
import { compatible, hasFeature } from '../format/features.ts'
import type { Geometry } from '../format/geometry.ts'
import type { Header } from '../format/header.ts'
import { type OverlapTemplate, overlapTemplates } from '../metadata/overlap-check.ts'
import { type RegionName, regionNames } from '../metadata/region-map.ts'
import type { DiscardPassthrough } from '../refcount/discard-queue.ts'
import type { Qcow2Options } from './options.ts'

/** Shape of the metadata caches. */
export interface CacheShape {
  readonly l2Entries: number
  /** Bytes. */
  readonly l2EntrySize: number
  readonly refblockEntries: number
}

/** What the options come to for one image. */
export interface RuntimeSettings {
  readonly caches: CacheShape
  readonly useLazyRefcounts: boolean
  /** Guest clusters that are discarded, or zeroed with leave to unmap, keep their places. */
  readonly keepsPlaces: boolean
  readonly overlap: readonly RegionName[]
  readonly passthrough: DiscardPassthrough
  /** Seconds after which unused cache entries are forgotten; 0 for never. */
  readonly cacheCleanInterval: number
}

/** What the defaults depend on. */
export interface RuntimeContext {
  readonly header: Header
  readonly geometry: Geometry
  readonly flags: Pick<OpenFlags, 'unmap'>
}

/** Cache size that the reference does not exceed by itself. */
const l2CacheMax = 32 * 1024 * 1024

/** Seconds. */
const cacheCleanIntervalDefault = 600

/** Fewest slots of the L2 cache: a copied table's source and copy are in it together. */
export const l2EntriesMin = 2
const refblockEntriesMin = 4

/**
 * Judges the runtime options.
 *
 * @throws BlockError `EINVAL` with the reference's message
 * @see QEMU 7.2 block/qcow2.c: qcow2_update_options_prepare
 */
export function judgeRuntimeOptions(options: Qcow2Options, context: RuntimeContext): RuntimeSettings {
  const { header, flags } = context
  const caches = cacheShape(options, context)
  if (options.cacheCleanInterval !== undefined && !isBelow(options.cacheCleanInterval, 2 ** 32)) {
    throw new BlockError('EINVAL', 'Cache clean interval too big')
  }
  const useLazyRefcounts = options.lazyRefcounts ?? hasFeature(header.compatibleFeatures, compatible.lazyRefcounts)
  if (useLazyRefcounts && header.version < 3) {
    const needed = 'a qcow2 image with at least qemu 1.1 compatibility level'
    throw new BlockError('EINVAL', `Lazy refcounts require ${needed}`)
  }
  const keepsPlaces = options.discardNoUnref ?? false
  if (keepsPlaces && header.version < 3) {
    throw new BlockError('EINVAL', 'discard-no-unref is only supported since qcow2 version 3')
  }
  const overlap = overlapRegions(options)
  if (options.encryptFormat !== undefined) {
    const format = `options specified format '${options.encryptFormat}'`
    throw new BlockError('EINVAL', `No encryption in image header, but ${format}`)
  }
  return {
    caches,
    useLazyRefcounts,
    keepsPlaces,
    overlap,
    cacheCleanInterval: Number(options.cacheCleanInterval ?? cacheCleanIntervalDefault),
    passthrough: {
      never: false,
      always: true,
      request: options.passDiscardRequest ?? flags.unmap,
      snapshot: options.passDiscardSnapshot ?? true,
      other: options.passDiscardOther ?? false,
    },
  }
}

function isBelow(value: number | bigint, limit: number): boolean {
  return value >= 0 && value < limit
}

/**
 * How many entries the caches get.
 *
 * @see QEMU 7.2 block/qcow2.c: read_cache_sizes
 */
export function cacheShape(options: Qcow2Options, { header, geometry }: Omit<RuntimeContext, 'flags'>): CacheShape {
  const { clusterSize } = geometry
  const tables = Math.ceil(header.size / clusterSize) * geometry.l2EntrySize
  const l2Whole = Math.max(roundUp(tables, clusterSize), clusterSize)
  const { l2Bytes, refblockBytes } = cacheBytes(options, l2Whole, refblockEntriesMin * clusterSize)
  const entrySize =
    options.l2CacheEntrySize === undefined
      ? // Small entries where the cache cannot hold all tables anyway: more places of the disk fit into it.
        l2Bytes < l2Whole
        ? Math.min(clusterSize, 4096)
        : clusterSize
      : Number(options.l2CacheEntrySize)
  if (entrySize < 512 || entrySize > clusterSize || !Number.isInteger(Math.log2(entrySize))) {
    const range = `between 512 and the cluster size (${clusterSize})`
    throw new BlockError('EINVAL', `L2 cache entry size must be a power of two ${range}`)
  }
  const l2Entries = Math.max(l2EntriesMin, Math.floor(l2Bytes / entrySize))
  if (l2Entries > 2 ** 31 - 1) throw new BlockError('EINVAL', 'L2 cache size too big')
  const refblockEntries = Math.max(refblockEntriesMin, Math.floor(refblockBytes / clusterSize))
  if (refblockEntries > 2 ** 31 - 1) throw new BlockError('EINVAL', 'Refcount cache size too big')
  return { l2Entries, l2EntrySize: entrySize, refblockEntries }
}

/**
 * @param l2Whole - bytes of all L2 tables of the disk
 * @param refblockMin - smallest refcount block cache in bytes
 */
function cacheBytes(
  options: Qcow2Options,
  l2Whole: number,
  refblockMin: number,
): { readonly l2Bytes: number; readonly refblockBytes: number } {
  const total = optionalNumber(options.cacheSize)
  const l2 = optionalNumber(options.l2CacheSize)
  const refblocks = optionalNumber(options.refcountCacheSize)
  if (total === undefined) {
    return { l2Bytes: Math.min(l2Whole, l2 ?? l2CacheMax), refblockBytes: refblocks ?? 0 }
  }
  if (l2 !== undefined && refblocks !== undefined) {
    const names = 'cache-size, l2-cache-size and refcount-cache-size'
    throw new BlockError('EINVAL', `${names} may not be set at the same time`)
  }
  if (l2 !== undefined) {
    if (l2 > total) throw new BlockError('EINVAL', 'l2-cache-size may not exceed cache-size')
    return { l2Bytes: Math.min(l2Whole, l2), refblockBytes: total - Math.min(l2Whole, l2) }
  }
  if (refblocks !== undefined) {
    if (refblocks > total) throw new BlockError('EINVAL', 'refcount-cache-size may not exceed cache-size')
    return { l2Bytes: total - refblocks, refblockBytes: refblocks }
  }
  if (total >= l2Whole + refblockMin) return { l2Bytes: l2Whole, refblockBytes: total - l2Whole }
  const refblockBytes = Math.min(total, refblockMin)
  return { l2Bytes: total - refblockBytes, refblockBytes }
}

function optionalNumber(value: number | bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value)
}

function overlapRegions(options: Qcow2Options): readonly RegionName[] {
  const { overlapCheck, overlapCheckTemplate } = options
  if (overlapCheck !== undefined && overlapCheckTemplate !== undefined && overlapCheck !== overlapCheckTemplate) {
    const values = `'overlap-check' ('${overlapCheck}') and 'overlap-check.template' ('${overlapCheckTemplate}')`
    throw new BlockError('EINVAL', `Conflicting values for qcow2 options ${values}`)
  }
  const template = overlapCheck ?? overlapCheckTemplate ?? 'cached'
  if (!Object.hasOwn(overlapTemplates, template)) {
    const allowed = 'Allowed are any of the following: none, constant, cached, all'
    throw new BlockError('EINVAL', `Unsupported value '${template}' for qcow2 option 'overlap-check'. ${allowed}`)
  }
  const base = overlapTemplates[template as OverlapTemplate]
  const single: Readonly<Record<RegionName, boolean | undefined>> = {
    'main-header': options.overlapMainHeader,
    'active-l1': options.overlapActiveL1,
    'refcount-table': options.overlapRefcountTable,
    'snapshot-table': options.overlapSnapshotTable,
    'inactive-l1': options.overlapInactiveL1,
    'active-l2': options.overlapActiveL2,
    'refcount-block': options.overlapRefcountBlock,
    'inactive-l2': options.overlapInactiveL2,
    'bitmap-directory': options.overlapBitmapDirectory,
  }
  return regionNames.filter((name) => single[name] ?? base.includes(name))
}
