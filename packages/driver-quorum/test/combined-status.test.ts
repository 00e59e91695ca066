/** Proves that a range is zero only where every copy says so, and how long the answer holds. */

import { expect, test } from 'vitest'
import { combinedStatus } from '../src/combined-status.ts'

const zero = (bytes: number) => ({ bytes, data: false, zero: true })
const data = (bytes: number) => ({ bytes, data: true, zero: false })
const unknown = (bytes: number) => ({ bytes, data: false, zero: false })

test.each([
  [[zero(100), zero(40), zero(70)], zero(40)],
  [[zero(100), data(40), data(60)], data(60)],
  [[data(100)], data(100)],
  [[zero(100), unknown(30)], data(30)],
  [[zero(100), undefined], data(100)],
])('%# %j', (answers, expected) => {
  expect(combinedStatus(answers, 100)).toEqual(expected)
})
