/** The first 4096 bytes of a slab file: what the disk is like, and where its parts lie. */

import { alignUp, BlockError, ceilDiv } from '@blocklayer/block-core/driver'

/** Bytes that the header takes; the cluster table follows. */
export const headerBytes = 4096

/** Bytes of a table entry. */
export const entryBytes = 4

/** Smallest and largest cluster, in bytes. */
export const clusterBytesLimits: { readonly min: number; readonly max: number } = { min: 4096, max: 2 ** 21 }

/** Entries of the largest table: 64 MiB of them. */
export const capacityMax: number = 2 ** 24

const magic = 0x534c4142
const version = 1

/** Fields of the header, big-endian. */
const at = { magic: 0, version: 4, clusterBytes: 8, capacity: 12, size: 16 } as const

/** The header's content. */
export interface SlabHeader {
  /** Guest bytes, a multiple of 512. */
  readonly size: number
  /** Bytes of a cluster; a power of two. */
  readonly clusterBytes: number
  /** Entries of the cluster table: the disk can grow to so many clusters. */
  readonly capacity: number
}

/** Whether `head`, the first bytes of a file, begins a slab image. */
export function hasSlabMagic(head: Uint8Array): boolean {
  return head.length >= 4 && view(head).getUint32(at.magic) === magic
}

/**
 * Decodes and checks the header.
 *
 * @param head - the first `headerBytes` of the file
 * @throws BlockError `EINVAL` for what is no slab image or contradicts itself, `ENOTSUP` for another version
 */
export function decodeHeader(head: Uint8Array): SlabHeader {
  if (!hasSlabMagic(head)) throw new BlockError('EINVAL', 'Image is not in slab format')
  const fields = view(head)
  const found = fields.getUint32(at.version)
  if (found !== version) throw new BlockError('ENOTSUP', `Unsupported slab version ${found}`)
  const header: SlabHeader = {
    // Two halves: bit operators are 32 bits wide, and sizes are not.
    size: fields.getUint32(at.size) * 2 ** 32 + fields.getUint32(at.size + 4),
    clusterBytes: fields.getUint32(at.clusterBytes),
    capacity: fields.getUint32(at.capacity),
  }
  checkHeader(header)
  return header
}

/** @throws BlockError `EINVAL` for a header that no slab image can have */
export function checkHeader({ size, clusterBytes, capacity }: SlabHeader): void {
  const { min, max } = clusterBytesLimits
  const isPowerOfTwo = clusterBytes !== 0 && (clusterBytes & (clusterBytes - 1)) === 0
  if (!isPowerOfTwo || clusterBytes < min || clusterBytes > max) {
    throw new BlockError('EINVAL', `The cluster size must be a power of two from ${min} to ${max}`)
  }
  if (capacity > capacityMax || ceilDiv(size, clusterBytes) > capacity || size % 512 !== 0) {
    throw new BlockError('EINVAL', `Invalid slab header (${size} bytes, ${capacity} clusters)`)
  }
}

/** The header as it stands in the file. */
export function encodeHeader({ size, clusterBytes, capacity }: SlabHeader): Uint8Array {
  const head = new Uint8Array(headerBytes)
  const fields = view(head)
  fields.setUint32(at.magic, magic)
  fields.setUint32(at.version, version)
  fields.setUint32(at.clusterBytes, clusterBytes)
  fields.setUint32(at.capacity, capacity)
  fields.setUint32(at.size, Math.floor(size / 2 ** 32))
  fields.setUint32(at.size + 4, size % 2 ** 32)
  return head
}

/** Offset of the first cluster in the file: behind the table, at a multiple of the cluster size. */
export function dataOffset({ clusterBytes, capacity }: SlabHeader): number {
  return alignUp(headerBytes + capacity * entryBytes, clusterBytes)
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
