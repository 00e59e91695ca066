// The report says for each test how it went and why, and counts them all.
import { expect, test } from 'vitest'
import { jsonReport, resultText, totalsText } from '../../src/runner/report.ts'
import type { TestResult } from '../../src/runner/run-one.ts'

const passed: TestResult = { name: '097-a', outcome: 'passed', seconds: 3.14 }
const failed: TestResult = {
  name: '098-b',
  outcome: 'failed',
  reason: 'output differs',
  diff: '--- a\n+++ b\n',
  seconds: 1,
}
const skipped: TestResult = { name: '099-c', outcome: 'skipped', reason: 'not here', seconds: 0 }
const recorded: TestResult = { name: '100-d', outcome: 'recorded', seconds: 2, scratch: '/tmp/x' }

test('one line for a test', () => {
  expect(resultText(passed)).toBe('097-a  pass  3.1 s\n')
  expect(resultText(failed)).toBe('098-b  FAIL  1.0 s  (output differs)\n--- a\n+++ b\n')
  expect(resultText(skipped)).toBe('099-c  skipped  (not here)\n')
  expect(resultText(recorded)).toBe('100-d  recorded  2.0 s  kept /tmp/x\n')
})

test('the last line', () => {
  expect(totalsText([passed, failed, skipped, recorded])).toBe('2 passed, 1 failed, 1 skipped\n')
})

test('JSON has everything', () => {
  expect(JSON.parse(jsonReport([passed, failed], { tools: 'ours', format: 'qcow2' }))).toEqual({
    tools: 'ours',
    format: 'qcow2',
    results: [passed, failed],
    passed: 1,
    failed: 1,
    skipped: 0,
  })
})
