/** Counts of a check: what has been mended is no longer wrong. */

import { expect, test } from 'vitest'
import { Findings } from '../../../src/features/check/findings.ts'

test('repair modes', () => {
  expect([new Findings('none'), new Findings('leaks'), new Findings('all')]).toMatchObject([
    { fixLeaks: false, fixErrors: false },
    { fixLeaks: true, fixErrors: false },
    { fixLeaks: true, fixErrors: true },
  ])
})

test('counts add up', () => {
  const findings = new Findings('all')
  expect(findings.isClean).toBe(true)
  findings.corruptions = 2
  findings.corruptionMended()
  expect(findings.isClean).toBe(false)
  const other = new Findings('all')
  Object.assign(other, { leaks: 1, leaksFixed: 2, checkErrors: 3, corruptions: 4, corruptionsFixed: 5 })
  findings.add(other)
  findings.allocatedClusters = 7
  expect(findings.result(9)).toEqual({
    corruptions: 5,
    leaks: 1,
    checkErrors: 3,
    corruptionsFixed: 6,
    leaksFixed: 2,
    imageEndOffset: 0,
    clusters: { total: 9, allocated: 7, fragmented: 0, compressed: 0 },
  })
  findings.clearStatistics()
  expect(findings.result(9).clusters.allocated).toBe(0)
})
