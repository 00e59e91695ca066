/** The bitmaps of one node: names, order, and what a query tells of them. */

import { BlockError } from '../errors.ts'
import { checkGranularity, isNameTooLong } from './bitmap-rules.ts'
import { DirtyBitmap, type DirtyBitmapOptions } from './dirty-bitmap.ts'

/** What a query tells of one bitmap, in the reference's order. */
export interface DirtyBitmapFacts {
  /** Absent for the bitmaps of jobs. */
  readonly name?: string
  readonly recording: boolean
  readonly persistent: boolean
  readonly busy: boolean
  /** Bytes per bit. */
  readonly granularity: number
  /** Dirty bytes, in whole granules. */
  readonly count: number
  /** Only there where it is true. */
  readonly inconsistent?: true
}

/**
 * Makes a bitmap and adds it.
 *
 * @throws BlockError `EINVAL` for the granularity, `EEXIST` `Bitmap already exists: …`, `ENAMETOOLONG`
 * `Bitmap name too long: …`, `ENOMEM`; nothing is added then
 */
export function addBitmap(bitmaps: Set<DirtyBitmap>, options: DirtyBitmapOptions): DirtyBitmap {
  const { name } = options
  checkGranularity(options.granularity)
  if (name !== undefined) {
    checkNameFree(bitmaps, name)
    if (isNameTooLong(name)) throw new BlockError('ENAMETOOLONG', `Bitmap name too long: ${name}`)
  }
  const bitmap = new DirtyBitmap(options)
  bitmaps.add(bitmap)
  return bitmap
}

/** @throws BlockError `EEXIST` `Bitmap already exists: …` */
export function checkNameFree(bitmaps: ReadonlySet<DirtyBitmap>, name: string): void {
  for (const bitmap of bitmaps) {
    if (bitmap.name === name) throw new BlockError('EEXIST', `Bitmap already exists: ${name}`)
  }
}

/** @throws BlockError `ENOENT` `Dirty bitmap '…' not found` */
export function findBitmap(bitmaps: ReadonlySet<DirtyBitmap>, name: string): DirtyBitmap {
  for (const bitmap of bitmaps) if (bitmap.name === name) return bitmap
  throw new BlockError('ENOENT', `Dirty bitmap '${name}' not found`)
}

/** What a query tells, the youngest bitmap first. */
export function bitmapFacts(bitmaps: ReadonlySet<DirtyBitmap>): readonly DirtyBitmapFacts[] {
  return [...bitmaps].reverse().map((bitmap) => ({
    ...(bitmap.name === undefined ? {} : { name: bitmap.name }),
    recording: bitmap.recording,
    persistent: bitmap.persistent,
    busy: bitmap.busy,
    granularity: bitmap.granularity,
    count: bitmap.dirtyBytes,
    ...(bitmap.inconsistent ? { inconsistent: true } : {}),
  }))
}
