/** The directory of persistent bitmaps: reading it, and refusing one that makes no sense. */

import { BlockError, type Child, toBlockError } from '@blocklayer/block-core/driver'
import { type BitmapEntry, bitmapFixedBytes, bitmapFlag, decodeBitmapEntry } from '../../format/bitmap-entry.ts'
import { decodeText } from '../../format/bytes.ts'
import { limits } from '../../format/constants.ts'
import type { Geometry } from '../../format/geometry.ts'
import type { BitmapsExtension } from '../../format/header-extension.ts'

/** What the directory is judged against. */
export interface DirectoryOptions {
  readonly file: Child
  readonly geometry: Geometry
  /** Virtual size in bytes. */
  readonly size: number
}

/**
 * Reads the directory.
 *
 * @throws BlockError `EINVAL` with the reference's message
 * @see QEMU 7.2 block/qcow2-bitmap.c: bitmap_list_load
 */
export async function loadBitmapDirectory(
  options: DirectoryOptions,
  place: BitmapsExtension,
): Promise<readonly BitmapEntry[]> {
  if (place.directorySize === 0) fail('Requested bitmap directory size is zero')
  const directory = new Uint8Array(place.directorySize)
  try {
    await options.file.read(place.directoryOffset, directory)
  } catch (error) {
    throw BlockError.withErrno(toBlockError(error).code, 'Failed to read bitmap directory', { cause: error })
  }
  const entries: BitmapEntry[] = []
  for (let at = 0; at < directory.length; ) {
    if (at + bitmapFixedBytes > directory.length) fail('Broken bitmap directory')
    if (entries.length === place.count) fail('More bitmaps found than specified in header extension')
    const entry = decodeBitmapEntry(directory, at)
    if (entry === undefined) return fail('Broken bitmap directory')
    at += entry.entryBytes
    if (entry.extraBytes !== 0) fail('Bitmap extra data is not supported')
    if (!isPlausible(options, entry)) fail(`Bitmap '${decodeText(entry.name)}' doesn't satisfy the constraints`)
    entries.push(entry)
  }
  if (entries.length !== place.count) fail('Less bitmaps found than specified in header extension')
  refuseDuplicates(entries)
  return entries
}

function isPlausible({ geometry, size }: DirectoryOptions, entry: BitmapEntry): boolean {
  const { tableSize, tableOffset, granularityBits, flags, name, type } = entry
  if (tableSize === 0 || tableSize > limits.bitmapTableEntries) return false
  if (tableOffset === 0 || tableOffset % geometry.clusterSize !== 0) return false
  if (tableSize * geometry.clusterSize > limits.bitmapPayloadBytes) return false
  if (granularityBits < 9 || granularityBits > 31) return false
  if ((flags & ~(bitmapFlag.inUse | bitmapFlag.auto)) !== 0 || name.length > limits.bitmapNameBytes) return false
  if (type !== 1) return false
  // A bitmap in use may be of any length: whoever left it so may have been about to resize the disk.
  if ((flags & bitmapFlag.inUse) !== 0) return true
  return tableSize * geometry.clusterSize * 8 * 2 ** granularityBits >= size
}

function refuseDuplicates(entries: readonly BitmapEntry[]): void {
  const seen = new Set<string>()
  for (const { name } of entries) {
    const text = decodeText(name)
    if (seen.has(text)) fail(`Bitmap already exists: ${text}`)
    seen.add(text)
  }
}

function fail(message: string): never {
  throw new BlockError('EINVAL', message)
}
