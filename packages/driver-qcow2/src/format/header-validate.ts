/** Whether a decoded header describes an image that may be opened: the reference's tests, in its order, with its words. */

import { BlockError } from '@blocklayer/block-core/driver'
import { cryptMethod, entryBytes, limits } from './constants.ts'
import { type FeatureName, hasFeature, incompatible, refuseUnknownFeatures } from './features.ts'
import { type Geometry, isClusterAligned, l1EntriesFor } from './geometry.ts'
import { type Header, headerGeometry } from './header.ts'

/** How the image is being opened. */
export interface ValidateOptions {
  readonly readOnly: boolean
  /** Opened by `check`: what a repair could mend is tolerated. */
  readonly check: boolean
  /** The image's own feature name table, for the message about unknown features. */
  readonly featureNames: readonly FeatureName[]
}

/**
 * Checks 7 to 18 of the reference's order on a header that `decodeHeader` gave.
 *
 * @returns the geometry, which is certain to be sound after check 11
 * @throws BlockError with the reference's message
 * @see QEMU 7.2 block/qcow2.c: qcow2_do_open
 */
export function validateHeader(header: Header, options: ValidateOptions): Geometry {
  validateCompressionType(header)
  refuseUnknownFeatures(header.incompatibleFeatures, options.featureNames)
  if (hasFeature(header.incompatibleFeatures, incompatible.corrupt) && !options.readOnly && !options.check) {
    throw new BlockError('EACCES', 'qcow2: Image is corrupt; cannot be opened read/write')
  }
  // The refcount width is checked right below; the subcluster size, which comes first, does not depend on it.
  const { subclusterSize } = headerGeometry({ ...header, refcountOrder: 4 })
  if (subclusterSize < 512) throw new BlockError('EINVAL', `Unsupported subcluster size: ${subclusterSize}`)
  if (header.refcountOrder > 6) {
    throw new BlockError('EINVAL', 'Reference count entry width too large; may not exceed 64 bits')
  }
  const geometry = headerGeometry(header)
  validateRefcountTable(header, geometry, options.check)
  if (!options.check) {
    validateTable(geometry, {
      name: 'Snapshot table',
      offset: header.snapshotsOffset,
      entries: header.nbSnapshots,
      entryBytes: limits.snapshotTableBytes / limits.snapshots,
      bytesMax: limits.snapshotTableBytes,
    })
  }
  validateL1Table(header, geometry)
  return geometry
}

function validateCompressionType(header: Header): void {
  const flagged = hasFeature(header.incompatibleFeatures, incompatible.compressionType)
  if (header.compressionType > 1) {
    throw new BlockError('ENOTSUP', `qcow2: unknown compression type: ${header.compressionType}`)
  }
  if (header.compressionType === 0 && flagged) {
    throw new BlockError('EINVAL', 'qcow2: Compression type incompatible feature bit must not be set')
  }
  if (header.compressionType === 1 && !flagged) {
    throw new BlockError('EINVAL', 'qcow2: Compression type incompatible feature bit must be set')
  }
}

function validateRefcountTable(header: Header, geometry: Geometry, check: boolean): void {
  if (header.refcountTableClusters === 0 && !check) {
    throw new BlockError('EINVAL', 'Image does not contain a reference count table')
  }
  validateTable(geometry, {
    name: 'Reference count table',
    offset: header.refcountTableOffset,
    entries: header.refcountTableClusters * geometry.entriesPerCluster,
    entryBytes,
    bytesMax: limits.refcountTableBytes,
  })
}

function validateL1Table(header: Header, geometry: Geometry): void {
  validateTable(geometry, {
    name: 'Active L1 table',
    offset: header.l1TableOffset,
    entries: header.l1Size,
    entryBytes,
    bytesMax: limits.l1Entries * entryBytes,
  })
  const needed = l1EntriesFor(geometry, header.size + header.sizeRemainder)
  if (needed > 2 ** 31 - 1) throw new BlockError('EFBIG', 'Image is too big')
  if (header.l1Size < needed) throw new BlockError('EINVAL', 'L1 table is too small')
}

/** A table as a header or a snapshot entry describes it. */
export interface TablePlace {
  /** Beginning of the messages. */
  readonly name: string
  readonly offset: number
  readonly entries: number
  readonly entryBytes: number
  readonly bytesMax: number
}

/**
 * Refuses a table that is larger than the reference allows, or that cannot lie where it is said to.
 *
 * @throws BlockError `EFBIG` `<name> too large`, `EINVAL` `<name> offset invalid`
 * @see QEMU 7.2 block/qcow2.c: qcow2_validate_table
 */
export function validateTable(geometry: Geometry, place: TablePlace): void {
  const bytes = place.entries * place.entryBytes
  if (bytes > place.bytesMax) throw new BlockError('EFBIG', `${place.name} too large`)
  // The sum is a double: 2^63 itself stands for everything that would overflow a signed 64-bit offset.
  if (place.offset + bytes >= 2 ** 63 || !isClusterAligned(geometry, place.offset)) {
    throw new BlockError('EINVAL', `${place.name} offset invalid`)
  }
}

/** Encryption methods that the format defines, by their names in `info`. */
export function encryptionName(header: Header): 'aes' | 'luks' | undefined {
  if (header.cryptMethod === cryptMethod.aes) return 'aes'
  return header.cryptMethod === cryptMethod.luks ? 'luks' : undefined
}
