/**
 * Writes a qcow2 image as a stream, from its first byte to its last.
 *
 * The first cluster tells where the tables are, so they must have a known place before any data goes out. Where the
 * data is known beforehand (`scan`, or a source that can be read twice) the tables come first, and the image can be
 * read as a stream again. Otherwise the data comes first, and the tables behind the most that it can take; what it
 * then does not take is zeroes.
 */

import { assert, BlockError, type ByteSink, type DiskStream, writeZeroRun } from '@blocklayer/block-core/driver'
import { deflate, zstdCompress } from '#codec'
import { releaseMemory } from '../../data/compression/release-memory.ts'
import { type Geometry, makeGeometry } from '../../format/geometry.ts'
import { encodeFirstCluster, noExtensions } from '../../format/header-extension.ts'
import { makeHeader } from '../create/layout.ts'
import { type CreateSettings, judgeCreateOptions, type Qcow2CreateOptions } from '../create/options.ts'
import { encodeTables } from './encode-tables.ts'
import { HeldOutput } from './held-output.ts'
import { Placer, StoredClusters } from './stored-clusters.ts'
import { planTables, type TablePlan } from './table-plan.ts'
import { type WholeCluster, wholeClusters } from './whole-clusters.ts'

/** How an image is streamed. */
export interface Qcow2StreamOptions {
  /** As for a new image. What needs more than the stream (a backing file, a data file, preallocation) is refused. */
  readonly create?: Qcow2CreateOptions
  /** Clusters are compressed where that makes them smaller. */
  readonly compress?: boolean
  /** Most bytes that are held back while the end of a short image may still come. Default 4 MiB. */
  readonly heldMax?: number
}

/** What came out. */
export interface Qcow2StreamResult {
  /** Virtual size in bytes. */
  readonly length: number
  /** The tables come before all data. */
  readonly tablesFirst: boolean
  /** Bytes of the stream. */
  readonly streamBytes: number
}

const heldDefault = 4 * 2 ** 20

/**
 * Streams `source` as a qcow2 image. Memory: a bit per guest cluster, two bytes more per compressed one, and `heldMax`.
 *
 * @throws BlockError `ENOTSUP` or `EINVAL` for options that a stream cannot have, `ENOMEM` where a source of unknown
 *   length has too much data, `EFBIG` for a disk that needs larger clusters, `EIO` where the source has changed between
 *   two readings; else what source and sink throw
 */
export async function writeQcow2Stream(
  source: DiskStream,
  sink: ByteSink,
  options: Qcow2StreamOptions = {},
): Promise<Qcow2StreamResult> {
  const { create = {}, compress = false, heldMax = heldDefault } = options
  const settings = judgeStreamOptions(create)
  const image: Image = { settings, geometry: makeGeometry(settings), source, sink, compress, heldMax }
  if (sink.patch !== undefined) return await writeDataFirst(image, undefined)
  if (source.isRepeatable) return await writeTablesFirst(image, await readAll(image), false)
  const known = await scanned(image)
  if (known !== undefined && !compress) return await writeTablesFirst(image, known, true)
  return await writeDataFirst(image, known?.count ?? (await clusterMax(image)))
}

/** Most clusters that can be stored, where the source knows. */
async function clusterMax({ geometry, source }: Image): Promise<number | undefined> {
  const bytes = await source.dataBytesMax?.()
  if (bytes === undefined || source.length === undefined) return undefined
  // Clusters of the source may be smaller than ours: in the worst case each of ours has but one of them. What is known
  // of it is only their number, and a disk has no more clusters than its length gives.
  const most = Math.ceil(source.length / geometry.clusterSize)
  return Math.min(most, Math.ceil(bytes / Math.min(geometry.clusterSize, source.grainBytes ?? 512)))
}

interface Image {
  readonly settings: CreateSettings
  readonly geometry: Geometry
  readonly source: DiskStream
  readonly sink: ByteSink
  readonly compress: boolean
  readonly heldMax: number
}

