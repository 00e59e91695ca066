/** How large a new image would be. Nothing is laid out: the sizes of all tables follow from counts. */

import { BlockError, type Measurement, type MeasureSource } from '@blocklayer/block-core/driver'
import { bitmapEntryBytes } from '../../format/bitmap-entry.ts'
import { encodeText, roundUp } from '../../format/bytes.ts'
import { entryBytes, limits } from '../../format/constants.ts'
import { clustersFor, type Geometry, l1EntriesFor, makeGeometry } from '../../format/geometry.ts'
import { refcountMetadataFor } from '../../refcount/area-plan.ts'
import { judgeCreateOptions, type Qcow2CreateOptions } from './options.ts'

/**
 * Sizes of an image that holds `source`.
 *
 * @throws BlockError as creation does for its options; `The image size is too large (try using a larger cluster size)`
 * @see QEMU 7.2 block/qcow2.c: qcow2_measure; spec/qcow2.md, section 2.4
 */
export async function measureQcow2(options: Qcow2CreateOptions, source: MeasureSource): Promise<Measurement> {
  const settings = judgeCreateOptions(options, { backing: undefined })
  const geometry = makeGeometry(settings)
  const { clusterSize } = geometry
  const size = BigInt(clusterSize) * ((source.size + BigInt(clusterSize) - 1n) / BigInt(clusterSize))
  if (size > 2n ** 62n || l1EntriesFor(geometry, Number(size)) > limits.l1Entries) {
    throw new BlockError('EINVAL', 'The image size is too large (try using a larger cluster size)')
  }
  const metadata = metadataBytes(geometry, Number(size))
  const isFull = settings.preallocation === 'falloc' || settings.preallocation === 'full'
  const data = isFull ? size : BigInt(await dataClusters(geometry, source)) * BigInt(clusterSize)
  const bitmaps = settings.version < 3 ? undefined : bitmapBytes(geometry, source)
  return {
    required: metadata + data,
    fullyAllocated: metadata + size,
    ...(bitmaps !== undefined && { bitmaps }),
  }
}

/** Header, L1 and L2 tables, and the refcounts of all of it with the data. */
function metadataBytes(geometry: Geometry, size: number): bigint {
  const { clusterSize, l2Entries, l2EntrySize, entriesPerCluster } = geometry
  const l2Tables = roundUp(size / clusterSize, l2Entries) / l2Entries
  const tables = l2Tables * l2Entries * l2EntrySize + roundUp(l2Tables, entriesPerCluster) * entryBytes
  const clusters = 1 + tables / clusterSize
  const { blocks, tableClusters } = refcountMetadataFor(geometry, clusters + size / clusterSize, false)
  return BigInt(clusters + blocks + tableClusters) * BigInt(clusterSize)
}

/** Clusters that hold data; each counts once, however many ranges touch it. */
async function dataClusters({ clusterSize }: Geometry, source: MeasureSource): Promise<number> {
  let count = 0
  let next = 0
  for await (const { start, bytes } of source.dataRanges()) {
    const first = Math.max(next, Math.floor(start / clusterSize))
    next = Math.max(next, Math.ceil((start + bytes) / clusterSize))
    count += Math.max(0, next - first)
  }
  return count
}

/** Each bitmap's bits and table, and the directory of all. */
function bitmapBytes(geometry: Geometry, { bitmaps, size }: MeasureSource): bigint | undefined {
  if (bitmaps === undefined) return undefined
  let clusters = 0
  let directory = 0
  for (const { name, granularity } of bitmaps) {
    const bits = Math.ceil(Number(size) / granularity)
    const data = clustersFor(geometry, Math.ceil(bits / 8))
    clusters += data + clustersFor(geometry, data * entryBytes)
    directory += bitmapEntryBytes(encodeText(name))
  }
  return BigInt(clusters + clustersFor(geometry, directory)) * BigInt(geometry.clusterSize)
}
