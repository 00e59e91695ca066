/** The numbers of the qcow2 format: magics, limits, and the masks of table entries as high and low 32-bit halves. */

/** First four bytes of every image, `"QFI\xfb"`. @see docs/interop/qcow2.txt, "Header" */
export const qcow2Magic = 0x514649fb

/** Bytes of a version 2 header. */
export const headerBytesV2 = 72

/** Shortest version 3 header. */
export const headerBytesV3Min = 104

/** Bytes of the header fields this library knows; a version 3 header is always written at least this long. */
export const headerBytesKnown = 112

/** Smallest and largest cluster: 512 B and 2 MiB. */
export const clusterBitsMin = 9
export const clusterBitsMax = 21

/** Subclusters of one cluster in an image with extended L2 entries. */
export const subclustersPerExtendedCluster = 32

/** Where fields that are written on their own stand in the header, in bytes. */
export const headerField = {
  size: 24,
  l1Size: 36,
  l1TableOffset: 40,
  refcountTableOffset: 48,
  refcountTableClusters: 56,
  nbSnapshots: 60,
  snapshotsOffset: 64,
  incompatibleFeatures: 72,
} as const

/** Limits of the reference implementation. @see QEMU 7.2 block/qcow2.h */
export const limits = {
  /** Entries of an L1 table: 32 MiB. */
  l1Entries: 4_194_304,
  /** Bytes of the refcount table. */
  refcountTableBytes: 8_388_608,
  snapshots: 65_536,
  /** Bytes of the snapshot table. */
  snapshotTableBytes: 67_108_864,
  /** Bytes of extra data in one snapshot table entry. */
  snapshotExtraBytes: 1024,
  bitmaps: 65_535,
  /** Bytes of the bitmap directory. */
  bitmapDirectoryBytes: 67_107_840,
  /** Entries of one bitmap table. */
  bitmapTableEntries: 0x8000000,
  /** Bytes of one bitmap's data. */
  bitmapPayloadBytes: 0x20000000,
  bitmapNameBytes: 1023,
  backingNameBytes: 1023,
  backingFormatBytes: 15,
  /** First host offset that an L1, L2 or refcount table entry cannot hold: 2^56. */
  hostOffset: 72_057_594_037_927_936,
} as const

/** Bytes of an L1, refcount table or plain L2 entry. */
export const entryBytes = 8

/** COPIED, bit 63 of an L1 or L2 entry: the cluster's refcount is exactly one. */
export const copiedFlagHigh = 0x80000000

/** COMPRESSED, bit 62 of an L2 entry. */
export const compressedFlagHigh = 0x40000000

/** ZERO, bit 0 of a plain L2 entry. */
export const zeroFlagLow = 0x00000001

/** Bits 9 to 55: the host offset in L1 and L2 entries. */
export const offsetMaskHigh = 0x00ffffff
export const offsetMaskLow = 0xfffffe00

/** Reserved bits of an L1 entry: 0 to 8 and 56 to 62. */
export const l1ReservedHigh = 0x7f000000
export const l1ReservedLow = 0x000001ff

/** Reserved bits of a plain, uncompressed L2 entry: 1 to 8 and 56 to 61. */
export const l2ReservedHigh = 0x3f000000
export const l2ReservedLow = 0x000001fe

/** Reserved bits of a refcount table entry: 0 to 8. */
export const refcountTableReservedLow = 0x000001ff

/** Encryption methods of the header. */
export const cryptMethod = { none: 0, aes: 1, luks: 2 } as const

/** Types of header extensions. @see docs/interop/qcow2.txt, "Header extensions" */
export const extensionType = {
  end: 0,
  backingFormat: 0xe2792aca,
  featureNames: 0x6803f857,
  bitmaps: 0x23852875,
  cryptoHeader: 0x0537be77,
  /** `"DATA"` */
  dataFile: 0x44415441,
} as const
