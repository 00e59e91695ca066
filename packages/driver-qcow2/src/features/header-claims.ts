/** What a header claims, before any of it is believed: nothing but the first cluster is looked at. */

import { BlockError, type ClaimedName, type ClaimedTable, type HeaderClaims } from '@blocklayer/block-core/driver'
import { decodeBitmapEntry } from '../format/bitmap-entry.ts'
import { decodeText, viewOf } from '../format/bytes.ts'
import { cryptMethod, entryBytes, headerBytesKnown } from '../format/constants.ts'
import { describeUnknownFeatures, hasFeature, incompatible } from '../format/features.ts'
import { decodeHeader, type Header } from '../format/header.ts'
import {
  type BitmapsExtension,
  decodeBackingFile,
  decodeExtensions,
  type HeaderExtensions,
  noExtensions,
  readFeatureNames,
} from '../format/header-extension.ts'
import { encryptionName, validateHeader } from '../format/header-validate.ts'

/** Shortest entry of the snapshot table: what the reference counts with, too. */
const snapshotEntryMin = 40

/**
 * The claims of an image. All that is wrong is told, not only what is met first.
 *
 * @param head - the first cluster, or what there is of it
 * @param directory - the directory of bitmaps: without it, what they take is not known
 * @throws BlockError where there is no header of this format
 */
export function headerClaims(head: Uint8Array, _fileBytes?: number, directory?: Uint8Array): HeaderClaims {
  const start = new Uint8Array(headerBytesKnown)
  start.set(head.subarray(0, headerBytesKnown))
  const header = decodeHeader(start)
  const cluster = new Uint8Array(2 ** header.clusterBits)
  cluster.set(head.subarray(0, cluster.length))
  const problems: string[] = []
  const judge = <Result>(test: () => Result): Result | undefined => {
    try {
      return test()
    } catch (error) {
      if (!(error instanceof BlockError)) throw error
      problems.push(error.message)
      return undefined
    }
  }
  const extensions = judge(() => decodeExtensions(header, cluster)) ?? noExtensions
  const backing = judge(() => decodeBackingFile(header, cluster))
  const featureNames = readFeatureNames(header, cluster)
  const unknownFeatures = describeUnknownFeatures(header.incompatibleFeatures, featureNames)
  // Unknown features have a list of their own.
  const known = { ...header, incompatibleFeatures: { high: 0, low: header.incompatibleFeatures.low & 0b11111 } }
  judge(() => validateHeader(known, { readOnly: true, check: false, featureNames }))
  if (header.cryptMethod > cryptMethod.luks) problems.push(`Unsupported encryption method ${header.cryptMethod}`)
  const view = viewOf(start)
  return {
    virtualSize: view.getBigUint64(24),
    names: claimedNames(header, extensions, backing),
    tables: claimedTables(header, extensions, view),
    snapshots: header.nbSnapshots,
    encryption: encryptionName(header),
    unknownFeatures,
    problems,
    memory: cacheBytes(cluster.length) + bitmapBytes(view.getBigUint64(24), directory),
    ...(extensions.bitmaps !== undefined && directory === undefined && { fetch: directoryPlace(extensions.bitmaps) }),
  }
}

/** What the caches of tables take by default, at most. */
function cacheBytes(clusterSize: number): bigint {
  return BigInt(l2CacheBytesMax + refcountCacheClusters * clusterSize)
}

const l2CacheBytesMax = 32 * 1024 * 1024
const refcountCacheClusters = 4

function directoryPlace({ directoryOffset, directorySize }: BitmapsExtension): HeaderClaims['fetch'] {
  return { offset: directoryOffset, bytes: directorySize }
}

/** The bits of all bitmaps: eight bytes of a table can stand for half a gigabyte of them. */
function bitmapBytes(virtualSize: bigint, directory: Uint8Array | undefined): bigint {
  let bytes = 0n
  for (let at = 0; directory !== undefined && at < directory.length; ) {
    const entry = decodeBitmapEntry(directory, at)
    if (entry === undefined) break
    // Half as much again for the levels above the bits, and the least that a bitmap takes.
    const bits = virtualSize >> BigInt(Math.min(entry.granularityBits, 63))
    bytes += (bits * 3n) / 16n + 1024n
    at += entry.entryBytes
  }
  return bytes
}

function claimedNames(header: Header, { dataFile }: HeaderExtensions, backing: Uint8Array | undefined): ClaimedName[] {
  const names: ClaimedName[] = []
  // A name that is there and cannot be read is one as well.
  if (header.backingFileOffset !== 0) names.push({ role: 'backing', filename: decodeText(backing ?? new Uint8Array()) })
  const isExternal = hasFeature(header.incompatibleFeatures, incompatible.externalDataFile)
  if (dataFile !== undefined || isExternal) {
    names.push({ role: 'data-file', filename: decodeText(dataFile ?? new Uint8Array()) })
  }
  return names
}

/** Offsets are taken from the bytes: a number would round those that no file can have. */
function claimedTables(header: Header, { bitmaps, crypto }: HeaderExtensions, view: DataView): ClaimedTable[] {
  const clusterSize = 2 ** header.clusterBits
  const table = (name: string, offset: bigint, bytes: number, held = true): ClaimedTable => {
    return { name, offset, bytes: BigInt(bytes), held }
  }
  const tables = [
    table('L1 table', view.getBigUint64(40), header.l1Size * entryBytes),
    table('refcount table', view.getBigUint64(48), header.refcountTableClusters * clusterSize),
    table('snapshot table', view.getBigUint64(64), header.nbSnapshots * snapshotEntryMin),
  ]
  if (bitmaps !== undefined) {
    tables.push(table('bitmap directory', BigInt(bitmaps.directoryOffset), bitmaps.directorySize))
  }
  if (crypto !== undefined) tables.push(table('encryption header', BigInt(crypto.offset), crypto.bytes, false))
  return tables.filter(({ bytes }) => bytes > 0n)
}
