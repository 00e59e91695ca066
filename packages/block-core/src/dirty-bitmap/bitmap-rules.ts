/** What a dirty bitmap may be called, how fine it may be, and in which state it may be used. */

import { BlockError } from '../errors.ts'

/** Least bytes per bit: no request is smaller. */
const granularityMin = 512

/** Most bytes per bit: images and commands keep the number in 32 bits. */
const granularityMax: number = 2 ** 31

/** Longest name, in bytes of UTF-8. */
const nameBytesMax = 1023

const defaultGranularityMin = 4096
const defaultGranularityMax = 65536

/** @throws BlockError `EINVAL` `Granularity must be power of 2 and at least 512` */
export function checkGranularity(granularity: number): void {
  const fits = granularity >= granularityMin && granularity <= granularityMax
  if (!fits || !Number.isInteger(Math.log2(granularity))) {
    throw new BlockError('EINVAL', 'Granularity must be power of 2 and at least 512')
  }
}

/**
 * Bytes per bit where the user names none.
 *
 * @param clusterSize - of the node's format; `undefined` where it has none
 */
export function defaultGranularity(clusterSize: number | undefined): number {
  if (clusterSize === undefined || clusterSize === 0) return defaultGranularityMax
  return Math.min(defaultGranularityMax, Math.max(defaultGranularityMin, clusterSize))
}

/** Whether a name has more than 1023 bytes. */
export function isNameTooLong(name: string): boolean {
  return new TextEncoder().encode(name).length > nameBytesMax
}

/** What `checkUsable` needs to know of a bitmap. */
export interface BitmapState {
  readonly name: string | undefined
  readonly busy: boolean
  readonly readOnly: boolean
  readonly inconsistent: boolean
}

/** States that an operation puts up with. */
export interface Allowance {
  readonly readOnly?: boolean
  readonly inconsistent?: boolean
}

/**
 * Whether a user's operation may go on.
 *
 * @throws BlockError `EBUSY` `Bitmap '…' is currently in use by another operation and cannot be used`,
 * `EPERM` `… is readonly and cannot be modified`, `EINVAL` `… is inconsistent and cannot be used`, with a hint
 */
export function checkUsable(bitmap: BitmapState, allowed: Allowance = {}): void {
  const { name = '' } = bitmap
  if (bitmap.busy) {
    throw new BlockError('EBUSY', `Bitmap '${name}' is currently in use by another operation and cannot be used`)
  }
  if (bitmap.readOnly && allowed.readOnly !== true) {
    throw new BlockError('EPERM', `Bitmap '${name}' is readonly and cannot be modified`)
  }
  if (bitmap.inconsistent && allowed.inconsistent !== true) {
    throw new BlockError('EINVAL', `Bitmap '${name}' is inconsistent and cannot be used`, {
      hint: 'Try block-dirty-bitmap-remove to delete this bitmap from disk',
    })
  }
}
