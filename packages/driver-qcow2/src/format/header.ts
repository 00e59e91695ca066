/** The image header: its fields, decoded with the checks that decoding needs, and encoded again. */

import { BlockError } from '@blocklayer/block-core/driver'
import { joinHalves, readU64, viewOf, writeU64 } from './bytes.ts'
import {
  clusterBitsMax,
  clusterBitsMin,
  headerBytesKnown,
  headerBytesV2,
  headerBytesV3Min,
  headerField,
  qcow2Magic,
} from './constants.ts'
import {
  decodeFeatureWord,
  encodeFeatureWord,
  type FeatureWord,
  hasFeature,
  incompatible,
  noFeatures,
} from './features.ts'
import { type Geometry, makeGeometry } from './geometry.ts'

/**
 * The header's fields as values; offsets in bytes.
 *
 * @see docs/interop/qcow2.txt, "Header"
 */
export interface Header {
  readonly version: 2 | 3
  /** 0: none. Otherwise also where the header extensions must end. */
  readonly backingFileOffset: number
  readonly backingFileSize: number
  readonly clusterBits: number
  /** Virtual size in bytes, rounded down to 512. */
  readonly size: number
  /** What rounding `size` cut off, 0 to 511; only validation counts it, and it is not written again. */
  readonly sizeRemainder: number
  readonly cryptMethod: number
  /** Entries, not bytes. */
  readonly l1Size: number
  readonly l1TableOffset: number
  readonly refcountTableOffset: number
  readonly refcountTableClusters: number
  readonly nbSnapshots: number
  readonly snapshotsOffset: number
  readonly incompatibleFeatures: FeatureWord
  readonly compatibleFeatures: FeatureWord
  readonly autoclearFeatures: FeatureWord
  /** 4 for version 2. */
  readonly refcountOrder: number
  /** As read; header extensions begin here. */
  readonly headerLength: number
  /** 0 deflate, 1 zstd. */
  readonly compressionType: number
  /** Bytes 112 to `headerLength`, which a later version of the format defines: written again as they are. */
  readonly unknownFields: Uint8Array
}

/**
 * Decodes the fixed fields and makes the checks without which the rest cannot be found (1 to 6 of the reference's
 * order); `unknownFields` stays empty: see `withUnknownFields`.
 *
 * @param head - the image's first 112 bytes, zero padded where the file is shorter
 * @throws BlockError with the reference's message
 */
export function decodeHeader(head: Uint8Array): Header {
  const view = viewOf(head)
  if (view.getUint32(0) !== qcow2Magic) throw new BlockError('EINVAL', 'Image is not in qcow2 format')
  const version = view.getUint32(4)
  if (version !== 2 && version !== 3) throw new BlockError('ENOTSUP', `Unsupported qcow2 version ${version}`)
  const clusterBits = view.getUint32(20)
  if (clusterBits < clusterBitsMin || clusterBits > clusterBitsMax) {
    throw new BlockError('EINVAL', `Unsupported cluster size: 2^${clusterBits}`)
  }
  const headerLength = version === 3 ? view.getUint32(100) : headerBytesV2
  if (version === 3 && headerLength < headerBytesV3Min) throw new BlockError('EINVAL', 'qcow2 header too short')
  if (headerLength > 2 ** clusterBits) throw new BlockError('EINVAL', 'qcow2 header exceeds cluster size')
  const backingFileOffset = readU64(view, 8)
  if (backingFileOffset > 2 ** clusterBits) throw new BlockError('EINVAL', 'Invalid backing file offset')
  const sizeLow = view.getUint32(headerField.size + 4)
  return {
    version,
    backingFileOffset,
    backingFileSize: view.getUint32(16),
    clusterBits,
    size: joinHalves(view.getUint32(headerField.size), sizeLow - (sizeLow % 512)),
    sizeRemainder: sizeLow % 512,
    cryptMethod: view.getUint32(32),
    l1Size: view.getUint32(headerField.l1Size),
    l1TableOffset: readU64(view, headerField.l1TableOffset),
    refcountTableOffset: readU64(view, headerField.refcountTableOffset),
    refcountTableClusters: view.getUint32(headerField.refcountTableClusters),
    nbSnapshots: view.getUint32(headerField.nbSnapshots),
    snapshotsOffset: readU64(view, headerField.snapshotsOffset),
    headerLength,
    unknownFields: new Uint8Array(0),
    ...(version === 3 ? decodeVersion3(view, headerLength) : version2Values),
  }
}

