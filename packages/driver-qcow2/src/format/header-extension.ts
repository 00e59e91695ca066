/** What follows the header in the first cluster: extensions, and the backing file's name. */

import { BlockError } from '@blocklayer/block-core/driver'
import { decodeText, encodeText, readU64, roundUp, viewOf, writeU64 } from './bytes.ts'
import { cryptMethod, extensionType, limits } from './constants.ts'
import { autoclear, decodeFeatureNames, encodeFeatureNames, type FeatureName, hasFeature } from './features.ts'
import { encodedHeaderBytes, encodeHeader, type Header } from './header.ts'

/** An extension of a type that this library does not know. */
export interface UnknownExtension {
  readonly type: number
  readonly data: Uint8Array
}

/** The bitmaps extension. */
export interface BitmapsExtension {
  readonly count: number
  /** Bytes. */
  readonly directorySize: number
  readonly directoryOffset: number
}

/** Where the LUKS header lies. */
export interface CryptoExtension {
  readonly offset: number
  readonly bytes: number
}

/** What the first cluster holds beyond the header's fields. Names are bytes, so that rewriting cannot change them. */
export interface HeaderExtensions {
  readonly backingFile: Uint8Array | undefined
  readonly backingFormat: Uint8Array | undefined
  readonly dataFile: Uint8Array | undefined
  readonly crypto: CryptoExtension | undefined
  readonly bitmaps: BitmapsExtension | undefined
  /** In the order in which they will be written: the reverse of the order in which they were read. */
  readonly unknown: readonly UnknownExtension[]
}

/** An image without any extension. */
export const noExtensions: HeaderExtensions = {
  backingFile: undefined,
  backingFormat: undefined,
  dataFile: undefined,
  crypto: undefined,
  bitmaps: undefined,
  unknown: [],
}

/** What `decodeExtensions` found. */
export interface DecodedExtensions extends HeaderExtensions {
  /** The bitmaps extension cannot be trusted: say so with `staleBitmapsWarning`, and rewrite the header. */
  readonly staleBitmaps: boolean
}

/** One extension where it lies in the cluster. */
interface RawExtension {
  readonly type: number
  readonly data: Uint8Array
}

/**
 * Walks the extension area, from the header's end to the backing file's name or the cluster's end.
 *
 * @throws BlockError `EINVAL` `Header extension too large`
 */
function* walkExtensions(header: Header, cluster: Uint8Array): Generator<RawExtension> {
  const view = viewOf(cluster)
  const end = header.backingFileOffset === 0 ? cluster.length : header.backingFileOffset
  let at = header.headerLength
  while (at < end) {
    if (at + 8 > end) throw new BlockError('EINVAL', 'Header extension too large')
    const type = view.getUint32(at)
    const length = view.getUint32(at + 4)
    at += 8
    // The end mark's length is judged as well, although nothing follows from it.
    if (length > end - at) throw new BlockError('EINVAL', 'Header extension too large')
    if (type === extensionType.end) return
    yield { type, data: cluster.subarray(at, at + length) }
    at += roundUp(length, 8)
  }
}

/**
 * Where the extension area ends for who reads it: behind its end mark, or where its limit is.
 *
 * @throws BlockError `EINVAL` as the walk
 */
export function extensionsEnd(header: Header, cluster: Uint8Array): number {
  const limit = header.backingFileOffset === 0 ? cluster.length : header.backingFileOffset
  let at = header.headerLength
  for (const { data } of walkExtensions(header, cluster)) at += 8 + roundUp(data.length, 8)
  return Math.min(limit, at + 8)
}

/** The image's feature name table; none where the extension area cannot be walked that far. */
export function readFeatureNames(header: Header, cluster: Uint8Array): FeatureName[] {
  const found: FeatureName[] = []
  try {
    for (const { type, data } of walkExtensions(header, cluster)) {
      if (type === extensionType.featureNames) found.push(...decodeFeatureNames(data))
    }
  } catch (error) {
    // The names only adorn the message about unknown features, which must not be lost to a broken extension.
    if (!(error instanceof BlockError)) throw error
  }
  return found
}

/**
 * Decodes every extension and the backing file's name.
 *
 * @param cluster - the image's first cluster, zero padded where the file is shorter
 * @throws BlockError `EINVAL` with the reference's message
 * @see QEMU 7.2 block/qcow2.c: qcow2_read_extensions
 */
