// Proves that the layer rules hold, and that each of them can fail: a rule that no breach sets off protects nothing, and
// a tool that reads 0 modules finds 0 breaches and exits 0.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import config from '../dependency-cruiser.config.mjs'
import { breaches, cleanFiles } from './layers/breaches.ts'
import { type LayersReport, plantTree, root, runLayers } from './layers/run-layers.ts'

function onTree(files: Readonly<Record<string, string>>): LayersReport {
  const tree = mkdtempSync(join(tmpdir(), 'blocklayer-layers-'))
  try {
    plantTree(tree, files)
    return runLayers(tree)
  } finally {
    rmSync(tree, { recursive: true })
  }
}

describe('the guard is guarded', () => {
  let planted: LayersReport
  beforeAll(() => {
    const all = breaches.map((breach) => breach.plant)
    planted = onTree(Object.assign({}, cleanFiles, ...all))
  })

  test('every rule has a breach planted for it', () => {
    const rules = config.forbidden.map((rule) => rule.name)
    expect(breaches.map((breach) => breach.rule).sort()).toEqual(rules.sort())
  })

  test.each(breaches.map((breach) => [breach.rule, breach.file]))('%s is found', (rule, file) => {
    expect(planted.violations.filter((violation) => violation.rule === rule).map(({ from }) => from)).toContain(file)
  })

  test('the same tree without breaches has no finding', () => {
    const clean = onTree(cleanFiles)
    expect(clean.violations).toEqual([])
    expect(clean.modules).toBeGreaterThanOrEqual(Object.keys(cleanFiles).length)
  })
})

describe('the real tree', () => {
  let real: LayersReport
  beforeAll(() => {
    real = runLayers(root)
  })
  afterAll(() => {
    console.log(`layers: ${real.modules} modules read, ${real.edges.size} edges`)
  })

  test('is read: modules, and edges from package to package', () => {
    expect(real.modules).toBeGreaterThan(50)
    const crossing = [...real.edges].filter((edge) =>
      /^packages\/driver-qcow2\/src\/.* -> packages\/block-core\/src\/driver\.ts$/.test(edge),
    )
    expect(crossing.length).toBeGreaterThan(0)
  })

  test('keeps every rule', () => {
    // One line a breach: the report is read by whoever broke the rule.
    expect([...new Set(real.violations.map(({ from, rule }) => `${rule}: ${from}`))]).toEqual([])
  })
})