function judgeStreamOptions(create: Qcow2CreateOptions): CreateSettings {
  const refused = [
    ['backing_file', create.backingFile !== undefined],
    ['data_file', create.dataFile !== undefined],
    ['preallocation', (create.preallocation ?? 'off') !== 'off'],
  ] as const
  const settings = judgeCreateOptions(create, { backing: undefined })
  for (const [name, isGiven] of refused) {
    if (isGiven) throw new BlockError('ENOTSUP', `A qcow2 stream cannot have the option '${name}'`)
  }
  return settings
}

/** What the source's own map says is stored; `undefined` where it cannot be had. */
async function scanned({ geometry, source }: Image): Promise<StoredClusters | undefined> {
  if (source.scan === undefined || source.length === undefined) return undefined
  const stored = new StoredClusters(geometry, false)
  let next = 0
  const isKnown = await source.scan((offset, bytes) => {
    const end = Math.ceil((offset + bytes) / geometry.clusterSize)
    for (next = Math.max(next, Math.floor(offset / geometry.clusterSize)); next < end; next++) stored.add(next)
  })
  return isKnown ? stored : undefined
}

/** Reads the source a first time, to learn what is stored and how long each cluster becomes. */
async function readAll(image: Image): Promise<StoredClusters> {
  const stored = new StoredClusters(image.geometry, image.compress)
  for await (const { cluster, data } of clustersOf(image, false)) {
    const result = await packed(image, data)
    stored.add(cluster, result.size)
    letGo(result, data)
  }
  return stored
}

function clustersOf(
  { geometry, source }: Image,
  keepZeroes: boolean,
  measured = { length: 0 },
): AsyncGenerator<WholeCluster> {
  return wholeClusters(source.pieces(), { clusterSize: geometry.clusterSize, keepZeroes, measured })
}

/** A cluster as it is stored. */
interface PackedCluster {
  readonly bytes: Uint8Array
  /** 0 where it is stored as it is. */
  readonly size: number
}

async function packed({ compress, settings, geometry }: Image, data: Uint8Array): Promise<PackedCluster> {
  if (!compress) return { bytes: data, size: 0 }
  const bytes = await (settings.compressionType === 1 ? zstdCompress : deflate)(data)
  if (bytes.length < geometry.clusterSize) return { bytes, size: bytes.length }
  releaseMemory(bytes)
  return { bytes: data, size: 0 }
}

/** What a compressor made would wait for the garbage collector, and a disk makes much of it. */
function letGo({ bytes }: PackedCluster, data: Uint8Array): void {
  if (bytes !== data) releaseMemory(bytes)
}

/** @param isScanned - `stored` is what the map says, zeroes included */
async function writeTablesFirst(image: Image, stored: StoredClusters, isScanned: boolean): Promise<Qcow2StreamResult> {
  const { geometry, source, sink } = image
  const length = source.length ?? (await lengthOf(source))
  const plan = planTables(geometry, {
    length,
    l2Tables: stored.tableCount,
    dataClusters: hostClusters(geometry, stored),
    tablesStart: 1,
  })
  await sink.write(firstCluster(image, plan))
  for (const table of encodeTables({ geometry, plan, stored })) await sink.write(table)
  const place = stored.placedFrom(plan.dataStart * geometry.clusterSize)
  let end = plan.dataStart * geometry.clusterSize
  for await (const { cluster, data } of clustersOf(image, isScanned)) {
    const result = await packed(image, data)
    if (!place.next() || place.cluster !== cluster || place.compressedBytes !== result.size) throw changed()
    await writeZeroRun(sink, place.host - end)
    await sink.write(result.bytes)
    letGo(result, data)
    end = place.end
  }
  if (place.next()) throw changed()
  const streamBytes = plan.dataEnd * geometry.clusterSize
  await writeZeroRun(sink, streamBytes - end)
  return { length, tablesFirst: true, streamBytes }
}

function tooMuch(): BlockError {
  return new BlockError('EIO', 'The source has more data than its tables said')
}

function changed(): BlockError {
  return new BlockError('EIO', 'The source has changed while it was read')
}

async function lengthOf(source: DiskStream): Promise<number> {
  let length = 0
  for await (const { offset, bytes } of source.pieces()) length = offset + bytes
  return length
}

function hostClusters(geometry: Geometry, stored: StoredClusters): number {
  const place = stored.placedFrom(0)
  while (place.next());
  return Math.ceil(place.end / geometry.clusterSize)
}