type Version3Fields = Pick<
  Header,
  'incompatibleFeatures' | 'compatibleFeatures' | 'autoclearFeatures' | 'refcountOrder' | 'compressionType'
>

/** What the fields that version 2 lacks are taken to be. */
const version2Values: Version3Fields = {
  incompatibleFeatures: noFeatures,
  compatibleFeatures: noFeatures,
  autoclearFeatures: noFeatures,
  refcountOrder: 4,
  compressionType: 0,
}

function decodeVersion3(view: DataView, headerLength: number): Version3Fields {
  return {
    incompatibleFeatures: decodeFeatureWord(view, headerField.incompatibleFeatures),
    compatibleFeatures: decodeFeatureWord(view, 80),
    autoclearFeatures: decodeFeatureWord(view, 88),
    refcountOrder: view.getUint32(96),
    compressionType: headerLength > headerBytesV3Min ? view.getUint8(104) : 0,
  }
}

/**
 * `header` with the fields that a later version of the format defines.
 *
 * @param cluster - the image's first cluster, zero padded where the file is shorter
 */
export function withUnknownFields(header: Header, cluster: Uint8Array): Header {
  if (header.headerLength <= headerBytesKnown) return header
  return { ...header, unknownFields: cluster.slice(headerBytesKnown, header.headerLength) }
}

/** The geometry that follows from a header that `validateHeader` has accepted. */
export function headerGeometry(header: Header): Geometry {
  return makeGeometry({
    clusterBits: header.clusterBits,
    extendedL2: hasFeature(header.incompatibleFeatures, incompatible.extendedL2),
    externalData: hasFeature(header.incompatibleFeatures, incompatible.externalDataFile),
    refcountOrder: header.refcountOrder,
  })
}

/**
 * Writes the header's fields to the start of `into`. A version 3 header grows to the 112 bytes known today, plus the
 * unknown fields; a version 2 header is 72 bytes.
 *
 * @param into - zeroed, at least as long as the header
 * @returns the header's length in bytes: extensions begin there
 */
export function encodeHeader(header: Header, into: Uint8Array): number {
  const view = viewOf(into)
  view.setUint32(0, qcow2Magic)
  view.setUint32(4, header.version)
  writeU64(view, 8, header.backingFileOffset)
  view.setUint32(16, header.backingFileSize)
  view.setUint32(20, header.clusterBits)
  writeU64(view, headerField.size, header.size)
  view.setUint32(32, header.cryptMethod)
  view.setUint32(headerField.l1Size, header.l1Size)
  writeU64(view, headerField.l1TableOffset, header.l1TableOffset)
  writeU64(view, headerField.refcountTableOffset, header.refcountTableOffset)
  view.setUint32(headerField.refcountTableClusters, header.refcountTableClusters)
  view.setUint32(headerField.nbSnapshots, header.nbSnapshots)
  writeU64(view, headerField.snapshotsOffset, header.snapshotsOffset)
  if (header.version === 2) return headerBytesV2
  encodeFeatureWord(view, headerField.incompatibleFeatures, header.incompatibleFeatures)
  encodeFeatureWord(view, 80, header.compatibleFeatures)
  encodeFeatureWord(view, 88, header.autoclearFeatures)
  view.setUint32(96, header.refcountOrder)
  const length = headerBytesKnown + header.unknownFields.length
  view.setUint32(100, length)
  view.setUint8(104, header.compressionType)
  into.set(header.unknownFields, headerBytesKnown)
  return length
}

/** Bytes that `encodeHeader` will write. */
export function encodedHeaderBytes(header: Header): number {
  return header.version === 2 ? headerBytesV2 : headerBytesKnown + header.unknownFields.length
}
