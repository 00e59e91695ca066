// Proves that the lab finds what it is for: bugs in the order of things, planted in a copy of the driver's sources and in the
// file layer, are caught every one, by the state that docs/fault-lab.md names; without them nothing is caught.
import { recordOperation, exploreCrashes } from '@blocklayer/block-core/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { plantedBugs } from '../scripts/crash-lab/planted/bugs.ts'
import { type Catch, caseNamed, catchBug } from '../scripts/crash-lab/planted/catch.ts'
import { catchTable, tableInDocument } from '../scripts/crash-lab/planted/report.ts'

const folder = mkdtempSync(join(tmpdir(), 'blocklayer-planted-'))
afterAll(() => rmSync(folder, { recursive: true }))

const catches: Catch[] = []

describe('caught', () => {
  test.each(plantedBugs)('$title', async (bug) => {
    const found = await catchBug(bug, folder)
    catches.push(found)
    expect(found.verdict?.problems, bug.title).not.toEqual([])
    expect(found.verdict).toBeDefined()
  })
})

test('the document names the states', () => {
  expect(plantedBugs.length).toBeGreaterThanOrEqual(15)
  expect(tableInDocument(), 'pnpm planted-bugs --write brings it up to date').toBe(catchTable(catches))
})

describe('nothing is caught without a bug', () => {
  test.each([...new Set(plantedBugs.map(({ operation }) => operation))])('%s', async (operation) => {
    const sane = caseNamed(operation)
    const { violations } = await exploreCrashes(sane, await recordOperation(sane), {
      exhaustive: 64,
      samples: 8,
      each: 8,
    })
    expect(violations).toEqual([])
  })
})