export function decodeExtensions(header: Header, cluster: Uint8Array): DecodedExtensions {
  const found: { -readonly [K in keyof DecodedExtensions]: DecodedExtensions[K] } = {
    ...noExtensions,
    staleBitmaps: false,
  }
  const unknown: UnknownExtension[] = []
  for (const { type, data } of walkExtensions(header, cluster)) {
    if (type === extensionType.backingFormat) found.backingFormat = decodeBackingFormat(data)
    else if (type === extensionType.dataFile) found.dataFile = data.slice()
    else if (type === extensionType.cryptoHeader) found.crypto = decodeCrypto(header, data)
    else if (type === extensionType.bitmaps) {
      found.bitmaps = decodeBitmaps(header, data)
      found.staleBitmaps ||= found.bitmaps === undefined
    } else if (type !== extensionType.featureNames) unknown.unshift({ type, data: data.slice() })
  }
  found.unknown = unknown
  return found
}

/**
 * The backing file's name as the header places it; the test belongs after those of the extensions.
 *
 * @throws BlockError `EINVAL` `Backing file name too long`
 */
export function decodeBackingFile(header: Header, cluster: Uint8Array): Uint8Array | undefined {
  const { backingFileOffset: start, backingFileSize: bytes } = header
  if (start === 0) return undefined
  if (bytes > Math.min(limits.backingNameBytes, cluster.length - start)) {
    throw new BlockError('EINVAL', 'Backing file name too long')
  }
  return cluster.slice(start, start + bytes)
}

function decodeBackingFormat(data: Uint8Array): Uint8Array {
  if (data.length > limits.backingFormatBytes) {
    throw new BlockError('EINVAL', `ERROR: ext_backing_format: len=${data.length} too large (>=16)`)
  }
  return data.slice()
}

function decodeCrypto(header: Header, data: Uint8Array): CryptoExtension {
  if (header.cryptMethod !== cryptMethod.luks) {
    throw new BlockError('EINVAL', 'CRYPTO header extension only expected with LUKS encryption method')
  }
  if (data.length !== 16) {
    throw new BlockError('EINVAL', `CRYPTO header extension size ${data.length}, but expected size 16`)
  }
  const view = viewOf(data)
  const offset = readU64(view, 0)
  const clusterSize = 2 ** header.clusterBits
  if (offset % clusterSize !== 0) {
    const place = `Encryption header offset '${offset}'`
    throw new BlockError('EINVAL', `${place} is not a multiple of cluster size '${clusterSize}'`)
  }
  return { offset, bytes: readU64(view, 8) }
}

/** `undefined` for an extension that a program without bitmap support has made meaningless. */
function decodeBitmaps(header: Header, data: Uint8Array): BitmapsExtension | undefined {
  const fail = (message: string): never => {
    throw new BlockError('EINVAL', message)
  }
  if (data.length !== 24) fail('bitmaps_ext: Invalid extension length')
  if (!hasFeature(header.autoclearFeatures, autoclear.bitmaps)) return undefined
  const view = viewOf(data)
  const count = view.getUint32(0)
  if (view.getUint32(4) !== 0) fail('bitmaps_ext: Reserved field is not zero')
  if (count > limits.bitmaps) {
    fail(`bitmaps_ext: Image has ${count} bitmaps, exceeding the QEMU supported maximum of ${limits.bitmaps}`)
  }
  if (count === 0) fail('found bitmaps extension with zero bitmaps')
  const directorySize = readU64(view, 8)
  const directoryOffset = readU64(view, 16)
  if (directoryOffset % 2 ** header.clusterBits !== 0) fail('bitmaps_ext: invalid bitmap directory offset')
  if (directorySize > limits.bitmapDirectoryBytes) {
    // A size past 2^53 is printed with all its digits.
    const size = `bitmap directory size (${BigInt(directorySize)})`
    fail(`bitmaps_ext: ${size} exceeds the maximum supported size (${limits.bitmapDirectoryBytes})`)
  }
  return { count, directorySize, directoryOffset }
}

