/** Runs one test in a folder of its own and says how it went. */

import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { skipReason } from '../skips.ts'
import { unifiedDiff } from './compare.ts'
import type { DiscoveredTest } from './discover.ts'
import { TestFailure } from './test-failure.ts'
import { TestContext } from './test-context.ts'
import type { ToolSet } from './tool-set.ts'

/** How tests are run. */
export interface RunSettings {
  readonly format: string
  readonly tools: ToolSet
  /** Milliseconds for one run of a tool. */
  readonly timeout: number
  /** Keep the scratch folder and tell its path. */
  readonly keep?: boolean
  /** Write what the test printed as its golden output; only with the reference. */
  readonly record?: boolean
  /** Ends the tool that runs and the test with it. */
  readonly signal?: AbortSignal | undefined
}

/** How one test went. */
export interface TestResult {
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'recorded'
  /** Why it failed or was skipped. */
  readonly reason?: string
  /** Unified diff from golden to found output. */
  readonly diff?: string
  readonly seconds: number
  /** The scratch folder, if it was kept. */
  readonly scratch?: string
}

/**
 * Runs `test`. A tool that outlives its time, or a test that gives up, is a failure with what was printed until then;
 * a defect in the test itself is thrown.
 */
export async function runOne(test: DiscoveredTest, settings: RunSettings): Promise<TestResult> {
  const { name, number } = test
  const skipped = skipReason(number, { format: settings.format, tools: settings.tools.name })
  if (skipped !== undefined) return { name, outcome: 'skipped', reason: skipped, seconds: 0 }
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `blocklayer-iotests-${number}-`)))
  const start = performance.now()
  const { format, tools, timeout, signal } = settings
  const context = new TestContext({ folder, format, tools, timeout, signal })
  try {
    const gaveUp = await runScript(test, context)
    const seconds = (performance.now() - start) / 1000
    const result = conclude(test, context.transcript, { gaveUp, record: settings.record === true })
    return { name, ...result, seconds, ...(settings.keep === true ? { scratch: folder } : {}) }
  } finally {
    if (settings.keep !== true) rmSync(folder, { recursive: true, force: true })
  }
}

/** Why the test gave up, if it did. */
async function runScript({ test }: DiscoveredTest, context: TestContext): Promise<string | undefined> {
  try {
    await test.run(context)
    return undefined
  } catch (error) {
    if (!(error instanceof TestFailure)) throw error
    return error.message
  }
}

function conclude(
  test: DiscoveredTest,
  found: string,
  { gaveUp, record }: { readonly gaveUp: string | undefined; readonly record: boolean },
): Pick<TestResult, 'outcome' | 'reason' | 'diff'> {
  if (record && gaveUp === undefined) {
    writeFileSync(test.expectedPath, found)
    return { outcome: 'recorded' }
  }
  const expected = goldenOutput(test.expectedPath)
  if (expected === undefined) return { outcome: 'failed', reason: gaveUp ?? 'no golden output: record it' }
  const names = { expected: `${test.name}/expected.out`, found: `${test.name} (found)` }
  const diff = unifiedDiff(expected, found, names)
  if (gaveUp === undefined && diff === undefined) return { outcome: 'passed' }
  const reason = gaveUp ?? 'output differs'
  return { outcome: 'failed', reason, ...(diff === undefined ? {} : { diff }) }
}

function goldenOutput(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined
    throw error
  }
}
