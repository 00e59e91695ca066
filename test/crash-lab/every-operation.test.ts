// Proves the project's main claim: for every operation that changes metadata there is no instant at which losing power, and
// no request whose failure, leaves an image wrong.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cases } from '../../scripts/crash-lab/operations.ts'
import { runAll } from '../../scripts/crash-lab/run-all.ts'
import { root } from '../../scripts/lib/workspace.ts'

const script = join(root, 'scripts/crash-lab.ts')

// Some four minutes on two cores that have nothing else to do.
test('every operation, through every crash state and every failing request', { timeout: 1_500_000 }, async () => {
  const totals = await runAll(
    script,
    { seed: 1, samples: 256, faults: true, full: false },
    { jobs: 2, only: '', report: () => {} },
  )
  const { states, faults, violations } = totals
  console.log(`crash lab: ${states} crash states, ${faults} failing requests, ${violations.length} violations`)
  expect(violations).toEqual([])
  expect(totals.cases).toBe(cases.length)
  expect(states).toBeGreaterThanOrEqual(100_000)
  expect(faults).toBeGreaterThan(10_000)
})
