/** The fixed part of a VDI file: 512 bytes that say how large the disk is and where its blocks lie. */

import { BlockError } from '@blocklayer/block-core/driver'

/** Bytes that the header takes. */
export const headerBytes = 512

/** What of the header a reader needs. */
export interface VdiHeader {
  /** Guest bytes. */
  readonly diskBytes: number
  /** Bytes of guest data in one block; a power of two. */
  readonly blockBytes: number
  /** Bytes from one block's start to the next in the file. */
  readonly blockStride: number
  readonly blockCount: number
  /** Offset of the block map in the file. */
  readonly mapOffset: number
  /** Offset of the first block in the file. */
  readonly dataOffset: number
}

const signatureOffset = 0x40
const signature = 0xbeda107f
const version = 0x00010001

/** Fields of the header, little-endian. */
const at = {
  version: 0x44,
  imageType: 0x4c,
  mapOffset: 0x154,
  dataOffset: 0x158,
  sectorBytes: 0x168,
  diskBytes: 0x170,
  blockBytes: 0x178,
  blockExtra: 0x17c,
  blockCount: 0x180,
  linkUuid: 0x1a8,
  parentUuid: 0x1b8,
} as const

const imageTypes = { dynamic: 1, static: 2 } as const

/** Whether `head`, at least the first 68 bytes of a file, begins a VDI image. */
export function hasVdiSignature(head: Uint8Array): boolean {
  if (head.length < signatureOffset + 4) return false
  return view(head).getUint32(signatureOffset, true) === signature
}

/**
 * Decodes and checks the header.
 *
 * @param head - the first `headerBytes` of the file
 * @throws BlockError `EINVAL` for what is no VDI image or contradicts itself, `ENOTSUP` for kinds this driver cannot read
 * @see VirtualBox's VDICore.h, as described in its user forum's "All about VDIs"
 */
export function decodeHeader(head: Uint8Array): VdiHeader {
  if (!hasVdiSignature(head)) throw new BlockError('EINVAL', 'Image is not in vdi format')
  const fields = view(head)
  const word = (offset: number): number => fields.getUint32(offset, true)
  checkSupported(fields)
  const header: VdiHeader = {
    // Two halves: the field is 64 bits wide, and sizes past 2^53 are refused below.
    diskBytes: word(at.diskBytes + 4) * 2 ** 32 + word(at.diskBytes),
    blockBytes: word(at.blockBytes),
    blockStride: word(at.blockBytes) + word(at.blockExtra),
    blockCount: word(at.blockCount),
    mapOffset: word(at.mapOffset),
    dataOffset: word(at.dataOffset),
  }
  checkConsistent(header)
  return header
}

function checkSupported(fields: DataView): void {
  const unsupported = (what: string): BlockError => new BlockError('ENOTSUP', `Unsupported VDI image (${what})`)
  const found = fields.getUint32(at.version, true)
  if (found !== version) throw unsupported(`version ${found >>> 16}.${found & 0xffff}`)
  const imageType = fields.getUint32(at.imageType, true)
  if (imageType !== imageTypes.dynamic && imageType !== imageTypes.static) throw unsupported(`image type ${imageType}`)
  if (fields.getUint32(at.sectorBytes, true) !== 512) throw unsupported('sector size is not 512 B')
  // A parent means that blocks missing here are to be read from another file.
  for (const uuid of [at.linkUuid, at.parentUuid]) {
    for (let i = 0; i < 16; i += 4) if (fields.getUint32(uuid + i, true) !== 0) throw unsupported('has a parent image')
  }
}

function checkConsistent(header: VdiHeader): void {
  const broken = (what: string): BlockError => new BlockError('EINVAL', `Invalid VDI header (${what})`)
  const { blockBytes, blockCount, diskBytes } = header
  const isPowerOfTwo = blockBytes !== 0 && (blockBytes & (blockBytes - 1)) === 0
  if (!isPowerOfTwo || blockBytes < 512) throw broken(`block size ${blockBytes}`)
  if (!Number.isSafeInteger(diskBytes)) throw new BlockError('EFBIG', 'VDI disk size is larger than 2^53 bytes')
  if (blockCount * blockBytes < diskBytes) throw broken('too few blocks for the disk size')
  if (header.dataOffset < header.mapOffset + 4 * blockCount) throw broken('the block map reaches into the data')
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