/** @param clusterMax - most clusters that can be stored, where the map told */
async function writeDataFirst(image: Image, clusterMax: number | undefined): Promise<Qcow2StreamResult> {
  const { geometry, source, sink, compress, heldMax } = image
  const { clusterSize } = geometry
  const worst = source.length === undefined ? undefined : worstPlan(geometry, source.length, clusterMax)
  const worstCase = worst === undefined ? undefined : () => firstCluster(image, worst)
  const output = new HeldOutput({ sink, clusterSize, heldMax, worstCase })
  await output.begin()
  const stored = new StoredClusters(geometry, compress)
  const placer = new Placer(geometry, clusterSize)
  const measured = { length: 0 }
  for await (const { cluster, data } of clustersOf(image, false, measured)) {
    if (worst !== undefined && stored.count >= worst.dataEnd - 1) throw tooMuch()
    const result = await packed(image, data)
    stored.add(cluster, result.size)
    const gap = placer.place(result.size) - output.position
    if (gap > 0) await output.write(new Uint8Array(gap))
    await output.write(result.bytes)
    letGo(result, data)
  }
  const tail = Math.ceil(placer.end / clusterSize) * clusterSize - output.position
  if (tail > 0) await output.write(new Uint8Array(tail))
  return await writeTablesBehind(image, { output, stored, worst, length: source.length ?? sectors(measured.length) })
}

/** Virtual sizes are whole sectors. */
function sectors(length: number): number {
  return Math.ceil(length / 512) * 512
}

interface Behind {
  readonly output: HeldOutput
  readonly stored: StoredClusters
  readonly worst: TablePlan | undefined
  readonly length: number
}

async function writeTablesBehind(image: Image, { output, stored, worst, length }: Behind): Promise<Qcow2StreamResult> {
  const { geometry, sink } = image
  const { clusterSize } = geometry
  const dataEnd = output.position / clusterSize
  const needs = { length, l2Tables: stored.tableCount, dataClusters: dataEnd - 1, dataStart: 1 }
  const exact = planTables(geometry, { ...needs, tablesStart: dataEnd })
  const isExact = await output.end(() => firstCluster(image, exact))
  const plan = isExact || worst === undefined ? exact : planTables(geometry, { ...needs, ...placesOf(worst) })
  assert(isExact || (worst !== undefined && plan.l1Start === worst.l1Start), 'the tables are where the header says')
  await writeZeroRun(sink, plan.refcountTableStart * clusterSize - output.position)
  for (const table of encodeTables({ geometry, plan, stored })) await sink.write(table)
  if (sink.patch !== undefined) {
    // Until here the first cluster is zeroes, and the file no image. A crash must not leave a header without its tables.
    await sink.flush?.()
    await sink.patch(0, firstCluster(image, plan))
  }
  return { length, tablesFirst: false, streamBytes: plan.tablesEnd * clusterSize }
}

function placesOf(worst: TablePlan): { readonly tablesStart: number; readonly refcountTableClustersMin: number } {
  return { tablesStart: worst.refcountTableStart, refcountTableClustersMin: worst.refcountTableClusters }
}

/** The plan for a disk all of whose clusters, or as many as there may be, are stored: compression never makes it more. */
function worstPlan(geometry: Geometry, length: number, clusterMax: number | undefined): TablePlan {
  const dataClusters = clusterMax ?? Math.ceil(length / geometry.clusterSize)
  const l2Tables = Math.min(dataClusters, Math.ceil(length / geometry.l2Coverage))
  return planTables(geometry, { length, l2Tables, dataClusters, dataStart: 1, tablesStart: dataClusters + 1 })
}

function firstCluster({ settings, geometry }: Image, plan: TablePlan): Uint8Array {
  const { clusterSize } = geometry
  const header = makeHeader(settings, plan.length, {
    l1Size: plan.l1Size,
    l1TableOffset: plan.l1Size === 0 ? 0 : plan.l1Start * clusterSize,
    refcountTableOffset: plan.refcountTableStart * clusterSize,
    refcountTableClusters: plan.refcountTableClusters,
  })
  return encodeFirstCluster(header, noExtensions)
}