/** First line of the warning about a stale bitmaps extension; `staleBitmapsHint` follows it, without a line's end. */
export function staleBitmapsWarning(version: 2 | 3): string {
  return version === 3
    ? 'a program lacking bitmap support modified this file, so all bitmaps are now considered inconsistent'
    : 'This qcow2 v2 image contains bitmaps, but they may have been modified by a program without persistent bitmap ' +
        'support; so now they must all be considered inconsistent'
}

/** What the reference prints under `staleBitmapsWarning`. */
export const staleBitmapsHint: string = "Some clusters may be leaked, run 'qemu-img check -r' on the image file to fix."

/** How the first cluster is laid out; by default as the reference does it. */
export interface FirstClusterLayout {
  /** Leave out the table of feature names, which nothing depends on. */
  readonly withoutFeatureNames?: boolean
  /** Where the backing file name stands; default: right behind the extensions. */
  readonly nameOffset?: number
}

/**
 * The whole first cluster: header, extensions in the reference's order, end mark, backing file name.
 *
 * `backingFileOffset` and `backingFileSize` of `header` are not used: they follow from `extensions.backingFile`.
 *
 * @throws BlockError `ENOSPC` where it does not fit one cluster
 * @see QEMU 7.2 block/qcow2.c: qcow2_update_header
 */
export function encodeFirstCluster(
  header: Header,
  extensions: HeaderExtensions,
  layout: FirstClusterLayout = {},
): Uint8Array {
  const cluster = new Uint8Array(2 ** header.clusterBits)
  const view = viewOf(cluster)
  let at = encodedHeaderBytes(header)
  const { withoutFeatureNames = false } = layout
  const list = extensionsToWrite(header, extensions).filter(
    ({ type }) => !withoutFeatureNames || type !== extensionType.featureNames,
  )
  for (const { type, data } of [...list, { type: extensionType.end, data: new Uint8Array(0) }]) {
    if (at + 8 + roundUp(data.length, 8) > cluster.length) throw BlockError.fromErrno('ENOSPC')
    view.setUint32(at, type)
    view.setUint32(at + 4, data.length)
    cluster.set(data, at + 8)
    at += 8 + roundUp(data.length, 8)
  }
  const name = extensions.backingFile
  if (name === undefined) {
    encodeHeader({ ...header, backingFileOffset: 0, backingFileSize: 0 }, cluster)
    return cluster
  }
  const start = layout.nameOffset ?? at
  if (start < at || start + name.length > cluster.length) throw BlockError.fromErrno('ENOSPC')
  cluster.set(name, start)
  encodeHeader({ ...header, backingFileOffset: start, backingFileSize: name.length }, cluster)
  return cluster
}

/** Every extension but the end mark, in the order of their writing. */
function extensionsToWrite(header: Header, extensions: HeaderExtensions): RawExtension[] {
  const list: RawExtension[] = []
  const { backingFormat, dataFile, crypto, bitmaps } = extensions
  if (backingFormat !== undefined) list.push({ type: extensionType.backingFormat, data: backingFormat })
  if (dataFile !== undefined) list.push({ type: extensionType.dataFile, data: dataFile })
  if (crypto !== undefined) {
    const data = new Uint8Array(16)
    writeU64(viewOf(data), 0, crypto.offset)
    writeU64(viewOf(data), 8, crypto.bytes)
    list.push({ type: extensionType.cryptoHeader, data })
  }
  // Small clusters have no room to spare for the names.
  if (header.version === 3 && header.clusterBits > 12) {
    list.push({ type: extensionType.featureNames, data: encodeFeatureNames() })
  }
  if (bitmaps !== undefined) {
    const data = new Uint8Array(24)
    viewOf(data).setUint32(0, bitmaps.count)
    writeU64(viewOf(data), 8, bitmaps.directorySize)
    writeU64(viewOf(data), 16, bitmaps.directoryOffset)
    list.push({ type: extensionType.bitmaps, data })
  }
  list.push(...extensions.unknown)
  return list
}

/** A name's bytes as text, up to a NUL as the reference takes them; `undefined` kept. */
export function nameText(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined
  const end = bytes.indexOf(0)
  return decodeText(end < 0 ? bytes : bytes.subarray(0, end))
}

/** A name as bytes, `undefined` kept. */
export function nameBytes(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : encodeText(text)
}
