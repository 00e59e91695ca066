/** Sizes on the command line itself (not inside option lists), with the reference's messages. */

import { parseSize } from '@blocklayer/block-core'
import { Failure } from '../failure.ts'

/** Largest file offset of the reference, and the largest size that most arguments may have. */
export const sizeMax: bigint = 2n ** 63n - 1n

/** What a size argument is for, and how large it may be. */
export interface SizeArgument {
  /** As the messages call it: `image size`, `rate limit`. */
  readonly name: string
  readonly min?: bigint
  readonly max?: bigint
}

/**
 * Reads `text` as a size in bytes.
 *
 * @param warn - gets deprecation warnings, without prefix
 * @throws Failure with the reference's two lines for text that is no size, or with the range it has to be in
 * @see QEMU 7.2 qemu-img.c: cvtnum_full
 */
export function parseSizeArgument(
  text: string,
  { name, min = 0n, max = sizeMax }: SizeArgument,
  warn: (message: string) => void,
): bigint {
  const size = parseSize(text)
  if (size.kind === 'malformed') {
    throw new Failure(`Invalid ${name} specified. You may use k, M, G, T, P or E suffixes for`, {
      more: ['kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.'],
    })
  }
  if (size.kind === 'ok' && size.warning !== undefined) warn(size.warning)
  if (size.kind === 'range' || size.value < min || size.value > max) {
    throw new Failure(`Invalid ${name} specified. Must be between ${min} and ${max}.`)
  }
  return size.value
}
