/** Says how the tests went, for people and for programs. */

import type { TestResult } from './run-one.ts'

/** How many of which outcome. */
export interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** Counts outcomes; a recorded test has passed. */
export function totals(results: readonly TestResult[]): Totals {
  const count = (...outcomes: readonly string[]): number =>
    results.filter(({ outcome }) => outcomes.includes(outcome)).length
  return { passed: count('passed', 'recorded'), failed: count('failed'), skipped: count('skipped') }
}

/** One line for a test, and its diff if it has one. */
export function resultText(result: TestResult): string {
  const { name, outcome, reason, diff, seconds, scratch } = result
  const word = { passed: 'pass', failed: 'FAIL', skipped: 'skipped', recorded: 'recorded' }[outcome]
  const time = outcome === 'skipped' ? '' : `  ${seconds.toFixed(1)} s`
  const why = reason === undefined ? '' : `  (${reason})`
  const kept = scratch === undefined ? '' : `  kept ${scratch}`
  return `${name}  ${word}${time}${why}${kept}\n${diff ?? ''}`
}

/** The last line. */
export function totalsText(results: readonly TestResult[]): string {
  const { passed, failed, skipped } = totals(results)
  return `${passed} passed, ${failed} failed, ${skipped} skipped\n`
}

/** The whole report as one JSON object. */
export function jsonReport(
  results: readonly TestResult[],
  setting: { readonly tools: string; readonly format: string },
): string {
  const { tools, format } = setting
  return `${JSON.stringify({ tools, format, results, ...totals(results) }, undefined, 2)}\n`
}
