/** Proves which limits go together, in which words the others are refused, and that the reference says the same. */

import { expect, test } from 'vitest'
import { bucketLimits, checkLimits, completeLimits, rateMax, type ThrottleLimits } from '../src/limits.ts'
import { referenceComplaint, withoutReference } from './support.ts'

const total = 'bps/iops/max total values and read/write values cannot be used at the same time'
const size = 'iops size requires an iops value to be set'
const range = 'bps/iops/max values must be within [0, 1000000000000000]'
const noLength = 'the burst length cannot be 0'
const noBurst = 'burst length set without burst rate'
const tooLong = 'burst length too high for this burst rate'
const noAverage = 'bps_max/iops_max require corresponding bps/iops values'
const tooLow = 'bps_max/iops_max cannot be lower than bps/iops'

const cases: readonly (readonly [ThrottleLimits, string])[] = [
  [{}, ''],
  [{ bpsTotal: 1, iopsTotal: 2 }, ''],
  [{ bpsRead: 1, bpsWrite: 2, iopsRead: 3, iopsWrite: 4 }, ''],
  [{ bpsTotal: 0, bpsRead: 1 }, ''],
  [{ bpsTotal: 5, bpsRead: 5 }, total],
  [{ iopsTotal: 5, iopsWrite: 5 }, total],
  [{ bpsTotal: 5, iopsRead: 5 }, ''],
  [{ bpsTotalMax: 1, bpsReadMax: 1 }, total],
  [{ iopsTotalMax: 1, iopsWriteMax: 1 }, total],
  [{ bpsTotal: 10, bpsReadMax: 20 }, noAverage],
  [{ bpsTotal: 1, iopsRead: 2, bpsReadMaxLength: 0, bpsRead: 2 }, total],
  [{ iopsSize: 3, iopsTotal: 1, iopsRead: 1 }, total],
  [{ iopsSize: 5, bpsTotal: 100 }, size],
  [{ iopsSize: 5, iopsWrite: 0 }, size],
  [{ iopsSize: 5, iopsWrite: 100 }, ''],
  [{ iopsSize: 1e15 + 1, iopsWrite: 1 }, ''],
  [{ iopsTotal: 1e15 }, ''],
  [{ iopsTotal: 1e15 + 1 }, range],
  [{ iopsTotal: -1 }, range],
  [{ bpsRead: 5, bpsReadMax: 1e15 + 1 }, range],
  [{ iopsTotal: 10, iopsTotalMax: 3, bpsTotal: -1 }, range],
  [{ bpsTotal: 1, bpsTotalMax: 1e15 + 1, bpsTotalMaxLength: 0 }, range],
  [{ iopsTotalMaxLength: 0 }, noLength],
  [{ iopsTotal: 5, iopsReadMaxLength: 0 }, noLength],
  [{ bpsRead: 5, bpsReadMax: 1, bpsReadMaxLength: 0 }, noLength],
  [{ iopsTotal: 10, iopsTotalMaxLength: 5 }, noBurst],
  [{ iopsTotal: 5, iopsReadMaxLength: 2 }, noBurst],
  [{ iopsTotal: 10, iopsTotalMax: 20, iopsTotalMaxLength: 5 }, ''],
  [{ bpsRead: 5, bpsReadMax: 5e14, bpsReadMaxLength: 2 }, ''],
  [{ bpsRead: 5, bpsReadMax: 5e14 + 1, bpsReadMaxLength: 2 }, tooLong],
  [{ bpsTotalMax: 1e15, bpsTotalMaxLength: 5 }, tooLong],
  [{ iopsTotal: 5, iopsTotalMax: 6, iopsTotalMaxLength: 4294967295 }, ''],
  [{ bpsTotalMax: 5 }, noAverage],
  [{ iopsTotal: 5, bpsWriteMax: 5 }, noAverage],
  [{ iopsTotal: 10, iopsTotalMax: 5 }, tooLow],
  [{ bpsRead: 5, bpsReadMax: 1, bpsReadMaxLength: 2 }, tooLow],
  [{ iopsTotal: 10, iopsTotalMax: 10 }, ''],
]

function complaint(limits: ThrottleLimits): string {
  try {
    checkLimits(completeLimits(limits))
    return ''
  } catch (error) {
    expect(error).toMatchObject({ code: 'EINVAL' })
    return (error as Error).message
  }
}

test.each(cases)('%o: %s', (limits, message) => {
  expect(complaint(limits)).toBe(message)
})

test.skipIf(withoutReference)('needs qemu-io: the reference says the same of each', () => {
  const dashed = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  const theirs = cases.map(([limits]) => {
    const object = Object.entries(limits).map(([name, value]) => `,limits.${dashed(name)}=${value}`)
    return referenceComplaint(
      '--object',
      `throttle-group,id=g${object.join('')}`,
      '--image-opts',
      'driver=null-co',
      '-c',
      'q',
    )
  })
  expect(theirs).toEqual(cases.map(([, message]) => message))
})

test('what is no whole number is out of range', () => {
  for (const value of [0.5, Number.NaN, Number.POSITIVE_INFINITY]) expect(complaint({ bpsTotal: value })).toBe(range)
  expect(complaint({ iopsSize: -1, iopsTotal: 1 })).toBe(range)
  expect(complaint({ bpsTotal: 1, bpsTotalMax: 2, bpsTotalMaxLength: 1.5 })).toBe(range)
  expect(rateMax).toBe(1e15)
})

test('defaults are no limit, and bursts of a second', () => {
  const limits = completeLimits({ bpsRead: 7, iopsWriteMaxLength: 3 })
  expect(Object.keys(limits)).toHaveLength(19)
  expect(bucketLimits(limits, 'bpsRead')).toEqual({ average: 7, burst: 0, burstSeconds: 1 })
  expect(bucketLimits(limits, 'iopsWrite')).toEqual({ average: 0, burst: 0, burstSeconds: 3 })
})
