/** What a throttle group may let through: names, ranges, and which values go together. */

import { BlockError } from '@blocklayer/block-core/driver'

/** Each of these has a bucket: bytes or requests per second, of reads, of writes, or of both together. */
export const limitNames = ['bpsTotal', 'bpsRead', 'bpsWrite', 'iopsTotal', 'iopsRead', 'iopsWrite'] as const

/** One of `limitNames`. */
export type LimitName = (typeof limitNames)[number]

/**
 * Limits of a group; what is absent or 0 is unlimited.
 *
 * `…Max` is a rate that is allowed in bursts, for `…MaxLength` seconds (default 1). With `iopsSize`, a request of more
 * bytes counts as several. All are integers; rates are per second.
 *
 * @see QEMU 7.2 qapi/block-core.json: ThrottleLimits
 */
export type ThrottleLimits = {
  readonly [K in LimitName | `${LimitName}Max` | `${LimitName}MaxLength` | 'iopsSize']?: number
}

/** Limits of one bucket, per second. */
export interface BucketLimits {
  /** What is let through in the long run; 0: everything. */
  readonly average: number
  /** What is let through during a burst; 0: no bursts. */
  readonly burst: number
  /** How long a burst may last, in seconds. */
  readonly burstSeconds: number
}

/** The largest rate. */
export const rateMax = 1e15

/** Every value of `limits`, defaults filled in. */
export function completeLimits(limits: ThrottleLimits): Required<ThrottleLimits> {
  const complete: { -readonly [K in keyof ThrottleLimits]: number } = { iopsSize: limits.iopsSize ?? 0 }
  for (const name of limitNames) {
    complete[name] = limits[name] ?? 0
    complete[`${name}Max`] = limits[`${name}Max`] ?? 0
    complete[`${name}MaxLength`] = limits[`${name}MaxLength`] ?? 1
  }
  return complete as Required<ThrottleLimits>
}

/** The part of `limits` that one bucket keeps. */
export function bucketLimits(limits: Required<ThrottleLimits>, name: LimitName): BucketLimits {
  return { average: limits[name], burst: limits[`${name}Max`], burstSeconds: limits[`${name}MaxLength`] }
}

/**
 * Refuses limits that contradict each other, in the reference's order.
 *
 * @throws BlockError `EINVAL` with the reference's messages
 */
export function checkLimits(limits: Required<ThrottleLimits>): void {
  for (const kind of ['bps', 'iops'] as const) {
    for (const part of ['', 'Max'] as const) {
      const apart = limits[`${kind}Read${part}`] !== 0 || limits[`${kind}Write${part}`] !== 0
      if (limits[`${kind}Total${part}`] !== 0 && apart) {
        refuse('bps/iops/max total values and read/write values cannot be used at the same time')
      }
    }
  }
  if (limits.iopsSize !== 0 && !limits.iopsTotal && !limits.iopsRead && !limits.iopsWrite) {
    refuse('iops size requires an iops value to be set')
  }
  if (!isWhole(limits.iopsSize)) refuseRange()
  for (const name of limitNames) checkBucket(bucketLimits(limits, name))
}

function checkBucket({ average, burst, burstSeconds }: BucketLimits): void {
  if (!isRate(average) || !isRate(burst) || !isWhole(burstSeconds)) refuseRange()
  if (burstSeconds === 0) refuse('the burst length cannot be 0')
  if (burstSeconds > 1 && burst === 0) refuse('burst length set without burst rate')
  if (burst * burstSeconds > rateMax) refuse('burst length too high for this burst rate')
  if (burst !== 0 && average === 0) refuse('bps_max/iops_max require corresponding bps/iops values')
  if (burst !== 0 && burst < average) refuse('bps_max/iops_max cannot be lower than bps/iops')
}

function isRate(value: number): boolean {
  return isWhole(value) && value <= rateMax
}

function isWhole(value: number): boolean {
  return Number.isInteger(value) && value >= 0
}

function refuseRange(): never {
  refuse(`bps/iops/max values must be within [0, ${rateMax}]`)
}

function refuse(message: string): never {
  throw new BlockError('EINVAL', message)
}
