/** Options of the null drivers: how long the disk is, what it reads as, and how slow it is. */

import { BlockError, type FlatOptions, type OptionSchema } from '@blocklayer/block-core/driver'

/** Runtime options. @see QEMU 7.2 qapi/block-core.json: BlockdevOptionsNull */
export interface NullOptions {
  /** Bytes; the disk is that long, rounded up to whole sectors of 512. Default 1 GiB. */
  readonly size?: number | bigint
  /** Nanoseconds that every read, write and flush takes; rounded up to whole milliseconds. Default 0. */
  readonly latencyNs?: number | bigint
  /** Reads give zeroes. Default false: they leave the caller's buffer as it is. */
  readonly readZeroes?: boolean
}

/** The schema of `NullOptions`. */
export const nullOptions: OptionSchema<NullOptions> = {
  size: { name: 'size', type: 'size', strong: true, help: 'size of the null block' },
  latencyNs: {
    name: 'latency-ns',
    type: 'number',
    help: 'nanoseconds (approximated) to wait before completing request',
  },
  readZeroes: { name: 'read-zeroes', type: 'bool', strong: true, help: 'return zeroes when read' },
}

const defaultSize = 2 ** 30
/** The longest disk there is (QEMU: BDRV_MAX_LENGTH). */
const lengthMax = 9223372035781033984n
const int64Max = (1n << 63n) - 1n

/** Options that were checked, in the units that the layer works with. */
export interface NullSetting {
  /** Bytes. */
  readonly length: number
  /** Milliseconds, whole. */
  readonly latency: number
  readonly readZeroes: boolean
  /** Some option was given that changes what the disk shows: then no plain name describes it. */
  readonly isSpecial: boolean
}

/**
 * Checks the options in the reference's order.
 *
 * @throws BlockError `EINVAL` `latency-ns is invalid`; `EFBIG` `Could not refresh total sector count: File too large`
 */
export function checkNullOptions(options: NullOptions): NullSetting {
  const latencyNs = BigInt(options.latencyNs ?? 0)
  // A negative number arrives as text counted down from 2^64.
  if (latencyNs < 0n || latencyNs > int64Max) throw new BlockError('EINVAL', 'latency-ns is invalid')
  const size = BigInt(options.size ?? defaultSize)
  if (size < 0n || size > lengthMax) throw BlockError.withErrno('EFBIG', 'Could not refresh total sector count')
  return {
    length: Number(size),
    latency: Math.ceil(Number(latencyNs) / 1e6),
    readZeroes: options.readZeroes ?? false,
    isSpecial: options.size !== undefined || options.readZeroes !== undefined,
  }
}

/**
 * The options of `null-co://`: none. A name can say nothing else.
 *
 * @throws BlockError `EINVAL` `The only allowed filename for this driver is 'null-co://'`
 */
export function parseNullName(protocol: string, filename: string): FlatOptions {
  if (filename !== `${protocol}://`) {
    throw new BlockError('EINVAL', `The only allowed filename for this driver is '${protocol}://'`)
  }
  return new Map()
}
