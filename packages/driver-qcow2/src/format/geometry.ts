/** Everything that follows from cluster size, L2 entry size and refcount width, and the index arithmetic on offsets. */

import { entryBytes, subclustersPerExtendedCluster } from './constants.ts'

declare const unit: unique symbol

/** A byte offset in the guest's disk. */
export type GuestOffset = number & { readonly [unit]: 'guest offset' }

/** A byte offset in the image file, or in the file that holds the guest's data where that is another one. */
export type HostOffset = number & { readonly [unit]: 'host offset' }

/** Marks `offset` as one that the guest sees. */
export function guestOffset(offset: number): GuestOffset {
  return offset as GuestOffset
}

/** Marks `offset` as one in the image file. */
export function hostOffset(offset: number): HostOffset {
  return offset as HostOffset
}

/** Constants of one image; all of them derived from three header fields. */
export interface Geometry {
  readonly clusterBits: number
  /** Bytes of a cluster, 512 to 2 MiB. */
  readonly clusterSize: number
  readonly extendedL2: boolean
  /** Guest data lies in a file of its own, each cluster at its guest offset, where host offset 0 is an ordinary place. */
  readonly externalData: boolean
  /** 8, or 16 with extended L2 entries. */
  readonly l2EntrySize: number
  /** Entries of one L2 table, which is exactly one cluster. */
  readonly l2Entries: number
  /** Guest bytes that one L1 entry covers. */
  readonly l2Coverage: number
  readonly subclustersPerCluster: number
  readonly subclusterSize: number
  /** 8-byte entries (L1, refcount table) that fit one cluster. */
  readonly entriesPerCluster: number
  /** 0 to 6. */
  readonly refcountOrder: number
  /** Width of a refcount in bits, 1 to 64. */
  readonly refcountBits: number
  /** Largest refcount; 2^53 - 1 for 64-bit entries, beyond which `number` does not count. */
  readonly refcountMax: number
  /** Refcounts of one refcount block, which is exactly one cluster. */
  readonly refblockEntries: number
  /** Where the sector count of a compressed entry begins: bits below are the offset. */
  readonly compressedShift: number
  /** Largest sector count of a compressed entry. */
  readonly compressedSectorsMax: number
  /** First host offset that a compressed entry cannot hold. */
  readonly compressedOffsetLimit: number
}

/** What `makeGeometry` starts from. */
export interface GeometryOptions {
  /** 9 to 21. */
  readonly clusterBits: number
  readonly extendedL2: boolean
  /** Default false. */
  readonly externalData?: boolean
  /** 0 to 6. */
  readonly refcountOrder: number
}

/**
 * The geometry of an image; the options have been validated.
 *
 * @see QEMU 7.2 block/qcow2.c: qcow2_do_open
 */
export function makeGeometry(options: GeometryOptions): Geometry {
  const { clusterBits, extendedL2, externalData = false, refcountOrder } = options
  const clusterSize = 2 ** clusterBits
  const l2EntrySize = extendedL2 ? 2 * entryBytes : entryBytes
  const l2Entries = clusterSize / l2EntrySize
  const subclustersPerCluster = extendedL2 ? subclustersPerExtendedCluster : 1
  const refcountBits = 2 ** refcountOrder
  const compressedShift = 62 - (clusterBits - 8)
  return {
    clusterBits,
    clusterSize,
    extendedL2,
    externalData,
    l2EntrySize,
    l2Entries,
    l2Coverage: clusterSize * l2Entries,
    subclustersPerCluster,
    subclusterSize: clusterSize / subclustersPerCluster,
    entriesPerCluster: clusterSize / entryBytes,
    refcountOrder,
    refcountBits,
    refcountMax: Math.min(2 ** refcountBits - 1, Number.MAX_SAFE_INTEGER),
    refblockEntries: (clusterSize * 8) / refcountBits,
    compressedShift,
    compressedSectorsMax: 2 ** (clusterBits - 8) - 1,
    compressedOffsetLimit: Math.min(2 ** 56, 2 ** compressedShift),
  }
}

// Division, not >>, throughout: offsets pass 2^32 and JavaScript shifts are 32 bits wide.

/** Index into the L1 table of the entry that covers `offset`. @see docs/interop/qcow2.txt, "Cluster mapping" */
export function l1Index(geometry: Geometry, offset: GuestOffset): number {
  return Math.floor(offset / geometry.l2Coverage)
}

/** Index into its L2 table of the entry that covers `offset`. */
export function l2Index(geometry: Geometry, offset: GuestOffset): number {
  return Math.floor(offset / geometry.clusterSize) % geometry.l2Entries
}

/** Distance of `offset`, guest or host, from the start of its cluster in bytes. */
export function offsetInCluster(geometry: Geometry, offset: number): number {
  return offset - Math.floor(offset / geometry.clusterSize) * geometry.clusterSize
}

/** Start of the cluster in which `offset`, guest or host, lies. */
export function clusterStart<Offset extends number>(geometry: Geometry, offset: Offset): Offset {
  return (Math.floor(offset / geometry.clusterSize) * geometry.clusterSize) as Offset
}

/** Whether `offset`, guest or host, is a multiple of the cluster size. */
export function isClusterAligned(geometry: Geometry, offset: number): boolean {
  return offset % geometry.clusterSize === 0
}

/** Whole clusters that `bytes` bytes need. */
export function clustersFor(geometry: Geometry, bytes: number): number {
  return Math.ceil(bytes / geometry.clusterSize)
}

/** Number of the cluster in which `offset` lies. */
export function clusterIndex(geometry: Geometry, offset: HostOffset): number {
  return Math.floor(offset / geometry.clusterSize)
}

/** Where cluster number `index` begins. */
export function clusterOffset(geometry: Geometry, index: number): HostOffset {
  return hostOffset(index * geometry.clusterSize)
}

/** Index into the refcount table of the block that counts cluster number `cluster`. */
export function refcountTableIndex(geometry: Geometry, cluster: number): number {
  return Math.floor(cluster / geometry.refblockEntries)
}

/** Index into its refcount block of the count of cluster number `cluster`. */
export function refblockIndex(geometry: Geometry, cluster: number): number {
  return cluster % geometry.refblockEntries
}

/**
 * L1 entries that a disk of `size` bytes needs; also the index where the vm state begins.
 *
 * @param size - virtual size in bytes
 */
export function l1EntriesFor(geometry: Geometry, size: number): number {
  return Math.ceil(size / geometry.l2Coverage)
}

/** Whole clusters that an L1 table of `l1Size` entries takes. */
export function l1Clusters(geometry: Geometry, l1Size: number): number {
  return Math.ceil(l1Size / geometry.entriesPerCluster)
}
